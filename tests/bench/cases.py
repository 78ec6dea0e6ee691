"""The cases and the contenders as a table: what is sent, to which mode of which server, and the target.

Decides nothing at run time. A row is added here; everything else follows.
"""

from dataclasses import dataclass

from .wire import BOTH, JSON_ONLY, LEGACY, MODERN

BASELINE = "mcp"
OURS = "ballast"
MODES = ("json", "default", "sessions")
CONTENDERS = {OURS: "mcp-ballast", BASELINE: "mcp", "fastmcp": "FastMCP"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of client against one mode of every contender.

    `target` is the throughput that this project aims at, as a multiple of the plain SDK's.
    """

    key: str
    title: str
    era: str
    accept: str
    mode: str
    target: float


# The plain SDK accepts a JSON-only `Accept` where it answers JSON to 2025-11-25; its default mode and both
# frameworks on 2026-07-28 are sent both types, as ChatGPT does. All three get the same bytes in every case.
CASES = (
    Case(
        key="2025-json",
        title="2025-11-25, client takes JSON",
        era=LEGACY,
        accept=JSON_ONLY,
        mode="json",
        target=2.0,
    ),
    Case(
        key="2025-both",
        title="2025-11-25, client takes both",
        era=LEGACY,
        accept=BOTH,
        mode="default",
        target=4.0,
    ),
    Case(key="2026-json", title="2026-07-28, JSON mode", era=MODERN, accept=BOTH, mode="json", target=1.5),
    Case(
        key="2026-default",
        title="2026-07-28, default mode",
        era=MODERN,
        accept=BOTH,
        mode="default",
        target=1.5,
    ),
)


def server_mode(kind: str, case: Case) -> str:
    """Return the mode in which `kind` is started for `case`; this project has one app for all of them."""
    return "default" if kind == OURS else case.mode
