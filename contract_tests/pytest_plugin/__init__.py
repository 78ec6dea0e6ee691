"""Sessions as pytest items, and what the fixtures of `_mcp_ballast_pytest` give. For those who use them only."""

from .fixtures import Check, Replay, Servers
from .items import collect_sessions
from .parametrizing import parametrize

__all__ = ["Check", "Replay", "Servers", "collect_sessions", "parametrize"]
