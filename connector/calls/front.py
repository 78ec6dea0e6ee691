"""In front of the desk: how long each call may wait, which tools may be answered before they have ended, and
`continue_operation`, the tool that gives the rest.

Knows the SDK's tools and contexts. Who asks, whether they may, and whether answers arrive is told by its maker.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, Any, Final, Protocol

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, ToolAnnotations
from mcp_types import Tool as Descriptor
from pydantic import Field

from ..declaration import Declaration
from ..errors import DeclarationError, StoreTooNew, StoreUnavailable
from ..guard import Guard
from ..patience import AnswerSettings
from ..principal import principal_of
from .archive import Archive
from .continuing import CANNOT_LOOK, Again, Continuing
from .deadline import ANSWER_BY, said_by
from .desk import Desk
from .handing_over import READS, SESSION_HEADER, Handing, Replying, note_when_delivered, once, terms_of
from .keys import Request
from .operations import Operation
from .outcome import BACK_IN, Reply, refusal
from .partial import CONTINUE, CONTINUED_SCHEMA, GONE, widened
from .pieces import PIECES
from .running import Pace, lasts
from .standing import Terms

DESCRIPTION: Final = (
    "Get the rest of an operation that was still running when it was answered, or what follows of an answer that was "
    "too long. Waits for the end of the operation as long as possible. Use the operation_id and the after of the last "
    "answer; every answer has a new after."
)

_CLIENT: Final = "io.modelcontextprotocol/clientInfo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What is known outside of this room.

    `patience` gives the seconds from a call's arrival to its answer, by its User-Agent and its client's name. `lacking`
    is the answer to who may not use a tool, from the request it came with, and None for who may. `replying` finds the
    reply on its way. `tool` and `guard_of` know the connector's tools.
    """

    patience: Callable[[str | None, str | None], float]
    lacking: Callable[[str, Any], Mapping[str, Any] | None]
    replying: Callable[[Context[Any, Any]], Replying | None]
    tool: Callable[[str], Tool | None]
    guard_of: Callable[[Tool], Guard | None]


class HasAccess(Protocol):
    """What a tool asks of its callers."""

    @property
    def anonymous(self) -> bool:
        """Whether it needs no token."""
        ...


