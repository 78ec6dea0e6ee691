"""One POST in, one reply out: JSON if the answer is quick, otherwise a reply that is committed early and kept warm.

    waiting ──answer──────────────────────────────► JSON, done
       └──first_byte passed, or something to say──► streaming ──answer──► last frame, done

A quick answer costs one timer and no task: the work runs in the request's own task, and only when it is late does
the heart beat for it, and a watch on the client start beside it. (A task group per request was measured at 160 to 230
microseconds, more than a third of a whole exchange.) This module knows asyncio and ASGI; it does not know MCP, nor
the SDK.
"""

import asyncio
import inspect
import json
import random
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from time import monotonic
from typing import Any, ClassVar, Final, Protocol, Self

import pydantic_core
from starlette.types import Receive, Send

from ..settings import StreamSettings

OK: Final = 200

JSON: Final = (b"content-type", b"application/json")

UNBUFFERED: Final = (
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)
"""What nginx and other proxies need to pass every byte on at once (incident T-04)."""

EVENTS: Final = ((b"content-type", b"text/event-stream"), *UNBUFFERED)

HEARTBEAT_COMMENT: Final = b": still working\n\n"
"""An SSE comment: every client drops it (WHATWG HTML, "Interpreting an event stream")."""

HEARTBEAT_SPACE: Final = b" "
"""White space before a JSON text is allowed (RFC 8259 section 2)."""

_JITTER: Final = random.Random()  # noqa: S311  # spreads heartbeats; its own, so that nobody's seed is disturbed


REPLY: Final = "ballast.reply"
"""Where a request's scope holds what tells whether its answer was delivered: an object with `when_ended`."""


class Framing(Enum):
    """How a late reply is framed. An answer that is quick is JSON in the first two."""

    JSON_OR_EVENTS = "json or events"
    JSON_ONLY = "json only"
    EVENTS_ONLY = "events only"


class Mode(Enum):
    """How a reply went out. The values are labels of metrics."""

    JSON = "json"
    WARM_JSON = "warm json"
    """White space first, while the answer was made."""
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Answer:
    """The final JSON text and the HTTP status it deserves. The status is lost if the reply was already committed."""

    body: bytes
    status: int = OK


class ClientGone(Exception):
    """The client went away and the work was ended because of it."""


class Stopped(Exception):
    """The work was stopped from outside (`Exchange.stop`); the client is still there and owed an answer."""


class Beating(Protocol):
    """What the heart beats for."""

    def beat(self) -> None:
        """Send a heartbeat, and join again for the next one."""


