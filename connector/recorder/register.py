"""`Register`: what one process has counted and not yet put on the shelf. No loop, no store, no socket.

Requests of a known kind are recognised by their fingerprint and only counted. Memory is bounded in every direction:
shapes of a surface, surfaces, hours, fingerprints, cuts that are remembered.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final, Protocol

from ..http.request.coding import unpacked
from ..http.request.surface import Surface, surface_of
from .anatomy.content import ABSENT, MCP, UNREAD, channel_of, json_of
from .anatomy.fingerprint import of_headers, of_json
from .anatomy.naming import name_or
from .anatomy.seen import Seen
from .anatomy.words import unknown_surface
from .redacting import sample_of
from .shape import Shape, shape_of
from .shelf.rows import MOST_SHAPES, weakest
from .shelf.shelving import is_one_too_many
from .shelf.tally import HourTally, ShapeTally
from .sighting import MOST_SUBJECTS, cut_bucket

LONGEST_BODY: Final = 256 * 1024
"""Bytes of a body that is read. A longer one is counted, and its shape is not looked at."""
_MOST_FINGERPRINTS: Final = 1024
_MOST_HOURS: Final = 512
_MOST_CUTS: Final = 64
_CUT_IS_REMEMBERED: Final = 300.0
"""Seconds in which an equal call counts as a retry: the Responses API's came at once (2026-09-18), Claude waits 240."""
_LARGEST_SAMPLE: Final = 16 * 1024
_HOUR: Final = 3600

_WAITS_FOREVER: Final = frozenset({"GET", "subscriptions/listen"})
"""Streams that a client ends by leaving: that is no failure."""


@dataclass(slots=True)
class Arrived:
    """One request as the server gave it. `peer` is the other end's address. `is_partial`: the body was too long."""

    verb: str
    path: str
    query: bytes
    lines: list[tuple[bytes, bytes]] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    peer: str = field(default="", repr=False)
    is_partial: bool = False

    def message(self) -> Any:
        """The JSON in the body, or `ABSENT`. A body that came packed is kept unpacked."""
        message = json_of(self.body)
        if message is ABSENT and self.body:
            coding = next((value for name, value in self.lines if name == b"content-encoding"), b"")
            body = unpacked(coding.decode("latin-1"), self.body, LONGEST_BODY)
            self.body = body if isinstance(body, bytes) else self.body
            message = json_of(self.body)
        return message

    def seen(self) -> Seen:
        """The same for who decides what it is like."""
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in self.lines)
        return Seen(verb=self.verb, path=self.path, query=self.query.decode("latin-1"), headers=headers, body=self.body)


@dataclass(slots=True, kw_only=True)
class CameTo:
    """What became of a request: `status` None if no answer began; `cut_after` seconds if the client left before the
    end; `said` is `rpc error` or `tool error` if the answer says so; `has_code` if it carries an authorization code.
    """

    status: int | None
    cut_after: float | None = None
    said: str = ""
    has_code: bool = False


class Outcome(Protocol):
    """What `CameTo` has."""

    status: int | None
    cut_after: float | None
    said: str
    has_code: bool


@dataclass(slots=True)
class Entry:
    """One request under way, as it is counted. `who` and `call` are hashes that are good in this process only."""

    surface: str
    method: str
    hour: int
    who: int
    call: int | None
    redeems: bool = False


