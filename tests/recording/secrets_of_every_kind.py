"""Secrets as they occur, made from a seed, and places of an exchange where they can stand."""

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from contract_tests.recording.exchange import Exchange
from tests.recording.traffic import META
from tests.wire import ENVELOPE

_URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _text(random: Random, length: int, alphabet: str = _URL_SAFE) -> str:
    return "".join(random.choices(alphabet, k=length))


def _jwt(random: Random) -> str:
    parts = [{"alg": "RS256", "kid": _text(random, 8)}, {"sub": f"user-{random.getrandbits(64)}"}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, _text(random, 40)])


KINDS: Mapping[str, Callable[[Random], str]] = {
    "hex": lambda random: f"{random.getrandbits(160):040x}",
    "url-safe": lambda random: _text(random, random.randint(22, 60)),
    "base64": lambda random: base64.b64encode(random.randbytes(33)).decode(),
    "uuid": lambda random: str(uuid.UUID(int=random.getrandbits(128), version=4)),
    "jwt": _jwt,
    "prefixed": lambda random: (
        f"{random.choice(['sk-live-', 'ghp_', 'xoxb-', 'AKIA'])}{_text(random, 32, _URL_SAFE[:-2])}"
    ),
    "opaque": lambda random: f"v1/{_text(random, 32)}",
    "email": lambda random: f"ingolf.{_text(random, 6, 'bcdfghjk')}{random.randint(10, 99)}@mail.example.org",
    "telephone": lambda random: f"+49 {random.randint(150, 179)} {random.randint(10**6, 10**7 - 1)}",
    "card": lambda random: " ".join(f"{random.randint(1000, 9999)}" for _ in range(4)),
    "latitude": lambda random: f"{random.uniform(10, 89):.14f}",
    "longitude": lambda random: f"-{random.uniform(100, 179):.7f}",
    "base32": lambda random: _text(random, 32, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "password": lambda random: f"Tr0ub4dor&{_text(random, 6)}!{random.randint(10, 99)}",
}


def _asked(message: Any, **more: Any) -> Exchange:
    head = (("Content-Type", "application/json"), ("User-Agent", "openai-mcp/1.0.0"), ("Host", "mcp.example.com"))
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    reply = {"jsonrpc": "2.0", "id": 1, "result": {}}
    made = Exchange(
        method="POST",
        target="/mcp",
        headers=head,
        body=body,
        status=200,
        reply_headers=(("content-type", "application/json"),),
        reply_body=json.dumps(reply).encode(),
        client="192.0.2.1:4711",
    )
    return replace(made, **more)


def _call(**params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "find", **params}}


