"""Settings: one frozen value per concern, from keyword arguments or from `BALLAST_*` in the environment.

An argument wins over the environment, the environment over the default. Reading happens once, at construction.
"""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from .errors import DeclarationError


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """When a quiet reply is committed, and how often it is kept warm. Seconds.

    `first_byte`: 1 s keeps any proxy or client from seeing silence (the SDK's first byte comes after 15 s).
    `interval`: 5 s is a third of the shortest idle cut that was measured, 15 s (facts on proxies; incidents T-01,
    T-03).
    """

    first_byte: float = 1.0
    interval: float = 5.0

    def __post_init__(self) -> None:
        _require_positive("first_byte", self.first_byte)
        _require_positive("interval", self.interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """What one process takes on.

    `max_body`: bytes of one request body; 4 MiB is the SDK's own limit, so moving to this class refuses nothing new.
    `threads`: how many `def` tools run at once; the rest wait their turn without blocking the loop.
    """

    max_body: int = 4 * 1024 * 1024
    threads: int = 32

    def __post_init__(self) -> None:
        _require_positive("max_body", self.max_body)
        _require_positive("threads", self.threads)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """Where the connector lives and which names it answers to.

    `public_url` is the origin people and platforms use (`https://invoices.example.com`), without the path of the
    endpoint. `path` is the endpoint's path. `allowed_hosts` and `allowed_origins` add names to `public_url`, loopback
    and the platforms' own origins; everything else is refused, because a page in a browser could otherwise reach a
    local connector by rebinding DNS (MCP transports, "Security Warning").
    """

    public_url: str | None = None
    path: str = "/mcp"
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or self.path == "/":
            raise DeclarationError(f"path {self.path!r} must begin with a slash and name something, e.g. '/mcp'")
        if self.public_url is not None:
            _require_origin(self.public_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a connector. `Settings.from_environment()` reads the `BALLAST_*` variables."""

    access: AccessSettings = field(default_factory=AccessSettings)
    stream: StreamSettings = field(default_factory=StreamSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read every `BALLAST_*` variable of `VARIABLES`; what is unset keeps its default.

        Raises:
            DeclarationError: A variable cannot be read as what it should be. The message names it.
        """
        given: dict[str, dict[str, Any]] = {"access": {}, "stream": {}, "limits": {}}
        source = os.environ if environ is None else environ
        for variable, (concern, name, read) in VARIABLES.items():
            if text := source.get(variable, "").strip():
                given[concern][name] = _read(variable, text, read)
        return cls(
            access=AccessSettings(**given["access"]),
            stream=StreamSettings(**given["stream"]),
            limits=LimitSettings(**given["limits"]),
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


VARIABLES: Mapping[str, tuple[str, str, Callable[[str], Any]]] = {
    "BALLAST_PUBLIC_URL": ("access", "public_url", str),
    "BALLAST_PATH": ("access", "path", str),
    "BALLAST_ALLOWED_HOSTS": ("access", "allowed_hosts", _names),
    "BALLAST_ALLOWED_ORIGINS": ("access", "allowed_origins", _names),
    "BALLAST_FIRST_BYTE": ("stream", "first_byte", float),
    "BALLAST_HEARTBEAT_INTERVAL": ("stream", "interval", float),
    "BALLAST_MAX_BODY": ("limits", "max_body", int),
    "BALLAST_THREADS": ("limits", "threads", int),
}
"""Environment variable → (concern, field, how its text is read)."""


def _read(variable: str, text: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(text)
    except ValueError:
        raise DeclarationError(f"{variable}={text!r} cannot be read as {read.__name__}; set a number") from None


def _require_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise DeclarationError(f"{name}={value!r} must be a positive, finite number")


def _require_origin(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise DeclarationError(
            f"public_url {url!r} needs a scheme and a host: write it as people reach it, "
            "e.g. 'https://connector.example.com'"
        )
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise DeclarationError(
            f"public_url {url!r} must be an origin only: leave out what is behind the host (path= is the endpoint)"
        )