class Register:
    """Counts requests of one connector. `scopes` are those that may be said by name."""

    def __init__(self, *, endpoint: str, scopes: Iterable[str] = ()) -> None:
        self._endpoint = endpoint
        self._scopes = frozenset(scopes)
        self._known: dict[object, ShapeTally] = {}
        self._shapes: dict[str, dict[str, ShapeTally]] = {}
        self._hours: dict[tuple[int, str], HourTally] = {}
        self._live: dict[tuple[str, str, int], int] = {}
        self._cuts: dict[int, float] = {}
        self.lost = 0
        """Counts that did not fit in memory while the store was away."""

    def enter(self, arrived: Arrived, now: float) -> Entry:
        """Count a request. `now` is seconds since 1970."""
        message = arrived.message() if arrived.verb == "POST" else ABSENT
        who = _who(arrived, message)
        if arrived.is_partial:
            surface, method, redeems = self._outside(arrived), _stated(arrived), False
        else:
            tally = self._recognised(arrived, message, now)
            tally.count += 1
            tally.total += 1
            tally.last = now
            if len(tally.subjects) < MOST_SUBJECTS:
                tally.subjects.add(sha256(who).digest())
            surface, method = tally.shape.surface, tally.shape.method
            redeems = ("grant_type", "authorization_code") in tally.shape.values
        entry = Entry(surface=surface, method=method, hour=int(now) // _HOUR, who=hash(who), call=None, redeems=redeems)
        self._begun(entry, message, now)
        return entry

    def leave(self, entry: Entry, came_to: Outcome, now: float) -> None:
        """Count what became of it."""
        live = (entry.surface, entry.method, entry.who)
        left = self._live.pop(live, 1) - 1
        if left > 0:
            self._live[live] = left
        hour = self._hour(entry.hour, entry.surface)
        method = hour.method(entry.method)
        if came_to.cut_after is not None:
            bucket = cut_bucket(came_to.cut_after)
            method.cuts[bucket] = method.cuts.get(bucket, 0) + 1
            self._remember_cut(entry, now)
        method.issued += came_to.has_code
        method.redeemed += entry.redeems and came_to.status == 200  # noqa: PLR2004 OK
        kind = _failure(entry, came_to)
        if kind:
            hour.failed(kind)

    def take(self) -> tuple[list[ShapeTally], dict[tuple[int, str], HourTally]]:
        """Everything new since the last time, to be put on the shelf. What cannot be put there comes `back`."""
        fresh = [tally for shapes in self._shapes.values() for tally in shapes.values() if tally.count]
        taken = [replace(tally, subjects=set(tally.subjects), hops=set(tally.hops)) for tally in fresh]
        for tally in fresh:
            tally.count = 0
        hours, self._hours = self._hours, {}
        return taken, hours

    def back(self, shapes: Iterable[ShapeTally], hours: Mapping[tuple[int, str], HourTally]) -> None:
        """Count again what could not be put on the shelf."""
        for tally in shapes:
            self._tally(tally.shape, tally).count += tally.count
        for (hour, surface), counted in hours.items():
            self._hour(hour, surface).add(counted)

    def know(self, surfaces: Iterable[str]) -> None:
        """Unknown clients that have a name in the store already."""
        for surface in surfaces:
            self._shapes.setdefault(surface, {})

    def _recognised(self, arrived: Arrived, message: Any, now: float) -> ShapeTally:
        key = None
        if not arrived.query and message is not ABSENT and channel_of(arrived.path, self._endpoint) == MCP:
            key = (of_headers(arrived.lines), of_json(message))
            known = self._known.get(key)
            if known is not None and not known.is_gone:
                return known
        tally = self._looked_at(arrived.seen(), now)
        if key is not None:
            if len(self._known) >= _MOST_FINGERPRINTS:
                self._known.clear()
            self._known[key] = tally
        return tally

    def _looked_at(self, seen: Seen, now: float) -> ShapeTally:
        shape = shape_of(seen, endpoint=self._endpoint, scopes=self._scopes)
        if is_one_too_many(shape.surface, self._shapes):
            shape = replace(shape, surface=Surface.OTHER.value)
        there = self._shapes.get(shape.surface, {}).get(shape.id)
        if there is not None:
            there.hops.update(shape.hops)
            return there
        sample = sample_of(seen, endpoint=self._endpoint, scopes=self._scopes)
        if len(json.dumps(sample)) > _LARGEST_SAMPLE:
            sample = {name: value for name, value in sample.items() if name in {"verb", "path", "headers"}}
        return self._tally(shape, ShapeTally(shape=shape, sample=sample, first=now, last=now))

    def _tally(self, shape: Shape, otherwise: ShapeTally) -> ShapeTally:
        """The tally of a shape, `otherwise` with nothing counted if there is none."""
        shapes = self._shapes.setdefault(shape.surface, {})
        if shape.id in shapes:
            return shapes[shape.id]
        if len(shapes) >= MOST_SHAPES:
            rows = {id_: {"count": each.total, "last": each.last} for id_, each in shapes.items()}
            gone = shapes.pop(weakest(rows))
            gone.is_gone = True
            self.lost += gone.count
        shapes[shape.id] = replace(otherwise, count=0)
        return shapes[shape.id]

    def _begun(self, entry: Entry, message: Any, now: float) -> None:
        hour = self._hour(entry.hour, entry.surface)
        hour.total += 1
        method = hour.method(entry.method)
        method.count += 1
        live = (entry.surface, entry.method, entry.who)
        self._live[live] = under_way = self._live.get(live, 0) + 1
        method.parallel = max(method.parallel, under_way)
        if entry.method == "tools/call" and message is not ABSENT:
            params = message.get("params")
            said = params if isinstance(params, dict) else {}
            entry.call = hash((entry.who, repr(said.get("name")), repr(said.get("arguments"))))
            if now - self._cuts.pop(entry.call, -_CUT_IS_REMEMBERED) < _CUT_IS_REMEMBERED:
                method.retries += 1

    def _remember_cut(self, entry: Entry, now: float) -> None:
        if entry.call is not None:
            self._cuts[entry.call] = now
            if len(self._cuts) > _MOST_CUTS:
                del self._cuts[min(self._cuts, key=self._cuts.__getitem__)]

    def _hour(self, hour: int, surface: str) -> HourTally:
        key = (hour, surface)
        if key not in self._hours:
            if len(self._hours) >= _MOST_HOURS:
                oldest = min(self._hours)
                self.lost += self._hours.pop(oldest).total
            self._hours[key] = HourTally()
        return self._hours[key]

    def _outside(self, arrived: Arrived) -> str:
        agent = _line(arrived, b"user-agent")
        surface = surface_of(agent)
        said = unknown_surface(agent) if surface is Surface.OTHER else surface.value
        return Surface.OTHER.value if is_one_too_many(said, self._shapes) else said


def _who(arrived: Arrived, message: Any) -> bytes:
    """Who sent it: what the host says of the user, else the conversation, else the token, else the other end."""
    params = message.get("params") if isinstance(message, dict) else None
    meta = params.get("_meta") if isinstance(params, dict) else None
    if isinstance(meta, dict):
        said = meta.get("openai/subject") or meta.get("openai/session")
        if isinstance(said, str):
            return said[:_LONGEST_WHO].encode("utf-8", "replace")
    lines = dict(arrived.lines)
    found = next((lines[name] for name in _MARKS if name in lines), arrived.peer.encode())
    return found[:_LONGEST_WHO]


_MARKS: Final = (b"x-openai-subject", b"x-openai-session", b"mcp-session-id", b"authorization")
_LONGEST_WHO: Final = 512


def _line(arrived: Arrived, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in arrived.lines if key == name), "")


def _stated(arrived: Arrived) -> str:
    """The method of a request whose body was too long to be kept."""
    return name_or(_line(arrived, b"mcp-method"), UNREAD) if arrived.verb == "POST" else name_or(arrived.verb, UNREAD)


def _failure(entry: Entry, came_to: Outcome) -> str:
    if came_to.cut_after is not None:
        return "" if entry.method in _WAITS_FOREVER else "cut"
    if came_to.status is None:
        return "crashed"
    if came_to.status < 400:  # noqa: PLR2004 RFC 9110: from here on something is wrong
        return came_to.said
    return f"status {came_to.status}"