def _listing(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": dict(ENVELOPE)}, **members}


def _header(name: str, form: str = "{}") -> Callable[[str], Exchange]:
    def plant(secret: str) -> Exchange:
        plain = _asked(_listing())
        return replace(plain, headers=(*plain.headers, (name, form.format(secret))))

    return plant


def _form(name: str) -> Callable[[str], Exchange]:
    def plant(secret: str) -> Exchange:
        fields = {"grant_type": "authorization_code", name: secret, "redirect_uri": "https://chatgpt.com/cb"}
        head = (("Content-Type", "application/x-www-form-urlencoded"), ("Host", "mcp.example.com"))
        return _asked(urlencode(fields).encode(), target="/token", headers=head)

    return plant


def _replied(body: Callable[[str], bytes], media: str = "application/json") -> Callable[[str], Exchange]:
    head = (("content-type", media),)
    return lambda secret: _asked(_call(arguments={}), reply_body=body(secret), reply_headers=head)


def _result(value: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": value}).encode()


def _deep(secret: str) -> dict[str, Any]:
    value: Any = secret
    for number in range(14):
        value = [value] if number % 2 else {"inner": value, "level": number}
    return {"of": value}


def _tools(secret: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"q": {"type": "string", "default": secret}}, "required": ["q"]}
    tool = {"name": "find", "description": secret, "annotations": {"readOnlyHint": True}, "inputSchema": schema}
    return {"tools": [tool]}


def _event(secret: str) -> bytes:
    return b": " + secret.encode() + b"\n\nid: " + secret.encode() + b"\ndata: " + _result({"text": secret}) + b"\n\n"


PLACES: Mapping[str, Callable[[str], Exchange]] = {
    "authorization": _header("Authorization", "Bearer {}"),
    "basic": _header("Authorization", "Basic {}"),
    "bare authorization": _header("Authorization"),
    "cookie": _header("Cookie", "sid={}; theme=dark"),
    "api key": _header("X-Api-Key"),
    "user agent": _header("User-Agent", "openai-mcp/1.0.0 ({})"),
    "accept": _header("Accept", "application/json;profile={}"),
    "content type": _header("Content-Type", "application/{}"),
    "revision": _header("MCP-Protocol-Version"),
    "mcp method": _header("Mcp-Method"),
    "mcp name": _header("Mcp-Name"),
    "session": _header("Mcp-Session-Id"),
    "unknown header": _header("X-Odd"),
    "origin": _header("Origin", "https://{}.example.org"),
    "referer": _header("Referer", "https://chatgpt.com/c/{}?share=1"),
    "subject header": _header("X-Openai-Subject"),
    "query": lambda secret: _asked(_listing(), target=f"/mcp?token={quote(secret)}"),
    "query twice": lambda secret: _asked(_listing(), target=f"/mcp?a={quote(secret)}&a={quote(secret)}"),
    "query name": lambda secret: _asked(_listing(), target=f"/mcp?{quote(secret)}=1"),
    "path": lambda secret: _asked(_listing(), target=f"/t/{quote(secret, safe='')}/mcp"),
    "authorize": lambda secret: _asked(
        b"",
        method="GET",
        target="/authorize?"
        + urlencode({"state": secret, "code_challenge": secret, "login_hint": secret, "scope": secret}),
    ),
    "redirect address": lambda secret: _asked(
        b"",
        method="GET",
        target="/authorize?" + urlencode({"redirect_uri": f"https://chatgpt.com/{quote(secret)}?x={quote(secret)}"}),
    ),
    "code": _form("code"),
    "verifier": _form("code_verifier"),
    "assertion": _form("client_assertion"),
    "client secret": _form("client_secret"),
    "client id": _form("client_id"),
    "refresh token": _form("refresh_token"),
    "unknown field": _form("anything"),
    "resource": _form("resource"),
    "argument": lambda secret: _asked(_call(arguments={"q": secret})),
    "deep argument": lambda secret: _asked(_call(arguments=_deep(secret))),
    "tool name": lambda secret: _asked(_call(name=secret)),
    "meta": lambda secret: _asked(_call(arguments={}, _meta={**META, "openai/subject": secret})),
    "location": lambda secret: _asked(_call(_meta={"openai/userLocation": {"latitude": secret, "city": secret}})),
    "device": lambda secret: _asked(_call(_meta={"openai/userAgent": f"Mozilla/5.0 ({secret})"})),
    "unknown meta": lambda secret: _asked(_call(_meta={"vendor/new": {"deep": [secret, {"x": secret}]}})),
    "member name": lambda secret: _asked(_call(_meta={secret: {"value": 1}})),
    "argument name": lambda secret: _asked(_call(arguments={secret: 1})),
    "method": lambda secret: _asked(_listing(method=secret)),
    "id": lambda secret: _asked(_listing(id=secret)),
    "unknown member": lambda secret: _asked(_listing(extension={"of": secret})),
    "client name": lambda secret: _asked(_listing(params={"clientInfo": {"name": secret, "version": secret}})),
    "capability": lambda secret: _asked(_listing(params={"capabilities": {"experimental": {secret: secret}}})),
    "resource uri": lambda secret: _asked(_listing(method="resources/read", params={"uri": f"ui://w/{secret}"})),
    "batch": lambda secret: _asked([_listing(), {"of": secret}]),
    "no json": lambda secret: _asked(secret.encode()),
    "broken json": lambda secret: _asked(json.dumps(_call(arguments={"q": secret})).encode()[:-3]),
    "registration": lambda secret: _asked(
        {
            "client_name": secret,
            "redirect_uris": [f"https://chatgpt.com/connector/oauth/{secret}"],
            "contacts": [secret],
        },
        target="/register",
    ),
    "result": _replied(lambda secret: _result({"content": [{"type": "text", "text": secret}], secret: secret})),
    "deep result": _replied(lambda secret: _result(_deep(secret))),
    "event": _replied(_event, "text/event-stream"),
    "error": _replied(lambda s: json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": 7, "message": s}}).encode()),
    "tools": _replied(lambda secret: _result(_tools(secret))),
    "token reply": _replied(lambda secret: json.dumps({"access_token": secret, "token_type": "Bearer"}).encode()),
    "text reply": _replied(lambda secret: secret.encode(), "text/plain"),
    "media type": lambda secret: _asked(_listing(), reply_headers=(("content-type", f"application/{secret}"),)),
    "reply cookie": lambda secret: _asked(_listing(), reply_headers=(("set-cookie", f"sid={secret}; Path=/"),)),
    "location header": lambda s: _asked(b"", status=302, reply_headers=(("location", f"https://x.org/?code={s}"),)),
}
