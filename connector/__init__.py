"""Connectors for ChatGPT and other MCP hosts that hold when proxies, retries, deploys and the platform do not."""

from .calls.call import Call
from .calls.deadline import NotEnoughTime
from .calls.paging import Page
from .declaration import tool
from .errors import (
    BallastError,
    DeclarationError,
    OutcomeUnknown,
    StoreTooNew,
    StoreUnavailable,
    ToolFailed,
)
from .file_settings import FileSettings
from .files.declaring import accepts
from .files.file import File
from .files.refusals import FileRefused
from .guard import Guard
from .hardening import harden
from .patience import AnswerSettings
from .server import Connector
from .settings import (
    AccessSettings,
    AdaptiveSettings,
    CapacitySettings,
    DrainSettings,
    LimitSettings,
    Settings,
    StoreSettings,
    StreamSettings,
    WatchdogSettings,
)
from .widget import Widget

__all__ = [
    "AccessSettings",
    "AdaptiveSettings",
    "AnswerSettings",
    "BallastError",
    "Call",
    "CapacitySettings",
    "Connector",
    "DeclarationError",
    "DrainSettings",
    "File",
    "FileRefused",
    "FileSettings",
    "Guard",
    "LimitSettings",
    "NotEnoughTime",
    "OutcomeUnknown",
    "Page",
    "Settings",
    "StoreSettings",
    "StoreTooNew",
    "StoreUnavailable",
    "StreamSettings",
    "ToolFailed",
    "WatchdogSettings",
    "Widget",
    "accepts",
    "harden",
    "tool",
]
