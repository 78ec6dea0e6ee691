"""Contract tests for MCP servers: replay how ChatGPT and other hosts call them.

    with open_target("myserver:app") as target:
        run = anyio.run(play_sessions, load_sessions(), target)

This is a product, to import and to run (`mcp-ballast test`); this project's own tests are in tests/.
"""

from .errors import BallastTestError
from .notation.corpus import choose, load_sessions
from .notation.session import Session
from .outcome import Finding, Run, SessionRun, Verdict
from .play import Options, play_sessions, with_spans
from .recording.middleware import Recorder
from .target.opening import open_target
from .target.target import Target

__all__ = [
    "BallastTestError",
    "Finding",
    "Options",
    "Recorder",
    "Run",
    "Session",
    "SessionRun",
    "Target",
    "Verdict",
    "choose",
    "load_sessions",
    "open_target",
    "play_sessions",
    "with_spans",
]
