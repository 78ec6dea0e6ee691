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
from .file_settings import FileSettings
from .patience import AnswerSettings
from .tracing import TelemetrySettings

SHORTEST_SECRET = 16
"""Bytes. Shorter ones are words; whether a longer one is random cannot be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """When a quiet reply is committed, and how it is kept warm. Seconds.

    `first_byte`: 1 s keeps any proxy or client from seeing silence (the SDK's first byte comes after 15 s).
    `interval`: 5 s is half of the 10 s after which the strictest proxies of the matrix in docs/proxies.md cut a silence
    (incidents T-01, T-03).
    `jitter`: the fraction by which a pause may be shorter, so that thousands of streams do not beat at once.
    `progress_frames`: beat with `notifications/progress` where the client gave a token, for hosts that reset their
    timer only on those. ChatGPT does not (measured 2026-09-18).
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

    `max_body`: bytes of one request body; 4 MiB is the SDK's own limit, so moving to this class refuses nothing new.
    `threads`: how many `def` tools run at once; the rest wait their turn without blocking the loop.
    `max_result`: bytes of one result; 16 MiB is far above what hosts keep (Claude: about 150,000 characters) and far
    below what hurts a process.
    """

    max_body: int = 4 * 1024 * 1024
    threads: int = 32
    max_result: int = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        _require_positive("max_body", self.max_body)
        _require_positive("threads", self.threads)
        _require_positive("max_result", self.max_result)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacitySettings:
    """Caps on what runs at once (counts), and how long a call waits for room (seconds).

    | setting | default | why |
    |---|---|---|
    | `calls`, `streams` | 500, 400 | together under the 1,024 descriptors most systems give a process |
    | `per_principal` | 64 | one user's fan-out must leave room for others; callers without a name share `calls` |
    | `per_tool`, `tools` | None, {} | the cap of every tool, and of single ones by name; None: only the other caps |
    | `streams_per_principal` | 64 | a host that reopens streams and closes none starves nobody (incident L-01) |
    | `wait` | 0.9 | smooths a burst; nothing is sent meanwhile, so it ends before `first_byte` does |
    | `wait_when_pressed` | 0.1 | instead of `wait` when there is a standing queue, which only makes everybody late |
    | `pressed_after` | 0.25 | how long a queue has stood without a break when it counts as standing |
    | `waiting` | 200 | how many may wait at one cap; the next is refused at once |
    | `back_in` | 5 | what a draining connector tells callers: a restart behind a proxy takes seconds |
    """

    calls: int = 500
    per_principal: int = 64
    per_tool: int | None = None
    tools: Mapping[str, int] = field(default_factory=dict)
    streams: int = 400
    streams_per_principal: int = 64
    wait: float = 0.9
    wait_when_pressed: float = 0.1
    pressed_after: float = 0.25
    waiting: int = 200
    back_in: float = 5.0

    def __post_init__(self) -> None:
        caps = {name: getattr(self, name) for name in ("calls", "per_principal", "streams", "streams_per_principal")}
        caps |= {f"tools[{name!r}]": most for name, most in self.tools.items()}
        caps |= {} if self.per_tool is None else {"per_tool": self.per_tool}
        for name, most in caps.items():
            if most < 1:
                raise DeclarationError(f"{name}={most!r} would refuse everything: set at least 1")
        for name in ("wait", "wait_when_pressed", "pressed_after", "waiting", "back_in"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise DeclarationError(f"{name}={value!r} must be a finite number that is not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveSettings:
    """When streams to a surface are given up for a while, and when they are tried again. Seconds and counts.

    | setting | default | why |
    |---|---|---|
    | `broken`, `of_last` | 3 of 5 | one cut is a person who closed the tab, two are a bad minute |
    | `window` | 600 | a person asks about once a minute, so five answers fit; cuts of an hour ago say nothing of now |
    | `pause` | 60 | a proxy that is being reloaded is back by then; unstreamed answers meanwhile only lose progress |
    | `longest_pause` | 1800 | a proxy that never streams then costs two answers an hour; a mended one is noticed |
    | `probe_patience` | 300 | longer than any known client waits (Claude: 240); then a silent probe counts as lost |
    | `limit_tolerance` | 2 | the client's clock starts earlier than ours by a connection, a TLS handshake and the way |
    """

    broken: int = 3
    of_last: int = 5
    window: float = 600.0
    pause: float = 60.0
    longest_pause: float = 1800.0
    probe_patience: float = 300.0
    limit_tolerance: float = 2.0

    def __post_init__(self) -> None:
        for name in ("window", "pause", "longest_pause", "probe_patience", "limit_tolerance"):
            seconds = getattr(self, name)
            if not (math.isfinite(seconds) and seconds > 0):
                raise DeclarationError(f"{name}={seconds!r} must be a positive, finite number of seconds")
        if not 1 <= self.broken <= self.of_last:
            raise DeclarationError(
                f"broken={self.broken!r} of of_last={self.of_last!r} can never be reached, or always is: "
                "set broken to at least 1 and at most of_last"
            )
        if self.longest_pause < self.pause:
            raise DeclarationError(
                f"longest_pause={self.longest_pause!r} is shorter than pause={self.pause!r}: raise the one or "
                "lower the other"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogSettings:
    """Seconds. A loop whose beat is late by more than `blocked_after` counts as blocked.

    1 s is how long a quiet reply may stay without its first byte, so a longer block breaks what streams promise.
    `interval` is the time between beats, and how much of a block can stay unseen: four timers a second cost nothing.
    """

    blocked_after: float = 1.0
    interval: float = 0.25

    def __post_init__(self) -> None:
        for name in ("blocked_after", "interval"):
            seconds = getattr(self, name)
            if not (math.isfinite(seconds) and seconds > 0):
                raise DeclarationError(f"{name}={seconds!r} must be a positive, finite number of seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where finished calls are kept, and how. Seconds and bytes.

    | setting | default | why |
    |---|---|---|
    | `url` | None | a file under `.ballast`, so that a restart loses nothing; see docs/stores.md for the others |
    | `secrets` | () | the first seals and all open, so a new one goes to the front; none: one is made in the store |
    | `sealed` | None | results are encrypted if there are secrets; True without secrets is refused |
    | `lease` | 20 | a worker that died is noticed by then; renewed four times meanwhile, so one hiccup costs nothing |
    | `grace` | 1 | an equal call so soon after the end is a retry or a double dispatch, not a person (incident D-01) |
    | `join` | 110 | a call waits that long for an equal one elsewhere: less than the 119.8 that ChatGPT waits |
    | `largest` | 262,144 | a result above is kept as its digest; ten times what hosts read of a result |
    | `sweep_every` | 300 | expired rows cost room only; a thousand go at a time |
    """

    url: str | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    sealed: bool | None = None
    lease: float = 20.0
    grace: float = 1.0
    join: float = 110.0
    largest: int = 256 * 1024
    sweep_every: float = 300.0

    def __post_init__(self) -> None:
        for name in ("lease", "join", "largest", "sweep_every"):
            _require_positive(name, getattr(self, name))
        if not (math.isfinite(self.grace) and self.grace >= 0):
            raise DeclarationError(f"grace={self.grace!r} must be a finite number of seconds, 0 or more")
        if self.sealed and not self.secrets:
            raise DeclarationError("sealed=True needs a secret: set BALLAST_SECRET, or secrets=(...)")
        for secret in self.secrets:
            if len(secret.encode()) < SHORTEST_SECRET:
                raise DeclarationError(
                    f"a secret of {len(secret.encode())} bytes can be guessed: use at least {SHORTEST_SECRET}, "
                    "e.g. from `openssl rand -base64 32`"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSettings:
    """The visitors' book (docs/visitors.md). `build` says what is deployed, the connector's version unless it is set.

    `flush_every`: seconds between writes; what a crash can lose of the counts, and often enough for an alarm.
    """

    is_on: bool = True
    build: str | None = None
    flush_every: float = 10.0

    def __post_init__(self) -> None:
        _require_positive("flush_every", self.flush_every)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """Where the connector lives and which names it answers to.

    `public_url` is the origin people and platforms use (`https://invoices.example.com`), without the path of the
    endpoint. `path` is the endpoint's path. `allowed_hosts` and `allowed_origins` add names to `public_url`, loopback
    and the platforms' own origins; everything else is refused, because a page in a browser could otherwise reach a
    local connector by rebinding DNS (MCP transports, "Security Warning").
    `self_check`: once after start-up, fetch a heartbeat stream through `public_url` and log if a proxy holds it back.
    """

    public_url: str | None = None
    path: str = "/mcp"
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    self_check: bool = True

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
    capacity: CapacitySettings = field(default_factory=CapacitySettings)
    adaptive: AdaptiveSettings = field(default_factory=AdaptiveSettings)
    watchdog: WatchdogSettings = field(default_factory=WatchdogSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    files: FileSettings = field(default_factory=FileSettings)
    book: BookSettings = field(default_factory=BookSettings)

    def __post_init__(self) -> None:
        self.files.must_suit(self.access.public_url)

    answer: AnswerSettings = field(default_factory=AnswerSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read every `BALLAST_*` variable of `VARIABLES`; what is unset keeps its default.

        Raises:
            DeclarationError: A variable cannot be read as what it should be. The message names it.
        """
        given: dict[str, dict[str, Any]] = {concern: {} for concern in _CONCERNS}
        source = os.environ if environ is None else environ
        for variable, (concern, name, read) in VARIABLES.items():
            if text := source.get(variable, "").strip():
                given[concern][name] = _read(variable, text, read)
        return cls(**{concern: make(**given[concern]) for concern, make in _CONCERNS.items()})


_CONCERNS: Mapping[str, Callable[..., Any]] = {
    "access": AccessSettings,
    "stream": StreamSettings,
    "limits": LimitSettings,
    "drain": DrainSettings,
    "capacity": CapacitySettings,
    "adaptive": AdaptiveSettings,
    "watchdog": WatchdogSettings,
    "store": StoreSettings,
    "files": FileSettings,
    "book": BookSettings,
    "answer": AnswerSettings,
    "telemetry": TelemetrySettings,
}


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
    "BALLAST_SELF_CHECK": ("access", "self_check", _switch),
    "BALLAST_ALLOWED_ORIGINS": ("access", "allowed_origins", _names),
    "BALLAST_FIRST_BYTE": ("stream", "first_byte", float),
    "BALLAST_HEARTBEAT_INTERVAL": ("stream", "interval", float),
    "BALLAST_HEARTBEAT_JITTER": ("stream", "jitter", float),
    "BALLAST_PROGRESS_FRAMES": ("stream", "progress_frames", _switch),
    "BALLAST_CALLS": ("capacity", "calls", int),
    "BALLAST_CALLS_PER_PRINCIPAL": ("capacity", "per_principal", int),
    "BALLAST_CALLS_PER_TOOL": ("capacity", "per_tool", int),
    "BALLAST_CALL_WAIT": ("capacity", "wait", float),
    "BALLAST_STREAMS": ("capacity", "streams", int),
    "BALLAST_STREAMS_PER_PRINCIPAL": ("capacity", "streams_per_principal", int),
    "BALLAST_BLOCKED_AFTER": ("watchdog", "blocked_after", float),
    "BALLAST_DRAIN": ("drain", "within", float),
    "BALLAST_DRAIN_NOTICE": ("drain", "notice", float),
    "BALLAST_STORE": ("store", "url", str),
    "BALLAST_SECRET": ("store", "secrets", _names),
    "BALLAST_SEALED": ("store", "sealed", _switch),
    "BALLAST_LEASE": ("store", "lease", float),
    "BALLAST_GRACE": ("store", "grace", float),
    "BALLAST_BOOK": ("book", "is_on", _switch),
    "BALLAST_BUILD": ("book", "build", str),
    "BALLAST_ANSWER_LIMIT": ("answer", "otherwise", float),
    "BALLAST_ANSWER_MARGIN": ("answer", "margin", float),
    "BALLAST_OPERATIONS_KEPT": ("answer", "kept", float),
    "BALLAST_RESULT_BUDGET": ("answer", "budget", int),
    "BALLAST_SPANS": ("telemetry", "spans", str),
    "BALLAST_MAX_BODY": ("limits", "max_body", int),
    "BALLAST_MAX_RESULT": ("limits", "max_result", int),
    "BALLAST_THREADS": ("limits", "threads", int),
    "BALLAST_FILES_LARGEST": ("files", "largest", int),
    "BALLAST_FILES_WITHIN": ("files", "within", float),
    "BALLAST_FILES_MEMORY": ("files", "memory", int),
    "BALLAST_FILES_HOSTS": ("files", "hosts", _names),
    "BALLAST_FILES_LOOPBACK": ("files", "loopback", _switch),
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
