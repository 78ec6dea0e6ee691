"""What can go wrong, named by what the reader may do next.

BallastError
├── DeclarationError   the connector's code or settings must change before it can start
├── StoreTooNew        the store was written by a newer version: upgrade, or name another store
├── StoreUnavailable   the store cannot answer now; it may later
└── ToolFailed         a tool says why it cannot answer; the model reads the sentence
    └── OutcomeUnknown it cannot say either whether its work was done
"""

from mcp.server.mcpserver.exceptions import ToolError


class BallastError(Exception):
    """Anything this package raises on purpose."""


class DeclarationError(BallastError, ValueError):
    """A connector, a tool or a setting is declared wrongly. The message says what to change. Nothing was started."""


class ToolFailed(BallastError, ToolError):
    """Raise it in a tool to answer with `isError: true` and this text.

    The text reaches the model and the person, so it should say what they can do next. Anything else a tool raises
    is logged on the server and answered with a sentence that gives nothing away.
    """


class OutcomeUnknown(ToolFailed):
    """Raise it in a tool that writes when nobody can say whether the work was done: an upstream did not answer, say.

    The text should say how to find out. A retry is told the same, and the work is not begun again.
    """


class StoreUnavailable(BallastError):
    """The store cannot answer now. Nothing is known of what was asked; it can be asked again as it was."""


class StoreTooNew(BallastError):
    """The store's schema was written by a newer version of this library. Upgrade, or name another store."""
