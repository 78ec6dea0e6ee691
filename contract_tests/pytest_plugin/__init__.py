"""Sessions as pytest items, and what the fixtures of `_mcp_ballast_pytest` give. For those who use them only."""

from .fixtures import Replay, Servers
from .items import collect_sessions

__all__ = ["Replay", "Servers", "collect_sessions"]
