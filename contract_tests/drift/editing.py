"""From a deviation to the change of a request that makes it: the usual value before, the new one after. Pure.

Where a change cannot be made from names and types alone, because it needs a credential or an address that works, it
says so instead.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from connector.recorder.paths import read
from connector.recorder.shape import Shape

from ..judging.operators import look_up
from ..mutating.change import Change, Edit, Part
from ..notation.session import MISSING, FormBody, JsonBody, Place, Send
from .finding import Deviation
from .kinds import Kind, Turn
from .lock import Profile
from .usual import usual_header, usual_member, usual_words

_ADDRESSES: Final = frozenset({"redirect_uri", "redirect_uris", "client_id", "client_uri", "jwks_uri"})
_CREDENTIALS: Final = ("assertion", "secret", "verifier", "authorization", "dpop", "cookie")
_HEADER_VALUES: Final = frozenset({"accept", "content-type", "user-agent"})
_VERSION_PLACES: Final[tuple[Place, ...]] = (
    ("params", "_meta", "io.modelcontextprotocol/protocolVersion"),
    ("params", "protocolVersion"),
)
_CLIENT_PLACES: Final[tuple[Place, ...]] = (
    ("params", "_meta", "io.modelcontextprotocol/clientInfo", "name"),
    ("params", "clientInfo", "name"),
    ("client_name",),
)


class CannotBeMade(Exception):
    """A difference needs what nobody can make up; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """Makes changes of one step. `send` is what the sample says, `profile` what is usual."""

    step: str
    send: Send
    shape: Shape
    profile: Profile
    version: str

    def change(self, deviation: Deviation) -> Change:
        """The change that makes a deviation.

        Raises:
            CannotBeMade: it would need a credential or an address of somebody's.
        """
        name = deviation.name.partition(": ")[0]
        if any(word in name.lower() for word in _CREDENTIALS):
            raise CannotBeMade(f"{name} is a credential: nobody can make one up")
        edits = tuple(edit for edit in self._edits(deviation, name) if edit.value is not edit.before)
        if not edits:
            raise CannotBeMade(f"a sample does not tell what it would be: {deviation}")
        return Change(step=self.step, edits=edits, label=str(deviation))

    def _edits(self, deviation: Deviation, name: str) -> Iterator[Edit]:
        match deviation.kind:
            case Kind.HEADER:
                yield self._header(name, deviation.turn)
            case Kind.VERSION:
                yield from self._versions(deviation)
            case Kind.VALUE if name in _HEADER_VALUES:
                yield self._header(name, Turn.CHANGED)
            case Kind.VALUE:
                yield from self._value(name, deviation)
            case _:
                yield from self._member(deviation)

    def _header(self, name: str, turn: Turn) -> Edit:
        usual: Any = MISSING
        if turn is not Turn.APPEARED:
            usual = usual_header(name, self.profile, method=self.shape.method, version=self.version)
        sent = next((value for key, value in self.send.headers.items() if key.lower() == name), MISSING)
        return Edit(part=Part.HEADER, place=(name,), value=MISSING if turn is Turn.VANISHED else sent, before=usual)

    def _versions(self, deviation: Deviation) -> Iterator[Edit]:
        now = deviation.name if deviation.turn is Turn.APPEARED else MISSING
        if any(key.lower() == "mcp-protocol-version" for key in self.send.headers) or now is MISSING:
            yield Edit(part=Part.HEADER, place=("mcp-protocol-version",), value=now, before=self.version)
        for place in _VERSION_PLACES:
            if self._there(place) is not MISSING:
                yield Edit(part=Part.BODY, place=place, value=self._there(place), before=self.version)

    def _member(self, deviation: Deviation) -> Iterator[Edit]:
        segments = read(deviation.name)
        if "{}" in segments or self._is_address(segments[-1]):
            raise CannotBeMade(f"{deviation.name} has a name or an address that is not kept")
        part, place = _part_of(segments)
        place = place[: place.index("*")] if "*" in place else place
        usual = MISSING
        if deviation.turn is not Turn.APPEARED:
            path = deviation.name.partition(".*")[0]
            usual = _of_type(deviation.was) if deviation.was else usual_member(path, self.profile, self.version)
            if deviation.was == "object" or not deviation.was:
                usual = usual_member(path, self.profile, self.version)
        sent = MISSING if deviation.turn is Turn.VANISHED else self._sent(part, place)
        yield Edit(part=part, place=place, value=sent, before=usual)

    def _value(self, name: str, deviation: Deviation) -> Iterator[Edit]:
        if self._is_address(name):
            raise CannotBeMade(f"{name} is an address: only the platform's own works")
        known = usual_words(name, self.profile)
        for part, place in self._places_of(name):
            sent = self._sent(part, place)
            if sent is MISSING:
                continue
            was = deviation.was or (known[0] if known else "")
            usual: Any = known if isinstance(sent, list) else was or MISSING
            yield Edit(part=part, place=place, value=sent, before=usual)

    def _places_of(self, name: str) -> Iterator[tuple[Part, Place]]:
        if name == "client":
            yield from ((Part.BODY, place) for place in _CLIENT_PLACES)
        else:
            yield from ((part, (name,)) for part in (Part.QUERY, Part.FORM, Part.BODY))

    def _is_address(self, name: str) -> bool:
        return name in _ADDRESSES

    def _sent(self, part: Part, place: Place) -> Any:
        match part, self.send.body:
            case Part.QUERY, _:
                return self.send.query.get(str(place[0]), MISSING)
            case Part.FORM, FormBody(fields=fields):
                return fields.get(str(place[0]), MISSING)
            case Part.BODY, JsonBody():
                return self._there(place)
            case _:
                return MISSING

    def _there(self, place: Place) -> Any:
        return look_up(self.send.body.value, place) if isinstance(self.send.body, JsonBody) else MISSING


def reverted(change: Change) -> Change:
    """The change that undoes it."""
    edits = tuple(Edit(part=edit.part, place=edit.place, value=edit.before, before=edit.value) for edit in change.edits)
    return Change(step=change.step, edits=edits, label=change.label)


def _part_of(segments: tuple[str, ...]) -> tuple[Part, tuple[str, ...]]:
    if segments[0] == "query" and len(segments) > 1:
        return Part.QUERY, segments[1:]
    if segments[0] == "form" and len(segments) > 1:
        return Part.FORM, segments[1:]
    return Part.BODY, segments


_OF_TYPES: Final[Mapping[str, Any]] = {
    "string": "text", "number": 1, "boolean": True, "null": None, "array": [], "object": {},
}  # fmt: skip


def _of_type(types: str) -> Any:
    return _OF_TYPES.get(types.partition(" or ")[0], "text")
