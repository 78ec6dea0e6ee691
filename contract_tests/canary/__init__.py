"""The canary: asks the platform itself, before users meet what it has changed.

Three ways, each switched on by the configuration and none of them able to hide the others: documents that the platform
publishes, against what they were; its API, as a live caller of the connector; the newest client library, against the
pinned one.
"""

from .findings import Change, Part, Report, Severity, Standing
from .report import as_lines, document, write_json
from .running import run_canary
from .settings import Settings, to_settings

__all__ = [
    "Change",
    "Part",
    "Report",
    "Settings",
    "Severity",
    "Standing",
    "as_lines",
    "document",
    "run_canary",
    "to_settings",
    "write_json",
]
