"""What a recorded reply becomes as an expectation: status, media type, times, and the shape of its JSON. Pure.

Never a value, but for JSON-RPC error codes. Times are rounded up generously: they tell a hang from an answer, and no
busy machine from an idle one.
"""

from typing import Any, Final

from ..judging.operators import look_up
from ..judging.reply import EVENT_STREAM, Reply, load
from ..notation.session import MISSING
from ..outcome import Ending
from .exchange import Exchange
from .plain import is_plain
from .shape import shape_of

_ROUNDED: Final = (2, 5, 10, 20, 30, 60, 120, 300)
"""Seconds. A reply that took less than half of one of them is expected within it."""

_SHORTEST_GAP_WORTH_A_WORD = 1.0  # seconds
_CODES: Final = range(-32768, -31999)  # JSON-RPC 2.0, section 5.1: what the specification reserves
_TELLING_HEADERS: Final = ("www-authenticate", "location", "allow")
_EITHER: Final = ("application/json", EVENT_STREAM)
_NO_BODY: Final = (204, 304)


def expectation(exchange: Exchange, reply: Reply, request_id: Any, *, is_tool_own: bool = True) -> dict[str, Any]:
    """What the reply must be when it is played again; `request_id` is the template of the id that was asked with.

    `is_tool_own` says whether a call will be made with the recorded arguments: if not, its result may differ.
    """
    if exchange.status is None:
        return {"ending": ["complete", "cut"]} if exchange.ending is Ending.CUT_BY_CLIENT else {}
    expect: dict[str, Any] = {"status": [exchange.status]}
    if reply.media and exchange.status not in _NO_BODY and _has_body(exchange) and is_plain(reply.media):
        is_free = not is_tool_own and reply.media in _EITHER  # how long other arguments take decides
        expect["media"] = list(_EITHER) if is_free else [reply.media]
    if exchange.ending is Ending.CUT_BY_CLIENT:
        return expect | {"ending": ["cut"] if exchange.method == "GET" else ["complete", "cut"]} | _times(exchange)
    headers = {name.title(): {"present": True} for name in _TELLING_HEADERS if exchange.reply_header(name)}
    expect |= {"headers": headers} if headers else {}
    expect |= _of_body(exchange, reply, request_id, is_tool_own=is_tool_own)
    return expect | _times(exchange)


def rounded(seconds: float) -> int:
    """The time to expect a reply within that took so long."""
    return next((limit for limit in _ROUNDED if seconds * 2 <= limit), round(seconds * 2))


def _has_body(exchange: Exchange) -> bool:
    return exchange.method != "HEAD" and exchange.reply_body != b""


def _of_body(exchange: Exchange, reply: Reply, request_id: Any, *, is_tool_own: bool) -> dict[str, Any]:
    if exchange.method == "HEAD" or exchange.reply_body is None:
        return {}
    if not exchange.reply_body.strip():
        return {"body": "empty"}
    found: dict[str, Any] = {}
    if reply.media == EVENT_STREAM and reply.events and all(_is_message(event.data) for event in reply.events):
        found["events_carry_messages"] = True
    checks = _checks(reply.message, request_id, is_tool_own=is_tool_own)
    return found | ({"json": checks} if checks else {})


def _checks(message: Any, request_id: Any, *, is_tool_own: bool) -> list[dict[str, Any]]:
    if look_up(message, ("jsonrpc",)) is MISSING:
        return [] if message is MISSING else [{"at": [], "conforms": shape_of(message)}]
    checks = [] if request_id is None else [{"at": "id", "equals": request_id}]
    code = look_up(message, ("error", "code"))
    if isinstance(code, int) and not isinstance(code, bool):
        return [*checks, {"at": "error.code", **({"equals": code} if code in _CODES else {"type": "integer"})}]
    result = look_up(message, ("result",))
    if result is MISSING:
        return checks
    shape = shape_of(result) if is_tool_own else _any_result(result)
    return [*checks, {"at": "result", "conforms": shape}]


def _any_result(result: Any) -> dict[str, Any]:
    """The shape of a result that other arguments would have given too."""
    content = look_up(result, ("content",))
    if not isinstance(content, list):
        return {"type": "object"}
    item = {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}}
    return {"type": "object", "required": ["content"], "properties": {"content": {"type": "array", "items": item}}}


def _is_message(data: str) -> bool:
    return look_up(load(data), ("jsonrpc",)) is not MISSING


def _times(exchange: Exchange) -> dict[str, Any]:
    times: dict[str, Any] = {}
    if exchange.first_byte is not None:
        times["first_byte_within"] = rounded(exchange.first_byte)
    gap = exchange.longest_gap
    if gap is not None and gap >= _SHORTEST_GAP_WORTH_A_WORD and exchange.ending is Ending.COMPLETE:
        times["longest_gap"] = rounded(gap)
    return times
