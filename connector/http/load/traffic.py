"""What is on its way at once: who may start, whether the answer may be streamed, and what became of it.

Asks `capacity` for a place and `breaker` for leave to stream, and reports back to both when an answer has ended.
Knows requests and exchanges; does not know the kernel.
"""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Final, Protocol

from starlette.types import Scope

from ...settings import Settings
from ...telemetry.meters import Meters
from ...telemetry.watched import Watched
from ..exchange import Exchange, Framing, Heart, Mode
from ..idle import IdleStreams
from ..request.reading import ANSWERED_AS_JSON, Asked, Readable
from ..request.surface import Surface, is_own_limit, surface_of
from .breaker import Breaker, Permit, Snapshot
from .breaker import Reply as Leave
from .capacity import Capacity, Slot

LISTEN: Final = "subscriptions/listen"

UNCOUNTED: Final = ANSWERED_AS_JSON
"""Handshakes, pings and lists take no place: they cost microseconds, and a host that gets none takes the connector
for dead.
"""


class Reply(Protocol):
    """A reply on its way, whoever makes it: an exchange, or a relay of another app's."""

    gone_at: float | None
    """When the client was seen to go away, in seconds on the monotonic clock."""

    @property
    def was_streamed(self) -> bool:
        """Whether it went out as an event stream before the answer was there."""

    @property
    def mode(self) -> Mode:
        """How it went out."""

    @property
    def was_stopped(self) -> bool:
        """Whether the work was ended by `stop`."""

    @property
    def was_delivered(self) -> bool:
        """Whether the last bytes were handed over while the client was there."""

    def stop(self) -> None:
        """End the work; who waits for the answer is told."""


class Traffic:
    """Everything that is on its way through one endpoint."""

    def __init__(self, settings: Settings, meters: Meters) -> None:
        self.capacity = Capacity(settings.capacity)
        self._breaker = Breaker(settings.adaptive)
        self._running: set[Reply] = set()
        self._limit_tolerance = settings.adaptive.limit_tolerance
        self._modes: Counter[Mode] = Counter()
        self.meters = meters
        self.heart = Heart(settings.stream)
        self.idle = IdleStreams(settings.stream)
        meters.watch(Watched.CALLS_IN_FLIGHT, lambda: self.capacity.occupancy().calls)
        meters.watch(Watched.CALLS_WAITING, lambda: self.capacity.occupancy().waiting)
        meters.watch(Watched.CALLS_SHED, self._shed)
        meters.watch(Watched.STREAMS_OPEN, lambda: self.capacity.occupancy().streams)
        meters.watch(Watched.STREAMS_BROKEN, lambda: {k.value: v.broken for k, v in self._surfaces().items()})
        meters.watch(Watched.BREAKER_STATE, lambda: {k.value: v.state.level for k, v in self._surfaces().items()})
        meters.watch(Watched.STREAMS_DELIVERED, lambda: {k.value: v.delivered for k, v in self._surfaces().items()})
        meters.watch(
            Watched.STREAMS_CUT_AT_LIMIT, lambda: {k.value: v.cut_at_limit for k, v in self._surfaces().items()}
        )
        meters.watch(Watched.REPLIES, lambda: {mode.value: count for mode, count in self._modes.copy().items()})
        meters.watch(Watched.HEARTBEATS, lambda: Exchange.heartbeats + IdleStreams.heartbeats)

    async def admit(self, asked: Asked, scope: Scope) -> Slot | None:
        """A place for this request, or None if it needs none.

        Raises:
            Busy: There is no room. Nothing was started.
        """
        if asked.method in UNCOUNTED:
            return None
        principal = principal_of(asked, scope)
        if asked.method == LISTEN:
            return self.capacity.open_stream(principal=principal)
        tool = tool_of(asked)
        slot = self.capacity.try_call(tool=tool, principal=principal)
        if slot is not None:
            return slot
        since = time.monotonic()
        try:
            return await self.capacity.wait_for_call(tool=tool, principal=principal)
        finally:
            self.meters.queued(time.monotonic() - since)

    def way_out(self, asked: Asked, readable: Readable, headers: Mapping[str, str]) -> tuple[Framing, Permit | None]:
        """How the answer goes out; with a permit to give back where the client leaves us the choice."""
        framing = framing_of(asked, readable)
        if framing is not Framing.JSON_OR_EVENTS or asked.method == LISTEN:  # what listens reads events, or nothing
            return framing, None
        surface = surface_of(headers.get("user-agent"), _client_name(asked))
        permit = self._breaker.may_stream(surface, time.monotonic())
        return (Framing.JSON_ONLY if permit.reply is Leave.PLAIN else Framing.JSON_OR_EVENTS), permit

    def started(self, reply: Reply) -> None:
        """A reply is on its way."""
        self._running.add(reply)

    def ended(self, reply: Reply, permit: Permit | None, since: float) -> None:
        """A reply has ended, `since` being when its request came, on the monotonic clock."""
        self._running.discard(reply)
        self._modes[reply.mode] += 1
        if permit is None:
            return
        if reply.was_streamed and not reply.was_stopped:
            now = time.monotonic()
            lasted = (reply.gone_at or now) - since
            self._breaker.stream_ended(permit, delivered=reply.was_delivered, lasted=lasted, now=now)
            if reply.was_delivered or not is_own_limit(permit.surface, lasted, tolerance=self._limit_tolerance):
                self.meters.alarms.stream_ended(permit.surface.value, delivered=reply.was_delivered)
        else:
            self._breaker.answer_ended(permit, delivered=reply.was_delivered)
            if reply.mode is Mode.WARM_JSON and self._breaker.withholds(permit.surface):  # it could not even be tried
                self.meters.alarms.stream_ended(permit.surface.value, delivered=False)

    def stop_all(self) -> None:
        """Stop every call that still runs."""
        for reply in self._running:
            reply.stop()

    def _surfaces(self) -> Mapping[Surface, Snapshot]:
        return self._breaker.snapshot(time.monotonic())

    def _shed(self) -> Mapping[str, float]:
        return {scope.value: count for scope, count in self.capacity.occupancy().shed.items()}


def framing_of(asked: Asked, readable: Readable) -> Framing:
    """How a reply may be framed for a client that reads this."""
    if not readable.json:
        return Framing.EVENTS_ONLY
    if not readable.events or asked.method in ANSWERED_AS_JSON:
        return Framing.JSON_ONLY
    return Framing.JSON_OR_EVENTS


def tool_of(asked: Asked) -> str | None:
    """The tool a request calls by name, whether or not there is such a tool."""
    name = (asked.params or {}).get("name") if asked.method == "tools/call" else None
    return name if isinstance(name, str) else None


def _client_name(asked: Asked) -> str | None:
    meta = (asked.params or {}).get("_meta")
    info = meta.get("io.modelcontextprotocol/clientInfo") if isinstance(meta, dict) else None
    name = info.get("name") if isinstance(info, dict) else None
    return name if isinstance(name, str) else None


def principal_of(asked: Asked, scope: Scope) -> str | None:
    """Whose request it is, for fairness only: the token's subject or client; without a token, what the host says of
    the user.

    `openai/subject` is no authority; who invents many of them still meets the cap on all calls.
    """
    token = getattr(scope.get("user"), "access_token", None)
    if token is not None:
        return f"token {getattr(token, 'subject', None) or token.client_id}"
    meta = (asked.params or {}).get("_meta")
    said = meta.get("openai/subject") if isinstance(meta, dict) else None
    return f"said {said[:200]}" if isinstance(said, str) else None
