"""What a failure means for the people who use the connector, by cause: sentences for the page, and who is hit.

A session that breaks for any server on the page has to be named here once; a test sees to that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contract_tests import Run


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why sessions break: what the server does, what a person sees, and the sessions that show it."""

    title: str
    people: str
    sessions: tuple[str, ...]


CAUSES = (
    Cause(
        title="A request of the older revisions without a session id is refused with 400",
        people="ChatGPT's tools are listed and then every call fails; the person reads that the tool is not available. "
        "Copilot Studio cannot connect at all.",
        sessions=(
            "call-absent-meta", "call-minimal-meta", "call-model-legacy", "call-slow-60", "create-without-discover",
            "legacy-2024-11-05-copilot", "legacy-2025-03-26", "legacy-2025-06-18", "refresh-action-id",
            "run-2026-05-planes", "run-2026-08-sessionless", "serial-3",
        ),
    ),
    Cause(
        title="An unknown session id is answered with 400 where 404 is meant",
        people="After a deployment Claude goes on with the old session and the connector stays broken until somebody "
        "removes it and adds it again.",
        sessions=("claude-stale-session",),
    ),
    Cause(
        title="`Accept` without both media types is refused with 406",
        people="Hosts that accept only event streams (ElevenLabs), or anything (Claude in March 2026, Azure agents), "
        "cannot connect. Some took the 406 for a request to log in.",
        sessions=(
            "azure-2024-11-05", "claude-web-2025-11-25", "create-noauth-modern-sse", "elevenlabs-stream-only",
        ),
    ),
    Cause(
        title="GET is answered with 400, with 405 that names no other method, or with a stream that says nothing",
        people="The availability probe takes the connector for down; a platform that listens waits until it gives up "
        "(424 in ChatGPT), and after an idle time it asks again and again instead of refreshing its token.",
        sessions=("get-after-idle", "run-2025-11-listening", "scan-tools-aiohttp"),
    ),
    Cause(
        title="A body that names no method is refused with 400",
        people="Creating the connector failed in the user interface although every real request would have worked. "
        "One source.",
        sessions=("probe-methodless",),
    ),
    Cause(
        title="The well-known addresses of a server without OAuth answer with a page",
        people="404 is right, and the page is harmless until something before the server turns it into 200: then "
        "ChatGPT tries to log in to a server that has no login.",
        sessions=("noauth-well-known",),
    ),
)  # fmt: skip


def unexplained(runs: Sequence[Run]) -> set[str]:
    """Sessions that broke and belong to no cause. Contracts say themselves what they are for."""
    known = {session for cause in CAUSES for session in cause.sessions}
    return {one.id for run in runs for one in run.sessions if one.findings and not one.severity} - known
