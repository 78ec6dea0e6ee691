"""What the simulated platform changes between two nights, one thing at a time, and what must be said of it.

`fate` is what becomes of it at a good connector, `strict` at one that is deliberately strict; None where there is
nothing to try, because a rhythm is no request.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from .asking import Asked
from .imitation import ENVELOPE, Alter

Edit = Callable[[Asked], Asked]
Where = Callable[[Asked], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformChange:
    """One change, and what is expected: the kind and turn of the finding, and a word of what it names."""

    id: str
    title: str
    kind: str
    turn: str
    names: str
    alter: Alter
    fate: str | None = "survived"
    strict: str | None = "breaks"


def on(method: str) -> Where:
    """Requests with a JSON-RPC method."""
    return lambda asked: asked.method == method


def at(path: str) -> Where:
    """Requests to a path."""
    return lambda asked: asked.path == path


def agent(word: str) -> Where:
    """Requests whose User-Agent contains a word."""
    return lambda asked: word in asked.headers.get("User-Agent", "")


def every(where: Where, edit: Edit) -> Alter:
    """Each of some requests changed."""

    def alter(asked: list[Asked], _: Random) -> list[Asked]:
        return [edit(each) if where(each) else each for each in asked]

    return alter


def beside(where: Where, more: Callable[[Asked], Asked]) -> Alter:
    """Another request with each of some."""

    def alter(asked: list[Asked], _: Random) -> list[Asked]:
        return [extra for each in asked for extra in ((more(each), each) if where(each) else (each,))]

    return alter


def header(name: str, value: str | None) -> Edit:
    """A header with another value, or without one."""

    def edit(asked: Asked) -> Asked:
        kept = {key: own for key, own in asked.headers.items() if key.lower() != name.lower()}
        return replace(asked, headers=kept if value is None else {**kept, name: value})

    return edit


def member(*place: str, value: Any = None, gone: bool = False) -> Edit:
    """A member of the JSON body with another value, or without one."""

    def edit(asked: Asked) -> Asked:
        body = copy.deepcopy(asked.json)
        around = body
        for key in place[:-1]:
            around = around.setdefault(key, {})
        if gone:
            around.pop(place[-1], None)
        else:
            around[place[-1]] = value(around.get(place[-1])) if callable(value) else value
        return replace(asked, json=body)

    return edit


def parameter(name: str, value: str | None) -> Edit:
    """A parameter of a query or a form."""

    def edit(asked: Asked) -> Asked:
        def edited(own: Any) -> Any:
            kept = {key: text for key, text in own.items() if key != name}
            return kept if value is None else {**kept, name: value}

        return (
            replace(asked, query=edited(asked.query)) if asked.form is None else replace(asked, form=edited(asked.form))
        )

    return edit


def both(*edits: Edit) -> Edit:
    """One edit after the other."""

    def edit(asked: Asked) -> Asked:
        for each in edits:
            asked = each(asked)
        return asked

    return edit


def _version(version: str) -> Edit:
    def edit(asked: Asked) -> Asked:
        if "Mcp-Method" not in asked.headers:
            return asked
        place = ("params", "_meta", ENVELOPE + "protocolVersion")
        return both(header("MCP-Protocol-Version", version), member(*place, value=version))(asked)

    return edit


def _said(method: str, *, is_request: bool = True) -> Callable[[Asked], Asked]:
    """The same request with another method, as a new question before it."""

    def more(asked: Asked) -> Asked:
        body = copy.deepcopy(asked.json) | {"method": method}
        if not is_request:
            body.pop("id", None)
        said = replace(asked, at=asked.at - 0.5, json=body)
        return header("Mcp-Method", method)(said) if "Mcp-Method" in asked.headers else said

    return more


def _more_retries(asked: list[Asked], random: Random) -> list[Asked]:
    """Every cut call is tried once more, and as many again are cut."""
    found: list[Asked] = []
    for each in asked:
        is_plain = each.method == "tools/call" and each.cut is None and not each.is_retry
        if is_plain and "(Codex)" in each.headers["User-Agent"] and random.random() < 0.12:
            found += [replace(each, cut=119.8), replace(each, at=each.at + 121, is_retry=True)]
        else:
            found.append(each)
    return found


def _twins(asked: list[Asked], _: Random) -> list[Asked]:
    """Two clients with two versions make each call (P-04)."""
    calls = [each for each in asked if each.method == "tools/call"]
    return [*asked, *(replace(each, at=each.at + 0.05) for each in calls)]


def _without(where: Where) -> Alter:
    return lambda asked, _: [each for each in asked if not where(each)]


def _lost_codes(asked: list[Asked], _: Random) -> list[Asked]:
    return [each for each in asked if each.code != "redeemed"]


def _handshakes(asked: list[Asked], _: Random) -> list[Asked]:
    """The platform asks anew where it asked once (P-03)."""

    def again(each: Asked) -> list[Asked]:
        return [replace(each, at=each.at + 7 * number) for number in range(9)]

    return [one for each in asked for one in (again(each) if each.method == "server/discover" else [each])]


def _is_cut_late(asked: Asked) -> bool:
    return asked.cut is not None and asked.cut > 100


def _is_modern_call(asked: Asked) -> bool:
    return asked.method == "tools/call" and "Mcp-Method" in asked.headers


def _new_product(asked: Asked) -> Asked:
    return header("User-Agent", "openai-mcp/1.0.0 (Atlas)")(asked)


def _of_registration(asked: Asked) -> bool:
    return asked.path == "/register"


def _of_code(asked: Asked) -> bool:
    return asked.form is not None and asked.form["grant_type"] == "authorization_code"


def _document(path: str) -> Alter:
    def more(asked: Asked) -> Asked:
        return replace(asked, at=asked.at - 0.2, path=path)

    return beside(at("/.well-known/oauth-protected-resource/mcp"), more)


_DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_META: Final = ("params", "_meta")
_CAPABILITIES: Final = (*_META, ENVELOPE + "clientCapabilities")


# fmt: off
def _change(id_: str, title: str, kind: str, turn: str, names: str, alter: Alter, **fates: Any) -> PlatformChange:
    return PlatformChange(id=id_, title=title, kind=kind, turn=turn, names=names, alter=alter, **fates)


_CALL: Final = on("tools/call")
_NOTHING: Final[dict[str, Any]] = {"fate": None, "strict": None}


def _of_clients() -> Iterator[PlatformChange]:
    yield _change("product", "a new product token in the User-Agent", "surface", "appeared", "Atlas",
                  every(lambda asked: _is_modern_call(asked) and asked.who[3] in "01234567", _new_product))
    yield _change("stranger", "a client of another name altogether", "surface", "appeared", "chatgpt-desktop",
                  every(_is_modern_call, header("User-Agent", "chatgpt-desktop/2.0")))
    yield _change("version", "a newer protocol version", "version", "appeared", "2027-01-28",
                  every(lambda asked: asked.json is not None, _version("2027-01-28")))
    yield _change("probe", "a new question before the handshake", "method", "appeared", "server/capabilities",
                  beside(on("server/discover"), _said("server/capabilities")))
    yield _change("notification", "a new notification", "method", "appeared", "notifications/viewed",
                  beside(_CALL, _said("notifications/viewed", is_request=False)))


def _of_calls() -> Iterator[PlatformChange]:
    yield _change("header", "a new header on calls", "header", "appeared", "x-openai-trace-context",
                  every(_CALL, header("X-Openai-Trace-Context", "v1/abc")))
    yield _change("headerless", "X-Openai-Session is no longer sent", "header", "vanished", "x-openai-session",
                  every(_CALL, header("X-Openai-Session", None)))
    yield _change("method-header", "Mcp-Method is no longer sent", "header", "vanished", "mcp-method",
                  every(_is_modern_call, header("Mcp-Method", None)), fate="breaks")  # 2026-07-28 demands it: -32020
    yield _change("meta", "a new member in _meta", "member", "appeared", "openai/conversationMode",
                  every(_CALL, member(*_META, "openai/conversationMode", value="voice")))
    yield _change("meta-object", "a new object in _meta", "member", "appeared", "openai/device",
                  every(_CALL, member(*_META, "openai/device", value={"kind": "phone", "level": 2})))
    yield _change("meta-gone", "openai/locale is no longer sent", "member", "vanished", "openai/locale",
                  every(_CALL, member(*_META, "openai/locale", gone=True)))
    yield _change("params", "a new member beside arguments", "member", "appeared", "params.deadline",
                  every(_CALL, member("params", "deadline", value=120)))
    yield _change("locale-object", "openai/locale becomes an object", "member", "changed", "openai/locale",
                  every(_CALL, member(*_META, "openai/locale", value=lambda was: {"language": was, "region": "US"})))
    yield _change("id-string", "ids become strings", "member", "changed", "id",
                  every(_CALL, member("id", value=str)))
    yield _change("capability", "a new capability", "value", "appeared", "elicitation",
                  every(_is_modern_call, member(*_CAPABILITIES, "elicitation", value={"form": {}})))
    yield _change("json-only", "JSON only in Accept", "value", "changed", "accept",
                  every(_CALL, header("Accept", "application/json")))
    yield _change("sse-only", "event streams only in Accept", "value", "changed", "accept",
                  every(_CALL, header("Accept", "text/event-stream")))
    yield _change("query", "a parameter at the endpoint's address", "member", "appeared", "query.surface",
                  every(_CALL, lambda asked: replace(asked, query={"surface": "web"})))


def _of_oauth() -> Iterator[PlatformChange]:
    yield _change("oauth-parameter", "a new parameter at authorize", "member", "appeared", "query.ui_locales",
                  every(at("/authorize"), parameter("ui_locales", "de")))
    yield _change("token-parameter", "a new parameter of the token request", "member", "appeared", "form.audience",
                  every(_of_code, parameter("audience", "https://invoices.example.com")))
    yield _change("scope-gone", "resource is no longer sent to authorize", "member", "vanished", "query.resource",
                  every(at("/authorize"), parameter("resource", None)))
    yield _change("registration", "a new member of registrations", "member", "appeared", "application_type",
                  every(_of_registration, member("application_type", value="native")))
    yield _change("grant", "another grant in registrations", "value", "appeared", "device_code",
                  every(_of_registration, member("grant_types", value=lambda was: [*was, _DEVICE])))
    yield _change("response-type", "another response type in registrations", "value", "appeared", "id_token",
                  every(_of_registration, member("response_types", value=lambda was: [*was, "id_token"])))
    yield _change("auth-method", "another auth method in registrations", "value", "changed", "auth_method",
                  every(_of_registration, member("token_endpoint_auth_method", value="private_key_jwt")))
    yield _change("prompt", "prompt=consent at authorize", "member", "appeared", "query.prompt",
                  every(at("/authorize"), parameter("prompt", "consent")))
    yield _change("document", "another well-known document is asked for", "method", "appeared", "GET /.well-known/",
                  _document("/.well-known/mcp-server-card"))


def _of_rhythm() -> Iterator[PlatformChange]:
    yield _change("retries", "retries double", "cadence", "changed", "retried", _more_retries, **_NOTHING)
    yield _change("cut", "calls are cut after half the time", "cadence", "changed", "cut after",
                  every(_is_cut_late, lambda asked: replace(asked, cut=59.8)), **_NOTHING)
    yield _change("twins", "a second client makes every call too", "cadence", "changed", "in parallel",
                  _twins, **_NOTHING)
    yield _change("handshakes", "a handshake for every call", "cadence", "changed", "for a call",
                  _handshakes, **_NOTHING)
    yield _change("codes", "codes are never redeemed", "cadence", "changed", "codes redeemed", _lost_codes, **_NOTHING)
    yield _change("lists", "lists stop coming", "silence", "vanished", "tools/list",
                  _without(on("tools/list")), **_NOTHING)
    yield _change("calls", "calls stop coming", "silence", "vanished", "chatgpt-codex",
                  _without(lambda asked: "(Codex)" in asked.headers["User-Agent"]), **_NOTHING)


# fmt: on
CHANGES: Final = (*_of_clients(), *_of_calls(), *_of_oauth(), *_of_rhythm())