class Heart:
    """Beats for all late replies of one process with one timer: a timer of the loop for each weighed 680 bytes on
    uvloop, more than everything else an exchange keeps.

    Time is cut into grains; a beat comes up to a grain too early, and never late by design.
    """

    _GRAINS: Final = 50
    """Of one interval: some 200 of 10,000 replies beat at once, which takes about 10 ms."""

    def __init__(self, policy: StreamSettings) -> None:
        self.policy = policy
        self._grain = policy.interval / self._GRAINS
        self._due: dict[int, set[Beating]] = {}
        self._ticked = 0
        self._timer: asyncio.TimerHandle | None = None

    def join(self, member: Beating) -> int:
        """Beat for `member` once, within the interval. Gives the grain, to `leave` it before."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._timer is None:
            self._ticked = int(now / self._grain)
            self._tick_later(loop)
        grain = max(self._ticked + 1, int((now + pause_of(self.policy)) / self._grain))
        self._due.setdefault(grain, set()).add(member)
        return grain

    def leave(self, member: Beating, grain: int) -> None:
        """Do not beat for `member`."""
        self._due.get(grain, set()).discard(member)

    def _tick_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_at((self._ticked + 1) * self._grain, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = max(self._ticked + 1, int(loop.time() / self._grain))  # after a block there may be many at once
        grains = [grain for grain in self._due if grain <= now]
        members = [member for grain in grains for member in self._due.pop(grain)]
        self._ticked, self._timer = now, None
        if self._due or members:
            self._tick_later(loop)
        for member in members:
            member.beat()


def pause_of(policy: StreamSettings) -> float:
    """Seconds to the next heartbeat: never longer than the interval, and spread out."""
    return policy.interval * (1 - policy.jitter * _JITTER.random())


class Exchange:
    """The reply to one POST."""

    __slots__ = (
        "_beat_with", "_ended", "_ends_with_client", "_framing", "_gone", "_grain", "_heart", "_lock", "_pulse",
        "_receive", "_send", "_started", "_stopped", "_task", "_tell", "_timer", "_warm", "_watch", "gone_at",
    )  # fmt: skip

    heartbeats: ClassVar[int] = 0
    """How many were sent by this process."""

    def __init__(self, receive: Receive, send: Send, *, framing: Framing, heart: Heart) -> None:
        self._receive = receive
        self._send = send
        self._framing = framing
        self._heart = heart
        self._grain = 0
        self._warm = self._started = self._ended = self._gone = self._stopped = self._ends_with_client = False
        self._lock: asyncio.Lock | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pulse: asyncio.Task[None] | None = None
        self._watch: asyncio.Future[MutableMapping[str, Any]] | None = None
        self._task: asyncio.Task[Any] | None = None
        self._beat_with: Callable[[], bytes] | None = None
        self._tell: Callable[[bool], None] | None = None
        self.gone_at: float | None = None
        """When the client was seen to go away, in seconds on the monotonic clock."""

    @property
    def is_abandoned(self) -> bool:
        """Whether the client was seen to go away before the answer was complete."""
        return self._gone

    @property
    def was_streamed(self) -> bool:
        """Whether the reply was committed as an event stream before its answer was there."""
        return self._warm and self._framing is not Framing.JSON_ONLY

    @property
    def mode(self) -> Mode:
        """How the reply went out. (An error that was quick is JSON for everybody.)"""
        if self._framing is Framing.JSON_ONLY:
            return Mode.WARM_JSON if self._warm else Mode.JSON
        return Mode.EVENTS if self._warm or self._framing is Framing.EVENTS_ONLY else Mode.JSON

    @property
    def was_stopped(self) -> bool:
        """Whether the work was ended by `stop`."""
        return self._stopped

    @property
    def was_delivered(self) -> bool:
        """Whether the last bytes were handed over while the client was there. A proxy may still have lost them."""
        return self._ended and not self._gone

    def has_left(self) -> bool:
        """Whether the client is known to be gone, be it that it was only noticed by asking now."""
        return self._gone or (self._watch is None and has_left(self._receive))

    def working(self, *, ends_with_client: bool) -> Self:
        """`with exchange.working(...)`: keep the line warm while the body of the `with` makes the answer.

        With `ends_with_client` the work is cancelled when the client goes away; without, it runs to its end and the
        answer is dropped here. (A context manager, because a coroutine around the work would be one more frame that
        every quiet stream holds.)

        Raises:
            ClientGone: On leaving. The client went away and the work was cancelled.
            Stopped: On leaving. `stop` was called; deliver something else.
        """
        self._task = asyncio.current_task()
        self._ends_with_client = ends_with_client
        self._timer = asyncio.get_running_loop().call_later(self._heart.policy.first_byte, self._keep_warm)
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        task, self._task = self._task, None
        self._stop_waiting()
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            is_ours = self._stopped or (self._gone and self._ends_with_client)
            if is_ours and task is not None and task.uncancel() == 0:
                raise (Stopped if self._stopped and not self._gone else ClientGone) from None
            self._give_up()

    def stop(self) -> None:
        """Cancel the work, whatever it is; `working` then raises `Stopped`."""
        if self._task is not None and not self._stopped:
            self._stopped = True
            self._task.cancel()

    def when_ended(self, tell: Callable[[bool], None]) -> None:
        """Have `tell` called when the exchange is over, with whether its answer was delivered."""
        self._tell = tell

    def end(self) -> None:
        """The exchange is over, however it went."""
        if self._tell is not None:
            self._tell(self.was_delivered)

    def beat_with(self, message: Callable[[], bytes]) -> None:
        """Let heartbeats be messages, where the client reads events, instead of comments."""
        self._beat_with = message

    async def say(self, message: bytes) -> None:
        """Send a message before the answer, if the client reads events; this commits the reply as a stream."""
        if self._framing is not Framing.JSON_ONLY and not self._gone:
            self._begin_warming()
            await self._write(_event(message))

    async def commit(self) -> None:
        """Commit the reply as a stream without saying anything yet."""
        if self._framing is not Framing.JSON_ONLY and not self._started:
            self._begin_warming()
            await self._write(HEARTBEAT_COMMENT)

    async def deliver(self, answer: Answer) -> None:
        """Send the last of the reply, as what it has become: plain JSON, an event, or the end of a warm JSON text."""
        self._stop_beating()
        if self._gone:
            return
        has_gone = self._tell is not None and not self._warm and has_left(self._receive)
        is_event = self._framing is Framing.EVENTS_ONLY and answer.status == OK
        if self._warm or is_event:
            await self._write(answer.body if self._framing is Framing.JSON_ONLY else _event(answer.body), more=False)
        else:
            await send_json(self._send, answer)
            self._ended = True
        self._gone = self._gone or has_gone

    def beat(self) -> None:
        """Send a heartbeat, and see to the next one."""
        self._grain = self._heart.join(self)
        if self._pulse is None:  # a client that does not read gets no heartbeats piled up
            self._pulse = asyncio.create_task(self._heartbeat())

    def _keep_warm(self) -> None:
        self._begin_warming()
        self._heart.leave(self, self._grain)
        self.beat()

    def _begin_warming(self) -> None:
        if not self._warm and not self._ended:
            self._stop_waiting()
            self._warm = True
            self._watch_client()
            self._grain = self._heart.join(self)

    async def _heartbeat(self) -> None:
        Exchange.heartbeats += 1
        try:
            with suppress(OSError):  # some servers raise at a dead socket; the watch says that the client is gone
                if self._framing is Framing.JSON_ONLY:
                    await self._write(HEARTBEAT_SPACE)
                else:
                    await self._write(HEARTBEAT_COMMENT if self._beat_with is None else _event(self._beat_with()))
        finally:
            self._pulse = None

    def _watch_client(self) -> None:
        self._watch = asyncio.ensure_future(self._receive())
        self._watch.add_done_callback(self._hear)

    def _hear(self, heard: asyncio.Future[MutableMapping[str, Any]]) -> None:
        if heard.cancelled():
            return
        if heard.result()["type"] != "http.disconnect":
            self._watch_client()
            return
        self._gone = True
        self.gone_at = monotonic()
        self._stop_beating()
        if self._task is not None and self._ends_with_client:
            self._task.cancel()

    def _give_up(self) -> None:
        self._gone = True
        self._stop_beating()
        if self._watch is not None:
            self._watch.cancel()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_beating(self) -> None:
        self._stop_waiting()
        self._heart.leave(self, self._grain)

    async def _write(self, body: bytes, *, more: bool = True) -> None:
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:  # heartbeats and the work both write; the head must be out before any body
            if self._ended or self._gone:
                return
            if not self._started:
                self._started = True
                head = (JSON, *UNBUFFERED) if self._framing is Framing.JSON_ONLY else EVENTS
                await self._send({"type": "http.response.start", "status": OK, "headers": head})
            await self._send({"type": "http.response.body", "body": body, "more_body": more})
            if not more:
                self._ended = True
                if self._watch is not None:
                    self._watch.cancel()


def has_left(receive: Receive) -> bool:
    """Whether the client is known to be gone, without waiting for it to go. To be asked when the body was read.

    ASGI has no such question, so one step of the answer is taken: a server that knows says so at once.
    """
    hearing = receive()
    if not inspect.iscoroutine(hearing):
        return False
    try:
        hearing.send(None)
    except StopIteration as heard:
        return bool(heard.value["type"] == "http.disconnect")
    hearing.close()
    return False


async def send_json(send: Send, answer: Answer, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Send a whole JSON reply."""
    length = (b"content-length", str(len(answer.body)).encode())
    await send({"type": "http.response.start", "status": answer.status, "headers": (JSON, length, *headers)})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


def encode(value: Any) -> bytes:
    """JSON on one line, as UTF-8. NaN and the infinities, which JSON lacks, become null; lone surrogates stay
    escaped.
    """
    try:
        return pydantic_core.to_json(value, inf_nan_mode="null")
    except pydantic_core.PydanticSerializationError:
        return json.dumps(value, separators=(",", ":")).encode()


def _event(message: bytes) -> bytes:
    return b"event: message\ndata: " + message + b"\n\n"