class Front:
    """The front of one connector's desk. `shortest` is the shortest time (seconds) in which anybody wants an answer."""

    def __init__(self, settings: AnswerSettings, outside: Outside, *, audience: str, shortest: float) -> None:
        self._settings, self._outside, self._audience = settings, outside, audience
        self.pace = Pace(shortest=shortest, longest=settings.longest, grain=settings.margin / 20)
        self._lasting: set[str] = set()
        """Tools that may be answered before they have ended."""

    def guard_for(self, name: str, method: Callable[..., Any], declaration: Declaration) -> Guard | None:
        """How a declared tool is guarded; a lasting read is, too.

        Raises:
            DeclarationError: It has the name of our own tool.
        """
        if name == CONTINUE:
            raise DeclarationError(f"{method.__qualname__}: {CONTINUE!r} is a tool of the library itself: rename yours")
        if lasts(method, declaration, self.pace):
            self._lasting.add(name)
        own = declaration.guarded_by
        return READS if own is None and declaration.read_only and name in self._lasting else own

    def serves_anybody(self, access: Mapping[str, HasAccess]) -> bool:
        """Whether somebody without a token must be able to ask for a rest."""
        return any(access[name].anonymous for name in self._lasting)

    def fit(self, tool: Tool | None) -> None:
        """Let the output schema of a lasting tool say that it may be answered before it has ended."""
        if tool is not None and tool.name in self._lasting and tool.fn_metadata.output_schema is not None:
            tool.fn_metadata.output_schema = widened(tool.fn_metadata.output_schema)

    def listed(self, tools: list[Descriptor]) -> list[Descriptor]:
        """The tools that hosts are shown: without `continue_operation` where no tool can use it."""
        return tools if self._lasting else [tool for tool in tools if tool.name != CONTINUE]

    def begin(self, context: Context[Any, Any]) -> float:
        """A call has arrived. Gives when it must be answered, on the monotonic clock."""
        meta = _meta_of(context)
        seconds = said_by(meta)
        if seconds is None:
            info, request = meta.get(_CLIENT), context.request_context.request
            name = info.get("name") if isinstance(info, Mapping) else None
            agent = None if request is None else request.headers.get("user-agent")
            seconds = self._outside.patience(agent, name if isinstance(name, str) else None)
        else:
            seconds = max(seconds - self._settings.margin, seconds / 2)
        answer_by = monotonic() + seconds
        ANSWER_BY.set(answer_by)
        PIECES.set(None)
        return answer_by

    def handing(
        self, tool: Tool, arguments: dict[str, Any], context: Context[Any, Any], guard: Guard, answer_by: float
    ) -> Handing:
        """A guarded call, ready for the desk."""
        return Handing(
            tool=tool,
            arguments=arguments,
            context=context,
            guard=guard,
            audience=self._audience,
            replying=self._outside.replying(context),
            answer_by=answer_by,
            budget=self._settings.budget,
            lasts=tool.name in self._lasting,
            is_listed=bool(self._lasting),
        )

    def continuation(self, archive: Archive) -> Tool:
        """The tool that gives the rest."""

        async def continue_operation(
            context: Context[Any, Any],
            operation_id: Annotated[str, Field(description="The operation_id of the answer to be continued.")],
            after: Annotated[str, Field(description="The after of the last answer.")] = "",
        ) -> CallToolResult:
            return CallToolResult.model_validate(await self._rest(archive, operation_id, after, context))

        tool = Tool.from_function(
            continue_operation,
            name=CONTINUE,
            title="Continue an operation",
            description=DESCRIPTION,
            structured_output=False,
            annotations=ToolAnnotations(
                read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
            ),
        )
        tool.fn_metadata.output_schema = dict(CONTINUED_SCHEMA)
        return tool

    async def _rest(self, archive: Archive, id_: str, after: str, context: Context[Any, Any]) -> Mapping[str, Any]:
        try:
            desk = await archive.desk()
            if desk.operations is None:
                return refusal(GONE)
            continuing = Continuing(desk, archive.store, desk.operations)
            scope = desk.operations.scope_of(self._request_of(context))
            operation = await continuing.find(id_.strip(), scope)
        except (StoreUnavailable, StoreTooNew):
            return refusal(CANNOT_LOOK.format(seconds=BACK_IN))
        if operation is None:
            return refusal(GONE)
        lacking = self._outside.lacking(operation.tool, context.request_context.request)
        if lacking is not None:
            return lacking
        terms = Terms(
            tool=operation.tool,
            answer_by=ANSWER_BY.get() or monotonic() + self.pace.shortest,
            scope=scope,
            budget=self._settings.budget,
            lasts=True,
        )
        answered = await continuing.rest(operation, after, terms, self._again(desk, operation, context))
        note_when_delivered(desk, answered.receipt, self._outside.replying(context))
        return answered.result

    def _again(self, desk: Desk, operation: Operation, context: Context[Any, Any]) -> Again | None:
        """How a lost operation is begun again; None if it must not be, or no longer can."""
        tool = self._outside.tool(operation.tool)
        guard = None if tool is None else self._outside.guard_of(tool)
        arguments = operation.arguments
        if tool is None or guard is None or arguments is None or not guard.takes_over:
            return None

        async def again(operation: Operation, terms: Terms) -> Reply:
            handing = self.handing(tool, dict(arguments), context, guard, terms.answer_by)
            own = terms_of(handing, desk, self._request_of(context))
            return await desk.once(operation.wish, guard, once(handing, []), own)

        return again

    def _request_of(self, context: Context[Any, Any]) -> Request:
        """Who asks, in the desk's words."""
        incoming = context.request_context.request
        return Request(
            tool=CONTINUE,
            arguments={},
            meta=_meta_of(context),
            audience=self._audience,
            principal=None if incoming is None else principal_of(incoming.scope),
            session=None if incoming is None else incoming.headers.get(SESSION_HEADER),
        )


def _meta_of(context: Context[Any, Any]) -> Mapping[str, Any]:
    meta = (context.request_context.params or {}).get("_meta")
    return meta if isinstance(meta, Mapping) else {}
