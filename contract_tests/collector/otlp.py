"""OTLP trace exports, from the bytes on the wire to `Span` values and back to an answer.

Decides what counts as an export (protobuf or JSON, plain, gzip or deflate) and how much of one is kept.
Knows nothing of sockets, of who sent it, or of which trace is wanted.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2 as wire

from ..errors import BallastTestError
from ..outcome import Span

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

LONGEST_BODY = 16 * 1024 * 1024
"""Bytes of one export, before and after decompression. The SDK's default batch of 512 spans is far below."""

LONGEST_TEXT = 2_000
"""Characters kept of one name or attribute value; a span is shown to a person, not archived."""

MOST_ATTRIBUTES = 128
"""Attributes, links and events kept of one span: the SDKs' own default limit."""

_AUTO_WINDOW = 47  # zlib's wbits for "gzip or zlib, whichever the header says"
_ID_MEMBERS = frozenset({"traceId", "spanId", "parentSpanId"})


class Unreadable(BallastTestError):
    """These bytes are not an OTLP trace export. The sender must not send them again unchanged."""


def spans_in(body: bytes, *, media_type: str, encoding: str = "") -> tuple[Span, ...]:
    """The spans of one export, in the order sent.

    Args:
        body: as received, at most `LONGEST_BODY` bytes once decompressed.
        media_type: `application/x-protobuf` or `application/json`, without parameters.
        encoding: the Content-Encoding; empty, `identity`, `gzip` or `deflate`.

    Raises:
        Unreadable: the body does not decompress, is too long, or is no export.
    """
    plain = _decompressed(body, encoding)
    request = _from_json(plain) if media_type == JSON else _from_protobuf(plain)
    return tuple(_spans(request))


def acceptance(media_type: str, *, rejected: int = 0) -> bytes:
    """The body that acknowledges an export, in the sender's own form; `rejected` spans were not kept."""
    response = ExportTraceServiceResponse()
    if rejected:
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = f"{rejected} spans were rejected"
    return _written(response, media_type)


def refusal(media_type: str, message: str) -> bytes:
    """The body of an answer other than 200: the `google.rpc.Status` that OTLP asks for."""
    return _written(Status(message=message), media_type)


def _written(message: Any, media_type: str) -> bytes:
    if media_type == JSON:
        return str(json_format.MessageToJson(message, indent=None)).encode()
    return bytes(message.SerializeToString())


def _decompressed(body: bytes, encoding: str) -> bytes:
    if encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "deflate"}:
        raise Unreadable(f"Content-Encoding {encoding!r} is not supported: send gzip, deflate or none")
    inflater = zlib.decompressobj(_AUTO_WINDOW)
    try:
        plain = inflater.decompress(body, LONGEST_BODY)
    except zlib.error as error:
        raise Unreadable(f"the body is not {encoding}: {error}") from None
    if inflater.unconsumed_tail:
        raise Unreadable(f"the body is over {LONGEST_BODY} bytes once decompressed: send smaller batches")
    if not inflater.eof:
        raise Unreadable(f"the {encoding} body ends early")
    return plain


def _from_protobuf(body: bytes) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise Unreadable(f"the body is no ExportTraceServiceRequest: {error}") from None
    return request


def _from_json(body: bytes) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    try:
        json_format.ParseDict(_with_base64_ids(json.loads(body)), request, ignore_unknown_fields=True)
    except (ValueError, RecursionError, json_format.ParseError) as error:
        raise Unreadable(f"the body is no ExportTraceServiceRequest in JSON: {error}") from None
    return request


def _with_base64_ids(node: object) -> object:
    """OTLP/JSON writes ids in hexadecimal, where protobuf's own JSON form expects base64."""
    if isinstance(node, list):
        return [_with_base64_ids(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _base64(value) if key in _ID_MEMBERS and isinstance(value, str) else _with_base64_ids(value)
        for key, value in node.items()
    }


def _base64(digits: str) -> str:
    try:
        return base64.b64encode(bytes.fromhex(digits)).decode()
    except (ValueError, binascii.Error):
        raise Unreadable(f"{digits[:64]!r} is not an id in hexadecimal") from None


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        service = dict(_attributes(resource.resource.attributes)).get("service.name", "")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _span(span, service)


def _span(span: wire.Span, service: str) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        name=span.name[:LONGEST_TEXT],
        kind=_word(wire.Span.SpanKind, span.kind, "SPAN_KIND_"),
        started_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        status=_word(wire.Status.StatusCode, span.status.code, "STATUS_CODE_"),
        status_message=span.status.message[:LONGEST_TEXT],
        service=service,
        attributes=tuple(_attributes(span.attributes)),
        links=tuple(f"{link.trace_id.hex()}-{link.span_id.hex()}" for link in span.links[:MOST_ATTRIBUTES]),
        events=tuple((event.name[:LONGEST_TEXT], event.time_unix_nano) for event in span.events[:MOST_ATTRIBUTES]),
    )


def _word(enum: Any, number: int, prefix: str) -> str:
    """An enum's name in lower case. A number from a later protocol stays a number."""
    known = {value: name for name, value in enum.items()}
    return str(known.get(number, number)).removeprefix(prefix).lower()


def _attributes(pairs: Iterable[KeyValue]) -> Iterator[tuple[str, str]]:
    for position, pair in enumerate(pairs):
        if position == MOST_ATTRIBUTES:
            return
        yield pair.key[:LONGEST_TEXT], _text(pair.value)[:LONGEST_TEXT]


def _text(value: AnyValue) -> str:
    kind = value.WhichOneof("value")
    if kind is None:
        return ""
    if kind == "array_value":
        return "[" + ", ".join(_text(item) for item in value.array_value.values) + "]"
    if kind == "kvlist_value":
        return "{" + ", ".join(f"{item.key}: {_text(item.value)}" for item in value.kvlist_value.values) + "}"
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    if kind == "bytes_value":
        return value.bytes_value.hex()
    return str(getattr(value, kind))
