"""Members that come, go, or change their type. `arguments` are left alone: they are the tool's, not the platform's."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from ...notation.session import MISSING, Place, Session
from ..applying import with_id
from ..change import Change, Edit, Part, Position
from ..expectations import BAD_PARAMS, or_as_before
from ..places import META, PREFIX, Message, capability_places, client_places, messages, requests
from ..rule import Mutant, Rule, together, together_and_alone

_NEW: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "ballastText": "new",
        "ballastNumber": 7,
        "ballastFlag": False,
        "ballastNull": None,
        "ballastObject": {"since": "2027"},
        "ballastList": ["new"],
    }
)
"""A value of every JSON type: what refuses one often takes another."""

_TYPED: Final = frozenset({"progressToken", "traceparent", "tracestate", "baggage"})
"""Members of `_meta` without a prefix that a revision gives a type: another one may be refused."""

_Places = Callable[[Message], Iterable[Place]]


def _edit(message: Message, place: Place, value: Any, **more: Any) -> Change:
    edit = Edit(part=Part.BODY, place=place, value=value, before=message.at(place))
    return Change(step=message.step.name, edits=(edit,), **more)


def _added(session: Session, places: _Places) -> tuple[Mutant, ...]:
    return together(_new_members(session, places))


def _new_members(session: Session, places: _Places, prefix: str = "") -> Iterator[Change]:
    for message in messages(session):
        for place in places(message):
            yield from (_edit(message, (*place, prefix + name), value) for name, value in _NEW.items())


def _top(session: Session) -> tuple[Mutant, ...]:
    return _added(session, lambda _: [()])


def _params(session: Session) -> tuple[Mutant, ...]:
    return _added(session, lambda message: message.objects(("params",)))


def _meta(session: Session) -> tuple[Mutant, ...]:
    def places(message: Message) -> Iterable[Place]:
        return message.objects(META)

    inner = _new_members(session, _objects_in_meta)
    return together([*_new_members(session, places, "openai/"), *inner]) + together(_new_meta(session))


def _objects_in_meta(message: Message) -> Iterator[Place]:
    """The platform's own objects, such as a location: they grow like everything else."""
    yield from (place for place, value in _platform_meta(message) if isinstance(value, Mapping))


def _new_meta(session: Session) -> Iterator[Change]:
    """`_meta` where there was none: on requests whose params are an object."""
    for message in requests(session):
        if isinstance(message.at(("params",)), Mapping) and message.at(META) is MISSING:
            yield _edit(message, META, {"openai/ballastText": "new"})


def _client_info(session: Session) -> tuple[Mutant, ...]:
    return _added(session, client_places)


def _capabilities(session: Session) -> tuple[Mutant, ...]:
    """Capabilities are objects: a new one is one, whatever it holds."""
    return together(
        _edit(message, (*place, *name), value)
        for message in messages(session)
        for place in capability_places(message)
        for name, value in _new_capabilities(message, place)
    )


def _new_capabilities(message: Message, place: Place) -> Iterator[tuple[Place, Any]]:
    for inner in _objects_below(message.at(place)):
        yield (*inner, "ballastSetting"), "new"
    yield ("ballast",), {}
    yield ("ballastSettings",), {"modes": ["new"], "limit": 7, "until": None}
    for group in ("extensions", "experimental"):
        if isinstance(message.at((*place, group)), Mapping):
            yield (group, "com.example/ballast"), {"enabled": True}
        else:
            yield (group,), {"com.example/ballast": {"enabled": True}}


def _objects_below(value: Mapping[str, Any]) -> Iterator[Place]:
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            yield (name,)
            yield from ((name, *place) for place in _objects_below(inner))


def _removed(session: Session) -> Iterator[Mutant]:
    return together_and_alone(
        _edit(message, place, MISSING) for message in requests(session) for place in _optional_places(message)
    )


def _optional_places(message: Message) -> Iterator[Place]:
    meta = message.at(META)
    if isinstance(meta, Mapping):
        yield from ((*META, name) for name in meta if not str(name).startswith(PREFIX))
        yield from ((*META, name) for name in meta if name == f"{PREFIX}clientInfo")
    for place in capability_places(message):
        yield from ((*place, name) for name in message.at(place))
    if message.at(("params",)) == {}:
        yield ("params",)


def _ids(session: Session) -> Iterator[Mutant]:
    """Ids as text where they were numbers and the other way round; and as large as JSON numbers go unharmed."""
    yield from together(_with_id(message, number) for number, message in enumerate(requests(session)))
    largest = 2**53 - 1  # RFC 8259, 6: what every double holds exactly
    yield from together(_with_id(message, 0, largest - number) for number, message in enumerate(requests(session)))


def _with_id(message: Message, number: int, new: Any = None) -> Change:
    old = message.body["id"]
    is_number = isinstance(old, int) or old == "${id}"
    new = new or (f"{_UUID}{number}" if is_number else 700 + number)
    return _edit(message, ("id",), new, expect=with_id(message.step.expect, old, new))


_UUID: Final = "0197c0de-ba11-7a57-8000-"
"""What makes an id look like a UUID, which is what clients take when they give numbers up."""


