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
    """When a quiet reply is committed, and how it is kept warm. Seconds.

    `first_byte`: 1 s keeps any proxy or client from seeing silence (the SDK's first byte comes after 15 s).
    `interval`: 5 s is a third of the shortest idle cut that was measured, 15 s (facts on proxies; incidents T-01,
    T-03).
    """

    first_byte: float = 1.0
    interval: float = 5.0
    jitter: float = 0.2
    progress_frames: bool = False

    def __post_init__(self) -> None:
        _require_positive("first_byte", self.first_byte)
        _require_positive("interval", self.interval)
        if not 0 <= self.jitter < 1:
            raise DeclarationError(f"jitter={self.jitter!r} must be a fraction of the interval: 0 or more, below 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainSettings:
    """How a process leaves after SIGTERM. Seconds.

    `notice`: how long it goes on listening with `/ready` failing, so that balancers send new calls elsewhere before
    it is gone; two checks of HAProxy's default interval would be 4, an interval of 500 ms needs 1. `within`: how long
    calls in flight may take, counted from the signal; ChatGPT itself gives up a call at 119.8 s.
    """

    notice: float = 1.0
    within: float = 30.0

    def __post_init__(self) -> None:
        _require_positive("within", self.within)
        if not (math.isfinite(self.notice) and 0 <= self.notice < self.within):
            raise DeclarationError(f"notice={self.notice!r} must be 0 or more, and less than within={self.within!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """What one process takes on.

    `idle_streams`: streams that clients hold open with nothing to say; one more is answered 405, which clients take
    for "none".

    `max_body`: bytes of one request body; 4 MiB is the SDK's own limit, so moving to this class refuses nothing new.
    `threads`: how many `def` tools run at once; the rest wait their turn without blocking the loop.
    """

    max_body: int = 4 * 1024 * 1024
    threads: int = 32
    idle_streams: int = 10_000

    def __post_init__(self) -> None:
        _require_positive("max_body", self.max_body)
        _require_positive("threads", self.threads)
        _require_positive("idle_streams", self.idle_streams)


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
    drain: DrainSettings = field(default_factory=DrainSettings)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read every `BALLAST_*` variable of `VARIABLES`; what is unset keeps its default.

        Raises:
            DeclarationError: A variable cannot be read as what it should be. The message names it.
        """
        given: dict[str, dict[str, Any]] = {concern: {} for concern in ("access", "stream", "limits", "drain")}
        source = os.environ if environ is None else environ
        for variable, (concern, name, read) in VARIABLES.items():
            if text := source.get(variable, "").strip():
                given[concern][name] = _read(variable, text, read)
        return cls(
            access=AccessSettings(**given["access"]),
            stream=StreamSettings(**given["stream"]),
            limits=LimitSettings(**given["limits"]),
            drain=DrainSettings(**given["drain"]),
        )


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _switch(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


VARIABLES: Mapping[str, tuple[str, str, Callable[[str], Any]]] = {
    "BALLAST_PUBLIC_URL": ("access", "public_url", str),
    "BALLAST_PATH": ("access", "path", str),
    "BALLAST_ALLOWED_HOSTS": ("access", "allowed_hosts", _names),
    "BALLAST_ALLOWED_ORIGINS": ("access", "allowed_origins", _names),
    "BALLAST_FIRST_BYTE": ("stream", "first_byte", float),
    "BALLAST_HEARTBEAT_INTERVAL": ("stream", "interval", float),
    "BALLAST_HEARTBEAT_JITTER": ("stream", "jitter", float),
    "BALLAST_PROGRESS_FRAMES": ("stream", "progress_frames", _switch),
    "BALLAST_DRAIN": ("drain", "within", float),
    "BALLAST_DRAIN_NOTICE": ("drain", "notice", float),
    "BALLAST_MAX_BODY": ("limits", "max_body", int),
    "BALLAST_IDLE_STREAMS": ("limits", "idle_streams", int),
    "BALLAST_THREADS": ("limits", "threads", int),
}
"""Environment variable → (concern, field, how its text is read)."""


_WANTED: Mapping[Callable[[str], Any], str] = {
    float: "a number, e.g. 2.5",
    int: "a whole number, e.g. 100",
    _switch: "true or false",
}


def _read(variable: str, text: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(text)
    except ValueError:
        wanted = _WANTED.get(read, "a text")
        raise DeclarationError(f"{variable}={text!r} cannot be read: set {wanted}") from None


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
