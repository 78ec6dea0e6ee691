"""What a POST says: its era, its method, its id, and what its sender can read back.

Pure: headers and bytes in, one of four values out. It asks nothing of the SDK, of the connector's tools or of earlier
requests, so the era follows from what the request itself says and never from the order of arrival. Liberal where no
revision demands a refusal.
"""

import codecs
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final, NoReturn

from .tolerance import tolerated

HANDSHAKE_VERSIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Revisions opened by `initialize`."""

ENVELOPE_VERSIONS: Final = ("2026-07-28",)
"""Revisions in which every request carries its own envelope in `params._meta`."""

ASSUMED_VERSION: Final = "2025-03-26"
"""What a request without `MCP-Protocol-Version` speaks (2025-11-25, transports, "Protocol Version Header")."""

VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
INVALID_PARAMS: Final = -32602
UNSUPPORTED_VERSION: Final = -32022

ANSWERED_AS_JSON: Final = frozenset(
    {
        "initialize",
        "ping",
        "server/discover",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
    }
)
"""Handshakes and lists never become event streams: a build of OpenAI's tunnel refused a streamed discover (tc#63)."""


class Era(Enum):
    """Which rules a request speaks by."""

    HANDSHAKE = "handshake"
    ENVELOPE = "envelope"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is owed an answer. `params` is None when absent or null."""

    era: Era
    version: str
    method: str
    id: str | float
    params: dict[str, Any] | None
    has_routing_headers: bool = False
    states_version: bool = False
    """Whether the client named its handshake revision, so that nothing newer may be sent to it."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notification: acknowledged with 202 and an empty body, always (incident P-36)."""

    version: str
    method: str
    params: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class NothingAsked:
    """A body that asks for nothing: empty, `{}`, `[]` (ChatGPT's probes, 2026-08-11) or a posted response."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that cannot be served, as the JSON-RPC error it is answered with. `lines` go into the header."""

    status: int
    code: int
    message: str
    id: str | float | None = None
    data: Any = None
    lines: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Readable:
    """What the client can read back."""

    json: bool
    events: bool


def read_body(headers: Mapping[str, str], body: bytes) -> Asked | Told | NothingAsked | Refused:
    """Read one POST. `headers` has lower-case names."""
    if (refused := _wrong_media_type(headers.get("content-type", ""))) is not None:
        return refused
    if not body.strip():
        return NothingAsked()
    try:
        message = _DECODER.decode(body.removeprefix(codecs.BOM_UTF8).decode())  # RFC 8259, section 8.1
    except (ValueError, RecursionError) as trouble:  # over-long integers and deep nesting are no JSONDecodeError
        return Refused(400, PARSE_ERROR, f"Parse error: the body is not JSON ({_where(trouble)})")
    if not isinstance(message, dict):
        return _no_object(message)
    return _read_message(headers, message)


@lru_cache(maxsize=256)
def readable_by(accept: str | None) -> Readable:
    """What a client with this `Accept` can read. No value is ever refused: what names neither gets JSON (incident
    P-41).
    """
    if accept is None or not accept.strip():
        return Readable(json=True, events=True)
    wanted = {_media_type(part) for part in accept.split(",") if _weight(part) > 0}
    anything = "*/*" in wanted
    events = anything or bool(wanted & {"text/event-stream", "text/*"})
    json_too = anything or bool(wanted & {"application/json", "application/*"})
    return Readable(json=json_too or not events, events=events)


def error_body(refused: Refused) -> dict[str, Any]:
    """The JSON-RPC error object for a refusal."""
    error: dict[str, Any] = {"code": refused.code, "message": refused.message}
    if refused.data is not None:
        error["data"] = refused.data
    return {"jsonrpc": "2.0", "id": refused.id, "error": error}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def _where(trouble: Exception) -> str:
    if isinstance(trouble, json.JSONDecodeError):
        return f"{trouble.msg} at line {trouble.lineno}, column {trouble.colno}"
    if isinstance(trouble, UnicodeDecodeError):
        return f"byte {trouble.start} is not UTF-8"
    if isinstance(trouble, RecursionError):
        return "it is nested too deeply"
    return str(trouble)


