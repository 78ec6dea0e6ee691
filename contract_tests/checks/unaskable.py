"""CT-37, CT-38 and CT-39: what no question to a target can show; they say who has to look instead."""

from datetime import date
from typing import Final

from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry

WIRE: Final = "CT-37"
"""The contract that a baseline decides: the wire is what it was."""


async def ask_transcript(_: Inquiry) -> None:
    """There is nothing to compare with yet."""
    raise CannotBeChecked(
        "no baseline was given: record one with --baseline FILE --accept, and compare with --baseline FILE"
    )


async def ask_dependencies(_: Inquiry) -> None:
    """A target does not say what it could be built from tomorrow."""
    raise CannotBeChecked("it builds the target anew every night: run this suite on the newest dependencies in CI")


async def ask_platform(_: Inquiry) -> None:
    """What the platform publishes is no property of a target."""
    raise CannotBeChecked("nightly canary: it watches the platform and production, not one target")


CT_37: Final = Contract(
    id=WIRE,
    title="The wire is what it was when the baseline was accepted",
    about="Upgrades of SDKs change headers, framings and members that no changelog names.",
    incidents=("G-05", "CT-37"),
    severity="serious",
    advice="Compare transcripts on every change of a dependency, and accept each difference by name.",
    source="incidents of class G of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    ask=ask_transcript,
)
CT_38: Final = Contract(
    id="CT-38",
    title="It starts and answers with the dependencies of tonight",
    about="A floating requirement takes a connector down on somebody else's release day.",
    incidents=("G-01", "G-03", "CT-38"),
    severity="serious",
    advice="Every night, resolve the newest allowed dependencies, start the connector, and run this suite.",
    source="incidents G-01 and G-03 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    ask=ask_dependencies,
)
CT_39: Final = Contract(
    id="CT-39",
    title="Somebody notices when the platform changes",
    about="Client documents, keys and the shape of requests change without notice; production shows it first.",
    incidents=("P-02", "P-12", "P-21", "CT-39"),
    severity="serious",
    advice="Fetch and compare what platforms publish every night; alert on requests off the recorded shapes.",
    source="incidents P-02, P-12 and P-21 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    ask=ask_platform,
)
