"""A store by its URL. It decides which driver is meant and whether the URL is one; it connects to nothing.

Drivers of PostgreSQL and Redis are imported here, when a URL names them, and nowhere else.
"""

from collections.abc import Callable
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ..errors import DeclarationError
from .memory import MemoryStore
from .port import Store
from .sqlite import SqliteStore
from .url import shown

SPELLINGS = (
    "memory:, sqlite:///relative/path, sqlite:////absolute/path, postgresql://user@host/database, "
    "redis://host:6379/0 or rediss://host:6379/0"
)

FILES = "write sqlite:///relative/path or sqlite:////absolute/path, with three slashes or four"


def open_store(url: str) -> Store:
    """The store that a URL names. Nothing is connected or created before its first use.

    | URL | store |
    |---|---|
    | `memory:` | this process; forgotten with it |
    | `sqlite:///relative/path`, `sqlite:////absolute/path` | a file; option `?synchronous=normal` |
    | `postgresql://...`, `postgres://...` | PostgreSQL, as libpq reads it |
    | `redis://...`, `rediss://...`, `valkey://...`, `valkeys://...` | Redis or Valkey, without and with TLS |

    Raises:
        DeclarationError: It is no such URL, or its driver is not installed. The text does not repeat a password.
    """
    scheme = url.partition(":")[0].strip().lower() if ":" in url else ""
    if scheme not in OPENERS:
        named = f"has the scheme {scheme!r}" if scheme.replace("+", "").isalnum() else "has no scheme"
        raise DeclarationError(f"the URL of the store {named}: write {SPELLINGS}")
    return OPENERS[scheme](url.strip())


def _memory(url: str) -> Store:
    if url.lower() not in {"memory:", "memory://"}:
        raise DeclarationError(f"{shown(url)!r} says more than a store in memory can be told: write memory:")
    return MemoryStore()


def _sqlite(url: str) -> Store:
    try:
        parts = urlsplit(url)
    except ValueError as raised:
        raise DeclarationError(f"{shown(url)!r} is no URL ({raised}): {FILES}") from None
    path = _path(url, parts)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    synchronous = options.pop("synchronous", "full").lower()
    if options:
        raise DeclarationError(
            f"{shown(url)!r} has the unknown option {next(iter(options))!r}: there is only synchronous"
        )
    if synchronous not in {"full", "normal"}:
        raise DeclarationError(f"{shown(url)!r} has synchronous={synchronous!r}: write full or normal")
    return SqliteStore(path, synchronous=synchronous)


def _path(url: str, parts: SplitResult) -> str:
    """The file that is meant. A third slash ends the (empty) host; the path begins after it."""
    if parts.fragment:
        raise DeclarationError(f"{shown(url)!r} has a `#` in its path: write %23")
    if parts.netloc or not parts.path.startswith("/"):
        raise DeclarationError(f"{shown(url)!r} names no file: {FILES}")
    path = unquote(parts.path[1:])
    if path == ":memory:":
        raise DeclarationError(f"{shown(url)!r} would be forgotten with each connection: write memory:")
    if not path or path.endswith("/") or "\0" in path:
        raise DeclarationError(f"{shown(url)!r} names no file: {FILES}")
    return path


def _postgres(url: str) -> Store:
    try:
        from .postgres import PostgresStore  # noqa: PLC0415  # the driver is an extra
    except ImportError as missing:
        raise _without_driver(missing, "PostgreSQL", "postgres") from missing
    return PostgresStore(url)


def _redis(url: str) -> Store:
    try:
        from .redis import RedisStore  # noqa: PLC0415  # the driver is an extra
    except ImportError as missing:
        raise _without_driver(missing, "Redis", "redis") from missing
    scheme, colon, rest = url.partition(":")
    return RedisStore(scheme.lower().replace("valkey", "redis") + colon + rest)


def _without_driver(missing: ImportError, server: str, extra: str) -> Exception:
    return DeclarationError(
        f"a store in {server} needs a driver that cannot be imported ({missing}): pip install 'mcp-ballast[{extra}]'"
    )


OPENERS: dict[str, Callable[[str], Store]] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "postgres": _postgres,
    "redis": _redis,
    "rediss": _redis,
    "valkey": _redis,
    "valkeys": _redis,
}
