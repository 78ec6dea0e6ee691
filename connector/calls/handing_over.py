"""From the SDK's tool call to the desk and back.

Arguments are validated before anything is claimed, so that what does not fit leaves no trace. Knows the SDK's `Tool`
and `Context`; does not know where answers go: it is told by whom that can be asked.
"""

from collections.abc import Awaitable, Callable, Mapping
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
from .desk import ATTEMPT, ORIGIN, Desk, NobodyAsks, Run
from .keys import PARAM_KEY, Request, nameless, unrelated
from .outcome import BACK_IN, NO_STORE, Ended, Outcome, Receipt, Reply, refusal
from .standing import Terms

READS: Final = Guard(after_crash="rerun", failures="retried", without_store="run")
"""The guard of a tool that only reads and may be answered before it has ended: two equal calls at once are one."""

LOOSE: Final = Guard(failures="retried", without_store="run")
"""That of a tool which writes, took its guard off, and may be answered before it has ended: no two calls are one."""

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
    Outcome.RUNNING: "ballast.call.running",
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
    """One call as the SDK hands it over. `replying` is None where nobody can say whether answers arrive.

    `answer_by` is on the monotonic clock. `lasts`: the tool may be answered before it has ended. `is_listed`: the model
    can call `continue_operation`.
    """

    tool: Tool
    arguments: dict[str, Any]
    context: Context[Any, Any]
    guard: Guard
    audience: str
    replying: Replying | None
    answer_by: float
    budget: int
    lasts: bool = False
    is_listed: bool = False

    @property
    def is_read(self) -> bool:
        """Whether nothing is lost where the call is stopped."""
        return self.guard is READS


async def run_once(handing: Handing, archive: Archive) -> ToolResult:
    """Run a guarded tool, or answer with what an equal call came to."""
    guard, own = handing.guard, list[ToolResult]()
    try:
        request = request_of(handing)
    except ValidationError as invalid:
        return not_called(handing.tool.name, invalid)
    try:
        desk = await archive.desk()
    except (StoreUnavailable, StoreTooNew):
        if guard.without_store == "run":
            return (await answer(handing.tool.name, running(handing)))[0]
        return _result(refusal(NO_STORE.format(seconds=BACK_IN)))
    ORIGIN.set(context_of(trace.get_current_span()))
    asked = unrelated(request) if guard is LOOSE else request
    reply = await desk.call(asked, guard, once(handing, own), terms_of(handing, desk, request))
    _say(reply)
    note_when_delivered(desk, reply.receipt, handing.replying)
    is_own = own and reply.outcome in {Outcome.EXECUTED, Outcome.BYPASSED}
    return own[0] if is_own else _result(reply.result)


def running(handing: Handing) -> Callable[[], Awaitable[ToolResult]]:
    """How the tool is run."""

    async def run() -> ToolResult:
        result: ToolResult = await handing.tool.run(handing.arguments, handing.context, convert_result=True)
        return result

    return run


def once(handing: Handing, own: list[ToolResult]) -> Run:
    """How the desk runs it. The result goes into `own`, unless it is not the answer."""

    async def run() -> Ended:
        _require_an_asker(handing.replying)
        result, state = await answer(handing.tool.name, running(handing))
        came_to = ended(result, state, handing.guard.failures)
        if came_to.state in {None, state}:
            own.append(result)
        return came_to

    return run


def terms_of(handing: Handing, desk: Desk, request: Request) -> Terms | None:
    """How the call may be answered before it has ended."""
    if desk.operations is None:
        return None
    return Terms(
        tool=handing.tool.name,
        answer_by=handing.answer_by,
        scope=desk.operations.scope_of(request),
        budget=handing.budget,
        lasts=handing.lasts,
        is_read=handing.is_read,
        is_unshapely=handing.tool.output_schema is not None,
        is_listed=handing.is_listed,
        arguments=handing.arguments if handing.lasts and handing.guard.takes_over else None,
    )


def _require_an_asker(replying: Replying | None) -> None:
    """What a frozen worker or a full queue held back may have been asked again elsewhere, and answered, long before:
    begun now, it would be an effect that nobody waits for, and its answer would go to the next equal wish.

    A further attempt goes on in any case: an earlier one may have been cut off half-way.
    """
    attempt = ATTEMPT.get()
    if replying is not None and attempt is not None and attempt.number == 1 and replying.has_left():
        raise NobodyAsks


def request_of(handing: Handing) -> Request:
    """The call in the desk's words.

    Raises:
        ValidationError: The arguments do not fit.
    """
    context, tool = handing.context.request_context, handing.tool
    params = context.params or {}
    meta, incoming = params.get("_meta"), context.request
    metadata = tool.fn_metadata
    fitting = metadata.arg_model.model_validate(metadata.pre_parse_json(handing.arguments))
    answers = {name: params[name] for name in ROUNDS if params.get(name) is not None}
    request = Request(
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
    return nameless(request) if handing.is_read else request


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


def note_when_delivered(desk: Desk, receipt: Receipt | None, replying: Replying | None) -> None:
    """Tell the store that an answer arrived, when it has."""
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
