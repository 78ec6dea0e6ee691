"""In front of the desk: how long each call may wait, which tools may be answered before they have ended, and
`continue_operation`, the tool that gives the rest.

Knows the SDK's tools and contexts. Who asks, whether they may, and whether answers arrive is told by its maker.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, Any, Final, Protocol

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from mcp_types import Tool as Descriptor
from pydantic import Field

from ..declaration import Declaration
from ..errors import DeclarationError, StoreTooNew, StoreUnavailable
from ..guard import Guard
from ..patience import SMALLEST_BUDGET, AnswerSettings
from ..principal import principal_of
from .answering import ToolResult
from .archive import Archive
from .continuing import CANNOT_LOOK, Again, Continuing
from .counter import Counter, Shelf, contents_of, is_parcel
from .deadline import ANSWER_BY, said_by
from .desk import Desk
from .handing_over import LOOSE, READS, SESSION_HEADER, Handing, Replying, note_when_delivered, once, terms_of
from .keys import Request
from .operations import Operation
from .outcome import BACK_IN, Reply, refusal
from .parcels import SCHEME
from .partial import CONTINUE, CONTINUED_SCHEMA, GONE, widened
from .pieces import PIECES
from .running import Pace, lasts
from .standing import Terms

DESCRIPTION: Final = (
    "Get the rest of an operation that was still running when it was answered, or what follows of an answer that was "
    "too long. Waits for the end of the operation as long as possible. Use the operation_id and the after of the last "
    "answer; every answer has a new after."
)

_FEW: Final = SMALLEST_BUDGET
"""Bytes that fit into any budget: nearly every result is as short, and nothing else needs to be looked at."""

_AGENT: Final = b"user-agent"
_CLIENT: Final = "io.modelcontextprotocol/clientInfo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What is known outside of this room.

    `patience` gives the seconds from a call's arrival to its answer, by its User-Agent and its client's name; `budget`
    the bytes of text that may go out at once. `lacking`
    is the answer to who may not use a tool, from the request it came with, and None for who may. `replying` finds the
    reply on its way. `tool` and `guard_of` know the connector's tools.
    """

    patience: Callable[[str | None, str | None], float]
    budget: Callable[[str | None, str | None], int]
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
        self._counter = Counter(inline=settings.inline)
        self._budgets: dict[str, int] = {}
        self._lasting: set[str] = set()
        """Tools that may be answered before they have ended."""

    def guard_for(self, name: str, method: Callable[..., Any], declaration: Declaration) -> Guard | None:
        """How a declared tool is guarded; a lasting one is in any case, so that it can go on.

        Raises:
            DeclarationError: It has the name of our own tool.
        """
        if name == CONTINUE:
            raise DeclarationError(f"{method.__qualname__}: {CONTINUE!r} is a tool of the library itself: rename yours")
        if declaration.budget is not None:
            self._budgets[name] = declaration.budget
        if lasts(method, declaration, self.pace):
            self._lasting.add(name)
        own = declaration.guarded_by
        if own is not None or name not in self._lasting:
            return own
        return READS if declaration.read_only else LOOSE

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
        asked = context.request_context  # looked up once: the SDK's context is a model, and asks around for it
        meta = _meta_in(asked.params)
        seconds = said_by(meta)
        if seconds is None:
            seconds = self._outside.patience(*_client_in(meta, asked.request))
        else:
            seconds = max(seconds - self._settings.margin, seconds / 2)
        answer_by = monotonic() + seconds
        ANSWER_BY.set(answer_by)
        if PIECES.get() is not None:
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
            budget=self._budget_of(tool.name, context) or self._settings.most,
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

    async def fitted(self, result: ToolResult, tool: Tool, context: Context[Any, Any], archive: Archive) -> ToolResult:
        """A tool's result as it may go out to this host."""
        if not isinstance(result, CallToolResult) or _is_light(result, _FEW):
            return result
        budget = self._budget_of(tool.name, context)
        if _is_light(result, budget):
            return result
        data = result.model_dump(mode="json", by_alias=True, exclude_none=True)
        if not self._counter.takes(tool.name, data, budget or self._settings.most):
            return result
        try:
            desk = await archive.desk()
        except (StoreUnavailable, StoreTooNew):
            return result
        assert desk.operations is not None  # noqa: S101  # an archive's desk has them
        scope = desk.operations.scope_of(self._request_of(context))
        shelf = Shelf(operations=desk.operations, tool=tool.name, scope=scope, kept_for=self._settings.rest_kept)
        fit = await self._counter.fit(data, shelf, budget=budget, is_listed=bool(self._lasting))
        return CallToolResult.model_validate(fit)

    async def parcel(self, uri: str, context: Context[Any, Any], archive: Archive) -> ReadResourceContents | None:
        """What was kept back of a result, by the link that went out for it; None if it is not there for this caller.

        Raises:
            StoreUnavailable: It cannot be looked up now.
        """
        desk = await archive.desk()
        if desk.operations is None or not uri.startswith(SCHEME):
            return None
        operation = await desk.operations.get(uri.removeprefix(SCHEME))
        is_theirs = operation is not None and operation.scope == desk.operations.scope_of(self._request_of(context))
        if operation is None or operation.result is None or not is_theirs:
            return None
        if self._outside.lacking(operation.tool, context.request_context.request) is not None:
            return None
        content, mime_type = contents_of(operation)
        return ReadResourceContents(content=content, mime_type=mime_type)

    def _budget_of(self, tool: str, context: Context[Any, Any]) -> int:
        """Bytes of text in one answer; 0 for as much as there is."""
        own = self._budgets.get(tool)
        return self._outside.budget(*_client_of(context)) if own is None else own

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
        if operation is None or is_parcel(operation):
            return refusal(GONE)
        lacking = self._outside.lacking(operation.tool, context.request_context.request)
        if lacking is not None:
            return lacking
        terms = Terms(
            tool=operation.tool,
            answer_by=ANSWER_BY.get() or monotonic() + self.pace.shortest,
            scope=scope,
            budget=self._budget_of(operation.tool, context) or self._settings.most,
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


def _is_light(result: CallToolResult, most: int) -> bool:
    """Whether a result is text alone, and no more than so many bytes of it."""
    texts = [block.text for block in result.content if isinstance(block, TextContent)]
    if len(texts) < len(result.content) or sum(map(len, texts)) > most:
        return False
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) <= most


def _client_of(context: Context[Any, Any]) -> tuple[str | None, str | None]:
    """The User-Agent and the client's name, as far as they are said."""
    asked = context.request_context
    return _client_in(_meta_in(asked.params), asked.request)


def _client_in(meta: Mapping[str, Any], request: Any) -> tuple[str | None, str | None]:
    info = meta.get(_CLIENT)
    name = info.get("name") if isinstance(info, Mapping) else None
    agent = None
    if request is not None:  # by the raw lines, of which there are few: every call pays for this
        agent = next((value.decode("latin-1") for line, value in request.scope["headers"] if line == _AGENT), None)
    return agent, name if isinstance(name, str) else None


def _meta_of(context: Context[Any, Any]) -> Mapping[str, Any]:
    return _meta_in(context.request_context.params)


def _meta_in(params: Mapping[str, Any] | None) -> Mapping[str, Any]:
    meta = (params or {}).get("_meta")
    return meta if isinstance(meta, Mapping) else {}
