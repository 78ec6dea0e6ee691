"""A store in PostgreSQL: for several processes on several machines, and for what must not be lost."""

from .store import PostgresStore

__all__ = ["PostgresStore"]
