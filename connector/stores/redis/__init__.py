"""A store in Redis or Valkey: for several processes, where losing the last second in a crash is acceptable."""

from .store import RedisStore

__all__ = ["RedisStore"]
