"""Which conversation an exchange belongs to, by what clients repeat: ids, sessions, tokens, connections. Pure.

A stronger mark decides against a weaker one: two conversations over one connection are two.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

from ..judging.operators import look_up
from ..notation.session import MISSING
from .exchange import Exchange
from .rules import is_credential
from .steps import read_question

T = TypeVar("T")

_STRONG: Final = ("mcp", "credential", "connection")
_SECONDS_A_CLIENT_IS_REMEMBERED = 300.0  # by its address and product alone
_OPENINGS: Final = frozenset({"initialize", "server/discover"})
_FROM_META: Final = ("openai/session", "sessionId")


@dataclass(slots=True, kw_only=True)
class _Talk(Generic[T]):
    of: T
    conversation: str = ""
    openings: set[str] = field(default_factory=set)
    last: float = 0.0


class Conversations(Generic[T]):
    """The conversations so far; each carries a value of the caller's."""

    def __init__(self) -> None:
        self._by_mark: dict[tuple[str, str], _Talk[T]] = {}

    def find(self, exchange: Exchange) -> T | None:
        """The conversation an exchange belongs to; None if it begins a new one."""
        talk = self._find(exchange)
        if talk is None:
            return None
        self._note(exchange, talk)
        return talk.of

    def begin(self, exchange: Exchange, of: T) -> None:
        """Begin one with this exchange."""
        self._note(exchange, _Talk(of=of))

    def _find(self, exchange: Exchange) -> "_Talk[T] | None":
        marks = dict.fromkeys(marks_of(exchange))
        said = next((value for kind, value in marks if kind == "conversation"), "")
        if said and (known := self._by_mark.get(("conversation", said))):
            return known
        for kind in _STRONG:
            for mark in (mark for mark in marks if mark[0] == kind):
                talk = self._by_mark.get(mark)
                if (
                    talk
                    and not (said and talk.conversation)
                    and not (kind == "connection" and _reopens(exchange, talk))
                ):
                    return talk
        talk = self._by_mark.get(("client", _client(exchange)))
        is_late = talk is None or exchange.started - talk.last > _SECONDS_A_CLIENT_IS_REMEMBERED
        if talk is None or is_late or _reopens(exchange, talk) or (said and talk.conversation):
            return None
        return talk

    def _note(self, exchange: Exchange, talk: "_Talk[T]") -> None:
        talk.last = max(talk.last, exchange.started + exchange.duration)
        talk.openings |= {read_question(exchange).method} & _OPENINGS
        for kind, value in marks_of(exchange):
            talk.conversation = talk.conversation or (value if kind == "conversation" else "")
            self._by_mark[kind, value] = talk
        self._by_mark["client", _client(exchange)] = talk


def _reopens(exchange: Exchange, talk: _Talk[Any]) -> bool:
    """Whether a client starts anew: a handshake that the conversation has had already."""
    return read_question(exchange).method in talk.openings


def _client(exchange: Exchange) -> str:
    return f"{exchange.client.rpartition(':')[0]} {exchange.header('user-agent').partition('/')[0]}"


def marks_of(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """What tells whose exchange this is: kind and value."""
    meta = look_up(read_question(exchange).message, ("params", "_meta"))
    said = (look_up(meta, (name,)) for name in _FROM_META)
    for value in (exchange.header("x-openai-session"), *said):
        if isinstance(value, str) and value:
            yield "conversation", value
    for value in (exchange.header("mcp-session-id"), exchange.reply_header("mcp-session-id")):
        if value:
            yield "mcp", value
    for value in _credentials(exchange):
        yield "credential", value
    if exchange.client:
        yield "connection", exchange.client


def _credentials(exchange: Exchange) -> Iterator[str]:
    scheme, _, token = exchange.header("authorization").partition(" ")
    if scheme.lower() == "bearer" and token:
        yield token
    places = [exchange.target.partition("?")[2], urlsplit(exchange.reply_header("location")).query]
    if "form" in exchange.header("content-type"):
        places.append((exchange.body or b"").decode("utf-8", "replace"))
    for place in places:
        yield from (value for name, value in parse_qsl(place) if is_credential(name) or name == "state")
    message = exchange.reply().message if "json" in exchange.reply_header("content-type") else MISSING
    for name in ("access_token", "refresh_token"):
        value = look_up(message, (name,))
        if isinstance(value, str):
            yield value