def _tokens(session: Session) -> Iterator[Mutant]:
    for token in ("call-7", 7, 0):
        yield from together(
            _edit(message, (*META, "progressToken"), token)
            for message in requests(session)
            for _ in message.objects(META)
        )


def _opaque(session: Session) -> Iterator[Mutant]:
    """Another type in `_meta` where the platform keeps what only it reads: of the members, and of what is in them."""
    for retyped in (_members_retyped, _contents_retyped):
        yield from together(
            _edit(message, place, value) for message in requests(session) for place, value in retyped(message)
        )


def _platform_meta(message: Message) -> Iterator[tuple[Place, Any]]:
    meta = message.at(META)
    for name, value in meta.items() if isinstance(meta, Mapping) else ():
        if not name.startswith(PREFIX) and name not in _TYPED:
            yield (*META, name), value


def _members_retyped(message: Message) -> Iterator[tuple[Place, Any]]:
    for place, value in _platform_meta(message):
        yield place, "new" if isinstance(value, Mapping) else {"value": "new"}


def _contents_retyped(message: Message) -> Iterator[tuple[Place, Any]]:
    """Texts become numbers, as the coordinates might that are texts today."""
    for place, value in _platform_meta(message):
        for name, text in value.items() if isinstance(value, Mapping) else ():
            if isinstance(text, str):
                yield (*place, name), 1.5


def _flags(session: Session) -> tuple[Mutant, ...]:
    """`true` where a capability was an object: no revision allows it, so it is an attempt that may be refused."""
    return together(
        _edit(
            message,
            (*place, name),
            True,
            position=Position.BEFORE,
            label=f"{name} as a flag",
            expect=or_as_before(message.step.expect, BAD_PARAMS),
        )
        for message in requests(session)
        for place in capability_places(message)
        for name in (*message.at(place), "ballast")
    )


_S01 = "S-01: an allow-list for params._meta refused every call on the day the platform added to it"
_IGNORE = "Ignore what you do not know, at every level: read the members you need and nothing else."


def _unknown(where: str, derive: Callable[[Session], Iterable[Mutant]], words: str) -> Rule:
    return Rule(
        id=f"unknown-member-{where}",
        title=f"A member nobody knows, {words}",
        stands_for="A field added by the platform or by the next revision, of any JSON type.",
        expected="what the session expects, unchanged",
        source=_S01,
        incidents=("S-01", "P-18", "O-16", "CT-09"),
        advice=_IGNORE,
        derive=derive,
    )


def _one_type(where: str, derive: Callable[[Session], Iterable[Mutant]], **words: Any) -> Rule:
    return Rule(
        id=f"type-widened-{where}",
        incidents=("P-18", "S-01", "CT-09"),
        source=words.pop(
            "source", "P-18: a typed model in front of the endpoint answered 422 to a shape it did not know"
        ),
        derive=derive,
        **words,
    )


RULES: Final = (
    _unknown("top", _top, "beside jsonrpc, id and method"),
    _unknown("params", _params, "in params"),
    _unknown("meta", _meta, "in params._meta, in an object of it, or _meta where there was none"),
    _unknown("client-info", _client_info, "in the client's description"),
    _unknown("capabilities", _capabilities, "among the client's capabilities"),
    Rule(
        id="optional-member-removed",
        title="An optional member is gone",
        stands_for="A platform that stops sending its own _meta, its description, or a capability.",
        expected="what the session expects, unchanged",
        source="P-01 and the shapes of 2025 and 2026 in the corpus: members of _meta came and went without notice",
        incidents=("P-01", "S-01", "CT-09"),
        advice="Need nothing that the revision does not require; give every other member a default.",
        derive=_removed,
    ),
    _one_type(
        "id",
        _ids,
        title="Another kind of JSON-RPC id",
        stands_for="A client that numbers its requests with UUIDs, or with very large integers.",
        expected="what the session expects, with the id echoed in its type",
        advice="Echo the id exactly as it came: text as text, and integers up to 2^53 - 1.",
        source="JSON-RPC 2.0 allows both kinds; server/discover comes with a text, everything else with numbers",
    ),
    _one_type(
        "progress-token",
        _tokens,
        title="A progress token, as text and as a number",
        stands_for="A platform that begins to ask for progress.",
        expected="what the session expects; progress may come before it",
        advice="Accept progressToken as text or integer, 0 too; send progress with exactly that token, or none.",
        source="all revisions define it as text or integer; the platform sends none so far",
    ),
    _one_type(
        "meta",
        _opaque,
        title="Another type in the platform's own _meta",
        stands_for="Coordinates as numbers instead of text, an object where a text was.",
        expected="what the session expects, unchanged",
        advice="Do not validate what the platform puts into _meta; convert it where you use it, with a fallback.",
    ),
    _one_type(
        "capability",
        _flags,
        title="A capability that is true instead of an object",
        stands_for="A client in a hurry: no revision allows it, yet it must not hurt.",
        expected="the answer as before, or -32602 (HTTP 200 or 400); then the dialogue as before",
        advice="Read what you can of the capabilities, or refuse with -32602; never with 5xx, 422 or silence.",
    ),
)
