"""Connectors for ChatGPT and other MCP hosts that hold when proxies, retries, deploys and the platform do not."""

from .calls.call import Call
from .declaration import tool
from .errors import BallastError, DeclarationError, ToolFailed
from .server import Connector
from .settings import AccessSettings, DrainSettings, LimitSettings, Settings, StreamSettings

__all__ = [
    "AccessSettings",
    "BallastError",
    "Call",
    "Connector",
    "DeclarationError",
    "DrainSettings",
    "LimitSettings",
    "Settings",
    "StreamSettings",
    "ToolFailed",
    "tool",
]
