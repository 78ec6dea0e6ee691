"""From an exchange to a step of a session file: the request redacted, the reply as an expectation. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from ..judging.operators import look_up
from ..judging.reply import load
from ..notation.session import MISSING
from ..outcome import Ending
from .exchange import Exchange
from .expecting import expectation, rounded
from .headers import carries_credentials, written_headers
from .offers import Offers
from .plain import is_name, slug
from .redacting import Redactor

METHODS: Final = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT"})
"""Those of the format."""

_KNOWN_IDS: Final = frozenset({"openai-mcp-discover", "chatgpt-action-refresh"})
_LONGEST_PAUSE = 5.0  # seconds: a person's pauses are no part of a host's behaviour
_SHORTEST_PAUSE = 1.0
_LONGEST_WAIT = 300.0  # seconds until a client that stays away is played as gone
_LONGEST_LISTENING = 5.0  # the same for a stream that was only listened to
_ORDINARY_LIMIT = 30  # seconds; the format's own
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked, as JSON-RPC has it; `message` is MISSING if it is none."""

    message: Any

    @property
    def method(self) -> str:
        """The JSON-RPC method; empty without one."""
        return self._text("method")

    @property
    def named(self) -> str:
        """What `Mcp-Name` names: a tool, a prompt or a resource."""
        name = self._text("params", "name")
        return name or self._text("params", "uri")

    def _text(self, *place: str) -> str:
        value = look_up(self.message, place)
        return value if isinstance(value, str) else ""


def read_question(exchange: Exchange) -> Question:
    """Read the request's body."""
    body = exchange.body or b""
    return Question(message=load(body.decode("utf-8", "replace")) if body else MISSING)


def step_of(exchange: Exchange, *, redactor: Redactor, offers: Offers, since: float | None) -> dict[str, Any]:
    """The step of an exchange; `since` is the time since the reply before it, None for the first."""
    redactor.used, redactor.missing, redactor.links.moment = [], [], exchange.started
    question = read_question(exchange)
    send = _Sending(exchange, question, redactor, offers).written()
    message_id = _template_of_id(question)
    step: dict[str, Any] = {"name": _name(exchange, question, redactor)}
    if since is not None and since >= _SHORTEST_PAUSE:
        step["pause"] = min(round(since, 1), _LONGEST_PAUSE)
    condition = _condition(redactor)
    step |= {"when": condition} if condition else {}
    step["send"] = send
    if exchange.ending is Ending.CUT_BY_CLIENT:
        longest = _LONGEST_LISTENING if exchange.method == "GET" else _LONGEST_WAIT
        step["cut_after"] = max(0.1, min(round(exchange.duration, 1), longest))
    elif exchange.duration * 2 > _ORDINARY_LIMIT:
        step["limit"] = rounded(exchange.duration)
    is_own = question.method != "tools/call" or question.named in offers.allowed
    reply = exchange.reply(look_up(question.message, ("id",)))
    step["expect"] = expectation(exchange, reply, message_id, is_tool_own=is_own)
    redactor.links.offer(exchange, reply.message, step)
    return step


