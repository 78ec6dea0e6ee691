"""A redacted sample as a request that can be sent: placeholders stay what they are, what a session knows is filled in.

Pure. Nothing of it is a value anybody sent: the book keeps none.
"""

from collections.abc import Mapping
from typing import Any, Final

from ..notation.session import FormBody, JsonBody, RawBody, Send

ENVELOPE: Final = "io.modelcontextprotocol/protocolVersion"

_LEFT_OUT: Final = frozenset({"authorization", "cookie", "host", "content-length", "transfer-encoding", "connection"})
_FIRST_OF_AN_ERA: Final = frozenset({"initialize", "server/discover"})
_NAMED: Final[Mapping[str, str]] = {"tools/call": "${tool.name}", "resources/read": "${ui.uri?}"}


def send_of(sample: Mapping[str, Any], channel: str) -> Send:
    """The request of a sample. Parts of a path that were not kept are called `ballast`."""
    path = "${target.path}" if channel == "mcp" else str(sample["path"]).replace("{}", "ballast")
    method = method_of(sample)
    headers = {
        str(name) if "(" not in str(name) else "X-Redacted": _header(
            str(name), str(value), method, is_after_handshake=is_legacy(sample)
        )
        for name, value in sample.get("headers", ())
        if str(name).lower() not in _LEFT_OUT
    }
    query = {str(name): escaped(str(value)) for name, value in sample.get("query", ())}
    return Send(method=str(sample["verb"]), path=path, query=query, headers=headers, body=_body(sample, method))


def method_of(sample: Mapping[str, Any]) -> str:
    """The JSON-RPC method of a sample; empty without one."""
    message = sample.get("json")
    method = message.get("method") if isinstance(message, dict) else None
    return method if isinstance(method, str) else ""


def is_legacy(sample: Mapping[str, Any]) -> bool:
    """Whether a message is one of the revisions with a handshake, and comes after it."""
    message, method = sample.get("json"), method_of(sample)
    params = message.get("params") if isinstance(message, dict) else None
    meta = params.get("_meta") if isinstance(params, dict) else None
    is_modern = isinstance(meta, dict) and ENVELOPE in meta
    return bool(method) and method not in _FIRST_OF_AN_ERA and not is_modern


def escaped(value: Any) -> Any:
    """JSON that means itself in a session: no text of it is a template."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, dict):
        return {escaped(name): escaped(inner) for name, inner in value.items()}
    return [escaped(item) for item in value] if isinstance(value, list) else value


def _header(name: str, value: str, method: str, *, is_after_handshake: bool) -> str:
    match name.lower():
        case "mcp-session-id" if is_after_handshake:
            return "${sid?}"
        case "mcp-name" if method in _NAMED:
            return _NAMED[method]
        case _:
            return str(escaped(value))


def _body(sample: Mapping[str, Any], method: str) -> JsonBody | FormBody | RawBody | None:
    if "json" in sample:
        return JsonBody(value=_message(escaped(sample["json"]), method))
    if "form" in sample:
        return FormBody(fields={str(name): escaped(str(value)) for name, value in sample["form"]})
    return RawBody(text=escaped(str(sample["text"]))) if "text" in sample else None


def _message(message: Any, method: str) -> Any:
    """A message with an id of this session, and with the tool or the resource that is there to be asked for."""
    if not isinstance(message, dict):
        return message
    found = dict(message)
    if isinstance(found.get("id"), str):
        found["id"] = "request-${id}"
    elif "id" in found and found["id"] is not None:
        found["id"] = "${id}"
    params = found.get("params")
    if isinstance(params, dict) and method == "tools/call":
        is_usual = isinstance(params.get("arguments"), dict)
        found["params"] = {**params, "name": "${tool.name}", **({"arguments": "${tool.arguments}"} if is_usual else {})}
    elif isinstance(params, dict) and method == "resources/read" and "uri" in params:
        found["params"] = {**params, "uri": "${ui.uri?}"}
    return found
