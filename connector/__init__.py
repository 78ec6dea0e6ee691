"""Connectors for ChatGPT and other MCP hosts that hold when proxies, retries, deploys and the platform do not."""

from .calls.call import Call
from .declaration import tool
from .errors import BallastError, DeclarationError, ToolFailed
from .hardening import harden
from .server import Connector
from .settings import (
    AccessSettings,
    AdaptiveSettings,
    CapacitySettings,
    DrainSettings,
    LimitSettings,
    Settings,
    StreamSettings,
    WatchdogSettings,
)

__all__ = [
    "AccessSettings",
    "AdaptiveSettings",
    "BallastError",
    "Call",
    "CapacitySettings",
    "Connector",
    "DeclarationError",
    "DrainSettings",
    "LimitSettings",
    "Settings",
    "StreamSettings",
    "ToolFailed",
    "WatchdogSettings",
    "harden",
    "tool",
]