def _wrong_media_type(content_type: str) -> Refused | None:
    media_type = _media_type(content_type)
    if not media_type or "json" in media_type:  # `application/json-rpc` too; no page sends one of them without asking
        return None
    return Refused(
        415, INVALID_REQUEST, f"Content-Type {media_type!r} is not served here: send the message as 'application/json'"
    )


def _media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()


def _weight(part: str) -> float:
    for parameter in part.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 1.0
    return 1.0


def _no_object(message: Any) -> NothingAsked | Refused:
    if message == []:
        return NothingAsked()
    what = "a batch" if isinstance(message, list) else f"a JSON {type(message).__name__}"
    return Refused(400, INVALID_REQUEST, f"The body is {what}: send one JSON-RPC object per POST")


def _read_message(headers: Mapping[str, str], message: dict[str, Any]) -> Asked | Told | NothingAsked | Refused:
    version = headers.get("mcp-protocol-version")
    if "method" not in message:
        return _without_method(version, message)
    if (refused := _malformed(message)) is not None:
        return refused
    method = message["method"]
    params = tolerated(method, message.get("params"))
    if "id" not in message:
        return Told(version if version in HANDSHAKE_VERSIONS else ASSUMED_VERSION, method, params)
    return _asked(version, method, message["id"], params)


def _without_method(version: str | None, message: dict[str, Any]) -> NothingAsked | Refused:
    is_reply = "result" in message or "error" in message
    if not message or (is_reply and version not in ENVELOPE_VERSIONS):
        return NothingAsked()
    return Refused(400, INVALID_REQUEST, "The message has no method", _legal_id(message.get("id")))


def _malformed(message: dict[str, Any]) -> Refused | None:
    id_ = _legal_id(message.get("id"))
    if message.get("jsonrpc") != "2.0" or not isinstance(message["method"], str):
        return Refused(400, INVALID_REQUEST, 'A request needs "jsonrpc": "2.0" and a method that is a string', id_)
    if "id" in message and id_ is None:
        return Refused(400, INVALID_REQUEST, "The id must be a string or an integer")
    if not isinstance(message.get("params"), dict | None):
        return Refused(400, INVALID_PARAMS, "params must be an object", id_)
    return None


def _asked(header: str | None, method: str, id_: str | float, params: dict[str, Any] | None) -> Asked | Refused:
    said = params or {}
    meta = said.get("_meta")
    if method == "initialize" and not _is_initialize_by_envelope(said):
        offered = said.get("protocolVersion")
        known = offered if offered in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]
        return Asked(Era.HANDSHAKE, known, method, id_, params, states_version=True)
    if (isinstance(meta, dict) and VERSION_KEY in meta) or header in ENVELOPE_VERSIONS:
        return Asked(Era.ENVELOPE, header or "", method, id_, params, has_routing_headers=header is not None)
    if header is None:
        return Asked(Era.HANDSHAKE, ASSUMED_VERSION, method, id_, params)
    if header in HANDSHAKE_VERSIONS:
        return Asked(Era.HANDSHAKE, header, method, id_, params, states_version=True)
    return Refused(
        400,
        UNSUPPORTED_VERSION,
        f"MCP-Protocol-Version {header!r} is not supported",
        id_,
        {"supported": [*ENVELOPE_VERSIONS, *HANDSHAKE_VERSIONS], "requested": header},
    )


def _is_initialize_by_envelope(params: Mapping[str, Any]) -> bool:
    """Whether `initialize` is asked by the rules of a revision that removed it: an envelope, and no handshake in it.

    A handshake with a newer header or envelope beside it stays a handshake: it must not fail on a version (CT-07).
    """
    meta = params.get("_meta")
    speaks = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
    return speaks in ENVELOPE_VERSIONS and not params.get("protocolVersion")


def _legal_id(value: Any) -> str | float | None:
    """`value` if MCP allows it as a request id: a string or an integer, of which JSON may write 1 as 1.0."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return value if not isinstance(value, float) or value.is_integer() else None