class _Sending:
    """The `send` of a step."""

    def __init__(self, exchange: Exchange, question: Question, redactor: Redactor, offers: Offers) -> None:
        self.exchange = exchange
        self.question = question
        self.redactor = redactor
        self.offers = offers

    def written(self) -> dict[str, Any]:
        send: dict[str, Any] = {"method": self.exchange.method, **self._address()}
        body = self._body()
        named = look_up(body.get("json"), ("params", "name"))
        named = look_up(body.get("json"), ("params", "uri")) if named is MISSING else named
        is_same = self.exchange.header("mcp-name") == self.question.named
        headers = written_headers(self.exchange, self.redactor, named=named if is_same and named else "")
        if self._is_anonymous():
            send["anonymous"] = True
        return send | ({"headers": headers} if headers else {}) | body

    def _is_anonymous(self) -> bool:
        if carries_credentials(self.exchange.headers):
            return False
        return self.exchange.status in {401, 403} or self.exchange.path != self.redactor.addresses.path

    def _address(self) -> dict[str, Any]:
        addresses, (path, _, query) = self.redactor.addresses, self.exchange.target.partition("?")
        found: dict[str, Any] = {} if path == addresses.path else {"path": addresses.segments(path) or "/"}
        pairs = self.redactor.parameters(parse_qsl(query, keep_blank_values=True))
        if len(dict(pairs)) < len(pairs):  # the format has every parameter once
            return {"path": f"{found.get('path', '${target.path}')}?{urlencode(pairs, safe='${}.')}"}
        return found | ({"query": dict(pairs)} if pairs else {})

    def _body(self) -> dict[str, Any]:
        body = self.exchange.body
        if body is None:
            self.redactor.missing.append("body that was too long to keep")
            return {}
        if not body:
            return {}
        if self.exchange.header("content-type").partition(";")[0].strip().lower() == _FORM:
            pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
            return {"form": dict(self.redactor.parameters(pairs))}
        if self.question.message is MISSING:
            return {"raw": self.redactor.secret("body", body.decode("utf-8", "replace"))}
        return {"json": self._json(self.question.message)}

    def _json(self, message: Any) -> Any:
        if not isinstance(message, dict) or not self.question.method:
            return self.redactor.json(message)
        written = self.redactor.json({key: value for key, value in message.items() if key not in {"id", "params"}})
        if "id" in message:
            written = {**_before_id(written), "id": _template_of_id(self.question), **_after_id(written)}
        if "params" in message:
            written["params"] = self._params(message["params"])
        return written

    def _params(self, params: Any) -> Any:
        if not isinstance(params, dict):
            return self.redactor.json(params, ("params",))
        method, name = self.question.method, params.get("name")
        fixed: dict[str, Any] = {}
        if method == "tools/call" and isinstance(name, str):
            fixed["name"], arguments = self.offers.call(name, params.get("arguments"), self.redactor)
            fixed |= {"arguments": arguments} if "arguments" in params or arguments else {}
        elif method == "prompts/get" and isinstance(name, str):
            fixed["name"] = self.redactor.linked(name) or self.redactor.kept(name)
        rest = {key: value for key, value in params.items() if key not in fixed}
        written = self.redactor.json(rest, ("params",))
        in_order = {key: fixed[key] for key in params if key in fixed}
        return {**in_order, **fixed, **written}


def _before_id(written: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in written.items() if key == "jsonrpc"}


def _after_id(written: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in written.items() if key != "jsonrpc"}


def _template_of_id(question: Question) -> Any:
    """An id of the same JSON type; None if there is none to answer to."""
    value = look_up(question.message, ("id",))
    if not question.method or value is MISSING or value is None:
        return None
    if isinstance(value, str):
        return value if value in _KNOWN_IDS else "request-${id}"
    return "${id}"


def _condition(redactor: Redactor) -> dict[str, Any]:
    if redactor.missing:
        what = ", ".join(dict.fromkeys(redactor.missing))
        # An address is always known, so the step is shown and never played.
        return {"unknown": ["target.url"], "otherwise": f"it carries what a recording withholds: {what}"}
    if redactor.used:
        return {"known": list(redactor.used), "otherwise": "no earlier reply gave what it sends"}
    return {}


def _name(exchange: Exchange, question: Question, redactor: Redactor) -> str:
    if question.method:
        words = [question.method.rpartition("/")[2] if "discover" in question.method else question.method]
        if question.method == "tools/call":
            words = ["call", question.named] if is_name(question.named) else ["call"]
        return "-".join(slug(word, "request") for word in words)
    if exchange.path == redactor.addresses.path:
        return {"GET": "get-stream", "POST": "post-probe"}.get(exchange.method, exchange.method.lower())
    return f"{exchange.method.lower()}-{_last_segment(exchange.path)}"


def _last_segment(path: str) -> str:
    segments: Sequence[str] = [segment for segment in path.split("/") if segment and is_name(segment)]
    return slug(segments[-1], "page") if segments else "page"
