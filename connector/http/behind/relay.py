"""The reply to one HTTP request, taken from another ASGI app, put into a frame its client reads, and kept warm.

    waiting ──a whole reply────► passed on as it is
       ├──a stream of events───► passed on event by event, comments between them while the app is silent
       └──first_byte passed────► committed: comments or white space, then the app's answer as event or JSON

The app runs in the request's own task; as long as it is quick, one timer is all that is added. Knows ASGI, and that a
request is owed an answer; does not know which app this is.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from pydantic_core import from_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...settings import StreamSettings
from ...telemetry.failures import log_crash
from ..exchange import HEARTBEAT_COMMENT, OK, REPLY, Framing, Mode, encode
from ..load.refusing import LOOK_FIRST, answer_of, restarting
from ..request.cors import Lines
from ..request.reading import INVALID_REQUEST, Asked, Refused
from .events import Splitter, as_event, data_of, names_itself
from .line import Canned, Line, Stage

logger = logging.getLogger("ballast.http")

INTERNAL_ERROR: Final = -32603

_CLIENT_FAULT: Final = 400
_SERVER_FAULT: Final = 500

_FAILED: Final = f"The server failed before it answered. {LOOK_FIRST}"
_ENDED: Final = f"The server ended its reply without an answer. {LOOK_FIRST}"
_ASKED_BACK: Final = (
    "The server asked the client for {!r} in its reply, and a client that accepts only JSON cannot be asked: "
    "send Accept: application/json, text/event-stream"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the client takes for an answer.

    `asked` is the request, if one was made that is owed an answer. `instead` replaces whole replies by their status.
    `lines` let a page read the reply, where the app does not see to that itself. `unsaid` are names of the app's lines
    that are kept from the client.
    """

    framing: Framing = Framing.EVENTS_ONLY
    asked: Asked | None = None
    instead: Mapping[int, Canned] = field(default_factory=dict)
    lines: Lines = ()
    unsaid: frozenset[bytes] = frozenset()


