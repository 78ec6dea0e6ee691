"""One PostgreSQL and one Redis for all tests of a process that only need an empty store."""

import functools
import itertools
from contextlib import ExitStack
from typing import Final

import psycopg
import redis

from tests.stores.servers import Server, postgres_server, redis_server

_RUNNING: Final = ExitStack()
_NUMBERS: Final = itertools.count()


def empty_postgres() -> str:
    """The URL of a schema without tables. Skips the test where there is no server."""
    url = _postgres().url
    schema = f"test_{next(_NUMBERS)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    return f"{url}?options=-csearch_path%3D{schema}"


def empty_redis() -> str:
    """The URL of a database without keys. Skips the test where there is no server."""
    url = _redis().url
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


def stop_shared() -> None:
    """Stop what was started."""
    _RUNNING.close()
    _postgres.cache_clear()
    _redis.cache_clear()


@functools.cache
def _postgres() -> Server:
    return _RUNNING.enter_context(postgres_server("max_connections=200"))  # a check may open 30 clients


@functools.cache
def _redis() -> Server:
    return _RUNNING.enter_context(redis_server())
