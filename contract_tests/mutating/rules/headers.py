"""Headers that come, go or narrow what may be answered, and the names a client goes by."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from ...notation.session import MISSING, Expect, Session, Step
from ..change import Change, Edit, Part, Position
from ..expectations import OTHER_ORIGIN, or_as_before
from ..places import VERSION_HEADER, client_places, messages, own_steps
from ..rule import Mutant, Rule, together, together_and_alone

_NEW: Final[Mapping[str, str]] = MappingProxyType(
    {
        "X-Openai-Ballast": "v1/new",
        "X-Request-Id": "0197c0de-ba11-7a57-8000-000000000000",
        "Mcp-Ballast": "new",
        "Cookie": "__cf_bm=new",
        "Signature-Input": 'sig1=("@authority");created=1795248000;tag="web-bot-auth"',
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
        "tracestate": "openai=new",
    }
)
"""The platform's own, an edge's, the protocol's, and those of signing and tracing."""

_NEEDED: Final = frozenset(
    {"accept", "authorization", "content-type", "mcp-method", "mcp-name", "mcp-session-id", "cookie"}
)
"""Without these a server may refuse, or cannot know what is meant."""

_ORIGINS: Final = ("https://chatgpt.com", "https://claude.ai", "null")
_AGENT: Final = "chatgpt-connector/2.0 (+https://openai.com/bot)"
_NAMES: Final[Mapping[str, str]] = MappingProxyType({"name": "chatgpt-connector (Next)", "version": "2027.1-preview+7"})


def _edit(step: Step, name: str, value: Any, **more: Any) -> Change:
    before = next((text for key, text in step.send.headers.items() if key.lower() == name.lower()), MISSING)
    return Change(step=step.name, edits=(Edit(part=Part.HEADER, place=(name,), value=value, before=before),), **more)


def _has(step: Step, name: str) -> bool:
    return any(key.lower() == name.lower() for key in step.send.headers)


def _added(session: Session) -> tuple[Mutant, ...]:
    return together(
        _edit(step, name, value) for step in own_steps(session) for name, value in _NEW.items() if not _has(step, name)
    )


def _dropped(session: Session) -> Iterator[Mutant]:
    modern = {message.step.name for message in messages(session) if message.is_modern}
    return together_and_alone(
        _edit(step, name, MISSING)
        for step in own_steps(session)
        for name in step.send.headers
        if name.lower() not in _NEEDED and not (name.lower() == VERSION_HEADER.lower() and step.name in modern)
    )


def _origin(session: Session) -> tuple[Mutant, ...]:
    return together(
        _edit(
            message.step,
            "Origin",
            origin,
            position=Position.BEFORE,
            label=f"from {origin}",
            expect=or_as_before(message.step.expect, OTHER_ORIGIN),
        )
        for message in messages(session)
        for origin in _ORIGINS
        if message.is_request and not _has(message.step, "Origin")
    )


def _renamed(session: Session) -> tuple[Mutant, ...]:
    agents = [_edit(step, "User-Agent", _AGENT) for step in own_steps(session) if _has(step, "User-Agent")]
    return together([*agents, *_renamed_clients(session)])


def _renamed_clients(session: Session) -> Iterator[Change]:
    for message in messages(session):
        for place in client_places(message):
            for name, value in _NAMES.items():
                at = (*place, name)
                edit = Edit(part=Part.BODY, place=at, value=value, before=message.at(at))
                yield Change(step=message.step.name, edits=(edit,))


def _json_only(session: Session) -> tuple[Mutant, ...]:
    return together(_narrowed(session, "application/json", strictly=True))


def _sse_only(session: Session) -> tuple[Mutant, ...]:
    return together(_narrowed(session, "text/event-stream", strictly=False))


def _narrowed(session: Session, media: str, *, strictly: bool) -> Iterator[Change]:
    for message in messages(session):
        step = message.step
        accepts = message.header("Accept")
        fits = not step.expect.media or media in step.expect.media
        if accepts and accepts != media and fits:
            yield _edit(step, "Accept", media, expect=_only(step.expect, media) if strictly else None)


def _only(expect: Expect, media: str) -> Expect:
    """The same answer in the one form that is accepted, where the session cares for the form."""
    return replace(expect, media=(media,)) if expect.media else expect


def _accept(kind: str, words: str, expected: str, derive: Any) -> Rule:
    return Rule(
        id=f"accept-{kind}-only",
        title=f"Only {words} is accepted",
        stands_for=f"A client, or a proxy on its way, that takes nothing but {words}.",
        expected=expected,
        source="P-41: hosts were seen with either one, with */*, and without Accept",
        incidents=("P-41", "CT-13"),
        advice="Answer in the form that is accepted, or as JSON; never answer 406 to a POST.",
        derive=derive,
    )


RULES: Final = (
    Rule(
        id="header-new",
        title="A header nobody knows",
        stands_for="New headers of the platform, of its edge, of request signing and of tracing.",
        expected="what the session expects, unchanged",
        source="X-Openai-Session and X-Openai-Subject came in 2026 unannounced; Web Bot Auth signs requests",
        incidents=("P-19", "CT-09", "CT-40"),
        advice="Ignore unknown headers, and keep rules about headers out of firewalls before the endpoint.",
        derive=_added,
    ),
    Rule(
        id="header-dropped",
        title="An optional header is gone",
        stands_for="No User-Agent, none of the platform's identifiers, no version header on a handshake revision.",
        expected="what the session expects, unchanged",
        source="P-01: Mcp-Session-Id was dropped unannounced; Copilot Studio calls tools without a version header",
        incidents=("P-01", "P-19", "CT-01", "CT-09"),
        advice="Need only headers the revision requires; without MCP-Protocol-Version assume what was negotiated.",
        derive=_dropped,
    ),
    Rule(
        id="origin-new",
        title="An Origin where there was none",
        stands_for="Requests that come from the browser instead of the platform's servers.",
        expected="the answer as before, or 403 that is no page; then the dialogue as before",
        source="no host sends Origin to date; inspectors and widgets do; the specification has it judged",
        incidents=("G-02", "G-03"),
        advice="Allow the origins of the hosts you serve, or refuse with 403; never with 5xx or a page.",
        derive=_origin,
    ),
    Rule(
        id="client-renamed",
        title="The client goes by another name",
        stands_for="A new User-Agent, a new clientInfo.name, a version that is no semantic version.",
        expected="what the session expects, unchanged",
        source="five User-Agents and four names of the same platform were seen within a year",
        incidents=("P-19", "P-16", "CT-40", "CT-41"),
        advice="Never decide by the client's name: decide by the version and the capabilities of the request.",
        derive=_renamed,
    ),
    _accept("json", "application/json", "what the session expects, as JSON; never 406", _json_only),
    _accept("sse", "text/event-stream", "what the session expects, as events or as JSON; never 406", _sse_only),
)
