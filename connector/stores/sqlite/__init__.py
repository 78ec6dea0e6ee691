"""The store in a file of SQLite. `SqliteStore` is the way in; the default of a connector."""

from .store import SqliteStore

__all__ = ["SqliteStore"]