class Relay:
    """One run of an app: it hears what the client sends, the client what it says."""

    def __init__(self, receive: Receive, send: Send, *, expected: Expected, policy: StreamSettings) -> None:
        self._receive = receive
        self._expected = expected
        self._first_byte = policy.first_byte
        self._line = Line(send, expected.framing, policy, expected.lines)
        self._carry = self._pass_on
        self._body: bytes | None = None
        self._status: int | None = None
        self._is_late = self._is_gone = self._is_resumable = self._is_stopped = False
        self._task: asyncio.Task[Any] | None = None
        self._tell: Callable[[bool], None] | None = None
        self._whole: list[bytes] = []
        self._splitter = Splitter()
        self._last_event = b""
        self.gone_at: float | None = None
        """When the client was seen to go away, in seconds on the monotonic clock."""

    async def run(self, app: ASGIApp, scope: Scope, body: bytes | None = None) -> None:
        """Let `app` reply. A `body` that was read already is handed to it first. If it fails or ends too early, its
        client is told so.
        """
        self._body, self._task = body, asyncio.current_task()
        scope = {**scope, REPLY: self}
        timer = asyncio.get_running_loop().call_later(self._first_byte, self._on_late)
        try:
            await app(scope, self._hear, self._take)
            await self._make_up_for(self._refused(_ENDED))
        except asyncio.CancelledError:
            if not self._is_stopped or self._task is None or self._task.uncancel() > 0:
                raise
            await self._make_up_for(restarting(self._id))
        except Exception as raised:
            if self._is_gone or self._line.stage is Stage.BROKEN:
                logger.debug("The app failed when its client had gone", exc_info=raised)
            else:
                log_crash("The app behind the door failed", raised)
                await self._make_up_for(self._refused(_FAILED))
        finally:
            self._task = None
            timer.cancel()
            self._line.rest()
            if self._tell is not None:
                self._tell(self.was_delivered)

    @property
    def was_streamed(self) -> bool:
        """Whether it went out as an event stream."""
        return self._line.is_stream

    @property
    def mode(self) -> Mode:
        """How the reply went out."""
        if self._line.is_stream:
            return Mode.EVENTS
        return Mode.WARM_JSON if self._is_late else Mode.JSON

    @property
    def was_stopped(self) -> bool:
        """Whether the app's run was ended by `stop`."""
        return self._is_stopped

    @property
    def was_delivered(self) -> bool:
        """Whether the last bytes were handed over while the client was there."""
        return self._line.stage is Stage.ENDED and not self._is_gone

    def has_left(self) -> bool:
        """Whether the client was seen to go away."""
        return self._is_gone

    def when_ended(self, tell: Callable[[bool], None]) -> None:
        """Have `tell` called when the reply is over, with whether it was delivered."""
        self._tell = tell

    def stop(self) -> None:
        """End the app's run. Who is owed an answer is told; a stream that owes none ends properly."""
        if self._task is not None and not self._is_stopped:
            self._is_stopped = True
            self._task.cancel()

    async def _hear(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        message = await self._receive()
        if message["type"] == "http.disconnect":
            if self._line.stage is not Stage.ENDED:
                self._is_gone, self.gone_at = True, monotonic()
            self._line.rest()
        return message

    async def _take(self, message: Message) -> None:
        if self._line.stage is Stage.ENDED:
            return  # an answer was picked from the app's events; nobody waits for more
        if message["type"] == "http.response.start":
            await self._begin(message["status"], tuple(message.get("headers", ())))
        elif message["type"] == "http.response.body":
            await self._carry(message.get("body", b""), bool(message.get("more_body")))

    def _on_late(self) -> None:
        """Commit a reply that is late, unless its head is not ours to invent: the status of what is no request, and
        the session id in a handshake's, without which nothing could follow.
        """
        self._is_late = True
        asked = self._expected.asked
        is_ours = asked is not None and (self._status == OK or (self._status is None and asked.method != "initialize"))
        if not self._is_gone and (is_ours or self._line.stage is Stage.KEPT):
            self._line.keep_warm()

    async def _begin(self, status: int, lines: Lines) -> None:
        self._status = status
        said = tuple(line for line in lines if line[0].lower() not in self._expected.unsaid)
        self._line.lines = said if _value(lines, b"access-control-allow-origin") else (*said, *self._expected.lines)
        media_type = _value(lines, b"content-type").partition(b";")[0].strip().lower()
        if media_type == b"text/event-stream" and status == OK and not _value(lines, b"content-encoding"):
            await self._begin_events()
        elif not self._may_pass(status, is_json=media_type.endswith(b"json")):
            self._carry = self._gather
        if self._is_late:
            self._on_late()

    async def _begin_events(self) -> None:
        if self._expected.framing is Framing.JSON_ONLY:
            self._carry = self._pick_answer
        else:
            self._carry = self._pass_events
            # Where nothing is owed, nothing may come for long, and some proxies hold back a bare head (T-01).
            await self._line.say(b"" if self._expected.asked else HEARTBEAT_COMMENT)

    def _may_pass(self, status: int, *, is_json: bool) -> bool:
        """Whether the app's whole reply suits the client as it is."""
        if status in self._expected.instead:
            return False
        if self._expected.asked is None:
            return True
        if status == OK:
            return not is_json or self._expected.framing is not Framing.EVENTS_ONLY
        return is_json or status < _CLIENT_FAULT

    async def _pass_on(self, body: bytes, more: bool) -> None:
        if self._line.stage is Stage.KEPT:
            await self._gather(body, more)
            return
        if self._line.stage is Stage.WAITING:
            if more and not body:
                return  # a head alone: until there is more to say, the reply may still have to be kept warm
            await self._line.begin(self._status or OK, self._line.lines)
        await self._line.pass_on(body, more=more)

    async def _gather(self, body: bytes, more: bool) -> None:
        self._whole.append(body)
        if more:
            return
        status = self._status or OK
        if status in self._expected.instead:
            await self._line.reply(self._expected.instead[status])
        else:
            await self._line.answer(self._as_answer(b"".join(self._whole), status), status)

    def _as_answer(self, body: bytes, status: int) -> bytes:
        """The app's answer; for an error page, or an error that names no request, one that the client can place."""
        if status == OK:
            return body
        message = message_in(body)
        if not is_answer(message):
            return answer_of(self._refused(f"The server answered with HTTP status {status}", status)).body
        return body if message.get("id") is not None else encode({**message, "id": self._id})

    async def _pass_events(self, body: bytes, more: bool) -> None:
        events = self._splitter.feed(body)
        for event in events:
            if not event.startswith(b":"):
                self._last_event = event
                self._is_resumable = self._is_resumable or names_itself(event)
        if events:
            await self._line.say(b"".join(events))
        if not more:
            await self._end_events(self._refused(_ENDED))

    async def _end_events(self, refused: Refused) -> None:
        rest = self._splitter.rest
        if self._expected.asked is None or is_answer(message_in(data_of(self._last_event))):
            last = rest
        elif is_answer(message_in(data_of(rest))):
            last = rest + b"\n\n"
        elif self._is_resumable:  # the app hangs up, and the client comes back for more (2025-11-25, transports)
            last = b""
        else:
            last = as_event(answer_of(refused).body)
        await self._line.say(last, more=False)

    async def _pick_answer(self, body: bytes, more: bool) -> None:
        """Take the answer out of the app's events, for a client that reads none."""
        events = self._splitter.feed(body)
        for event in events if more else (*events, self._splitter.rest):
            message = message_in(data := data_of(event))
            if is_answer(message):
                await self._line.answer(data or b"", OK)
            elif "method" in message and "id" in message:
                refused = self._refused(_ASKED_BACK.format(message["method"]))
                await self._line.answer(answer_of(refused).body, OK)
        if not more:
            await self._make_up_for(self._refused(_ENDED))

    async def _make_up_for(self, refused: Refused) -> None:
        """Give the client what it is owed. Half of the app's own reply cannot be mended: left as it is, the server
        cuts the connection, and the client knows.
        """
        if self._is_gone or self._line.stage not in {Stage.WAITING, Stage.KEPT}:
            return
        if self._carry == self._pass_events:
            await self._end_events(refused)
        else:
            await self._line.answer(answer_of(refused).body, refused.status)

    @property
    def _id(self) -> str | float | None:
        return None if self._expected.asked is None else self._expected.asked.id

    def _refused(self, reason: str, status: int = _SERVER_FAULT) -> Refused:
        code = INTERNAL_ERROR if status >= _SERVER_FAULT else INVALID_REQUEST
        return Refused(status, code, reason, self._id)


def _value(lines: Lines, name: bytes) -> bytes:
    return next((value for each, value in lines if each.lower() == name), b"")


def message_in(data: bytes | None) -> dict[str, Any]:
    """The JSON object that `data` is; an empty one if it is none."""
    try:
        message = from_json(data or b"{}")
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def is_answer(message: Mapping[str, Any]) -> bool:
    """Whether a JSON-RPC message is a result or an error, and no request."""
    return "method" not in message and ("result" in message or isinstance(message.get("error"), dict))
