"""HAR 1.2 files as exchanges: what browsers and recording proxies export, with what each leaves out.

Sizes and times of -1 mean unknown. A body may be base64, absent, or split into parameters; a status of 0 means that no
reply came. Bodies are decoded already, whatever Content-Encoding says.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlencode, urlsplit

from ..errors import CannotRecord
from ..judging.operators import look_up
from .exchange import Exchange, Headers

_ENDPOINT: Final = ("/mcp", "/sse")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The exchanges of a HAR file with one server, in the order they began."""

    origin: str
    path: str
    began: datetime
    exchanges: tuple[Exchange, ...]
    unusable: int = 0


def read_har(file: Path, target: str = "") -> Archive:
    """Read what a HAR file holds of one server; without a target there must be one only.

    Raises:
        CannotRecord: it is no HAR file, or nothing in it is of that server; the sentence names those that are.
    """
    entries = _entries(file)
    origin = _origin(urlsplit(target)) if target else _only_origin(file, entries)
    own = [entry for entry in entries if _origin(urlsplit(_text(entry, "request", "url"))) == origin]
    if not own:
        known = ", ".join(_origins(entries)) or "none"
        raise CannotRecord(f"{file} holds nothing of {origin}. Its servers are: {known}.")
    own.sort(key=_began)
    began = _began(own[0])
    answered = [entry for entry in own if _number(entry, "response", "status") > 0]
    exchanges = tuple(_exchange(entry, began) for entry in answered)
    path = urlsplit(target).path.rstrip("/") if target else ""
    return Archive(
        origin=origin,
        path=path or _likeliest_path(exchanges),
        began=began,
        exchanges=exchanges,
        unusable=len(own) - len(answered),
    )


def _entries(file: Path) -> list[Any]:
    try:
        data = json.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as problem:
        raise CannotRecord(f"{file} cannot be read: {problem.strerror}. Name a HAR file.") from problem
    except (ValueError, RecursionError) as problem:
        raise CannotRecord(f"{file} is no HAR file: it is no JSON. Export it again as HAR 1.2.") from problem
    entries = look_up(data, ("log", "entries"))
    if not isinstance(entries, list):
        raise CannotRecord(f"{file} is no HAR file: it has no log.entries. Export it again as HAR 1.2.")
    return [entry for entry in entries if urlsplit(_text(entry, "request", "url")).scheme in {"http", "https"}]


def _only_origin(file: Path, entries: list[Any]) -> str:
    origins = _origins(entries)
    if len(origins) == 1:
        return origins[0]
    known = ", ".join(origins) or "none"
    raise CannotRecord(f"{file} holds exchanges with {len(origins)} servers ({known}). Name one of them as TARGET.")


def _origins(entries: list[Any]) -> list[str]:
    return list(dict.fromkeys(_origin(urlsplit(_text(entry, "request", "url"))) for entry in entries))


def _origin(parts: SplitResult) -> str:
    """The origin in lower case and without a default port, as browsers compare them."""
    default = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower().removesuffix(default)}"


def _likeliest_path(exchanges: tuple[Exchange, ...]) -> str:
    """Where JSON-RPC was posted to most often."""
    posted = [exchange.path for exchange in exchanges if b'"jsonrpc"' in (exchange.body or b"")]
    return max(posted, key=posted.count) if posted else _ENDPOINT[0]


def _exchange(entry: Any, began: datetime) -> Exchange:
    parts = urlsplit(_text(entry, "request", "url"))
    headers = _headers(entry, "request")
    if not any(name.lower() == "host" for name, _ in headers):
        headers = (*headers, ("Host", parts.netloc))
    wait = [max(0.0, _number(entry, "timings", name)) for name in ("send", "wait")]
    return Exchange(
        method=_text(entry, "request", "method").upper(),
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        headers=headers,
        body=_request_body(entry),
        status=int(_number(entry, "response", "status")),
        reply_headers=tuple(pair for pair in _headers(entry, "response") if pair[0].lower() != "content-encoding"),
        reply_body=_reply_body(entry),
        started=(_began(entry) - began).total_seconds(),
        duration=max(0.0, _number(entry, "time")) / 1000,
        first_byte=sum(wait) / 1000 if any(wait) else None,
        client=_text(entry, "_connectionId") or _text(entry, "connection"),
    )


def _headers(entry: Any, side: str) -> Headers:
    """The headers, without the pseudo-headers of HTTP/2."""
    found = look_up(entry, (side, "headers"))
    pairs = [(_text(pair, "name"), _text(pair, "value")) for pair in found] if isinstance(found, list) else []
    return tuple((name, value) for name, value in pairs if name and not name.startswith(":"))


def _request_body(entry: Any) -> bytes | None:
    data = look_up(entry, ("request", "postData"))
    if not isinstance(data, Mapping):
        return b"" if _number(entry, "request", "bodySize") <= 0 else None
    if isinstance(data.get("text"), str) and data["text"]:
        return _decoded(data)
    parameters = data.get("params")
    if isinstance(parameters, list) and parameters and _FORM in _text(data, "mimeType"):
        return urlencode([(_text(pair, "name"), _text(pair, "value")) for pair in parameters]).encode()
    return b""


def _reply_body(entry: Any) -> bytes | None:
    content = look_up(entry, ("response", "content"))
    if isinstance(content, Mapping) and isinstance(content.get("text"), str):
        return _decoded(content)
    is_empty = _number(entry, "response", "content", "size") == 0 or _number(entry, "response", "status") in {202, 204}
    return b"" if is_empty else None


def _decoded(data: Mapping[str, Any]) -> bytes | None:
    if data.get("encoding") != "base64":
        return str(data["text"]).encode("utf-8", "replace")
    try:
        return base64.b64decode(data["text"])
    except (binascii.Error, ValueError):
        return None


def _began(entry: Any) -> datetime:
    """The moment an entry began; the epoch if it does not say."""
    try:
        moment = datetime.fromisoformat(_text(entry, "startedDateTime"))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(value: Any, *place: str) -> str:
    found = look_up(value, place)
    return found if isinstance(found, str) else ""


def _number(value: Any, *place: str) -> float:
    found = look_up(value, place)
    return float(found) if isinstance(found, int | float) else -1.0
