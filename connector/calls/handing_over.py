"""From the SDK's tool call to the desk and back.

Arguments are validated before anything is claimed, so that what does not fit leaves no trace. Knows the SDK's `Tool`
and `Context`; does not know where answers go: it is told by whom that can be asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult
from opentelemetry import trace
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from ..errors import StoreTooNew, StoreUnavailable
from ..guard import Guard
from ..principal import principal_of
from ..telemetry.linking import context_of, point_to
from .answering import ToolResult, answer, ended, not_called
from .archive import Archive
from .desk import ATTEMPT, BACK_IN, ORIGIN, Desk, NobodyAsks
from .keys import PARAM_KEY, Request
from .outcome import NO_STORE, Ended, Outcome, Reply, refusal

SESSION_HEADER: Final = "mcp-session-id"
ROUNDS: Final = ("inputResponses", "requestState")
"""What a client adds when it answers `input_required` (MCP 2026-07-28): another wish than the call without it."""

OUTCOME: Final = "ballast.guard.outcome"
KEY_HASH: Final = "ballast.guard.key_hash"

NEWS: Final = {
    Outcome.JOINED: "ballast.call.joined",
    Outcome.REPLAYED: "ballast.call.replayed",
    Outcome.TAKEOVER: "ballast.call.taken_over",
    Outcome.UNKNOWN: "ballast.call.unknown",
}
"""What is told on the span as an event, at the moment at which the answer was known."""


class Replying(Protocol):
    """The reply on its way to whoever asked."""

    def has_left(self) -> bool:
        """Whether whoever asked is known to be gone."""
        ...

    def when_ended(self, tell: Callable[[bool], None]) -> None:
        """Have `tell` called at its end, with whether it was delivered."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """One call as the SDK hands it over. `replying` is None where nobody can say whether answers arrive."""

    tool: Tool
    arguments: dict[str, Any]
    context: Context[Any, Any]
    guard: Guard
    audience: str
    replying: Replying | None


async def run_once(handing: Handing, archive: Archive) -> ToolResult:
    """Run a guarded tool, or answer with what an equal call came to."""
    name, guard, own = handing.tool.name, handing.guard, list[ToolResult]()
    try:
        request = _request_of(handing)
    except ValidationError as invalid:
        return not_called(name, invalid)

    async def run() -> ToolResult:
        result: ToolResult = await handing.tool.run(handing.arguments, handing.context, convert_result=True)
        return result

    async def once() -> Ended:
        _require_an_asker(handing.replying)
        result, state = await answer(name, run)
        came_to = ended(result, state, guard.failures)
        if came_to.state in {None, state}:
            own.append(result)
        return came_to

    try:
        desk = await archive.desk()
    except (StoreUnavailable, StoreTooNew):
        if guard.without_store == "run":
            return (await answer(name, run))[0]
        return _result(refusal(NO_STORE.format(seconds=BACK_IN)))
    ORIGIN.set(context_of(trace.get_current_span()))
    reply = await desk.call(request, guard, once)
    _say(reply)
    _note_when_delivered(desk, reply, handing.replying)
    is_own = own and reply.outcome in {Outcome.EXECUTED, Outcome.BYPASSED}
    return own[0] if is_own else _result(reply.result)


def _require_an_asker(replying: Replying | None) -> None:
    """What a frozen worker or a full queue held back may have been asked again elsewhere, and answered, long before:
    begun now, it would be an effect that nobody waits for, and its answer would go to the next equal wish.

    A further attempt goes on in any case: an earlier one may have been cut off half-way.
    """
    attempt = ATTEMPT.get()
    if replying is not None and attempt is not None and attempt.number == 1 and replying.has_left():
        raise NobodyAsks


def _request_of(handing: Handing) -> Request:
    context, tool = handing.context.request_context, handing.tool
    params = context.params or {}
    meta, incoming = params.get("_meta"), context.request
    metadata = tool.fn_metadata
    fitting = metadata.arg_model.model_validate(metadata.pre_parse_json(handing.arguments))
    answers = {name: params[name] for name in ROUNDS if params.get(name) is not None}
    return Request(
        tool=tool.name,
        arguments=_as_json(fitting, handing.arguments),
        meta=meta if isinstance(meta, Mapping) else {},
        audience=handing.audience,
        param_key=params.get(PARAM_KEY),
        argument_key=_named_by(fitting, handing.guard),
        answers=answers or None,
        principal=None if incoming is None else principal_of(incoming.scope),
        session=None if incoming is None else incoming.headers.get(SESSION_HEADER),
    )


def _as_json(fitting: BaseModel, sent: dict[str, Any]) -> Mapping[str, Any]:
    """The arguments as the tool sees them, with defaults; but not those that are made anew for every call."""
    fields = type(fitting).model_fields
    made = {name for name, field in fields.items() if field.default_factory and name not in fitting.model_fields_set}
    try:
        return fitting.model_dump(mode="json", by_alias=True, exclude=made)
    except PydanticSerializationError:  # a type of the tool's own, which only its validator knows
        return sent


def _named_by(arguments: BaseModel, guard: Guard) -> Any:
    value = None if guard.key is None else getattr(arguments, guard.key, None)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _note_when_delivered(desk: Desk, reply: Reply, replying: Replying | None) -> None:
    receipt = reply.receipt
    if receipt is None:
        return
    if replying is None:
        desk.note_delivered(receipt)
    else:
        replying.when_ended(lambda is_delivered: desk.note_delivered(receipt) if is_delivered else None)


def _say(reply: Reply) -> None:
    span = trace.get_current_span()
    span.set_attribute(OUTCOME, reply.outcome.value)
    if reply.key_hash is not None:
        span.set_attribute(KEY_HASH, reply.key_hash)
    if reply.outcome in NEWS:
        span.add_event(NEWS[reply.outcome])
    point_to(span, reply.origin)


def _result(data: Mapping[str, Any]) -> CallToolResult:
    return CallToolResult.model_validate(data)
