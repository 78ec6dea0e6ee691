"""The lock: who may come in, and how a host gets a key."""

from .lock import Fitted, Lock, Place, ToolAccess
from .noticed import Kind, Noticed, Notices, Where

__all__ = ["Fitted", "Kind", "Lock", "Noticed", "Notices", "Place", "ToolAccess", "Where"]
