"""Connectors for ChatGPT and other MCP hosts that hold when proxies, retries, deploys and the platform do not."""

from .calls.call import Call
from .declaration import tool
from .errors import (
    BallastError,
    DeclarationError,
    OutcomeUnknown,
    StoreTooNew,
    StoreUnavailable,
    ToolFailed,
)
from .guard import Guard
from .hardening import harden
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
    "BallastError",
    "Call",
    "CapacitySettings",
    "Connector",
    "DeclarationError",
    "DrainSettings",
    "Guard",
    "LimitSettings",
    "OutcomeUnknown",
    "Settings",
    "StoreSettings",
    "StoreTooNew",
    "StoreUnavailable",
    "StreamSettings",
    "ToolFailed",
    "WatchdogSettings",
    "Widget",
    "harden",
    "tool",
]
