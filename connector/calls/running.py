"""How a declared method becomes a tool function of the SDK: the thread or the loop, the deadline, the `Call`.

Knows asyncio and anyio. Does not know HTTP, nor what becomes of the answer.
"""

import asyncio
import dataclasses
import dis
import functools
import inspect
import logging
import time
import typing
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from itertools import pairwise
from types import CodeType, GenericAlias
from typing import Any, Final

import anyio
import anyio.to_thread
import pydantic
from mcp.server.mcpserver import Context

from ..declaration import Declaration
from ..errors import DeclarationError, OutcomeUnknown, ToolFailed
from ..file_settings import FileSettings
from ..files.declaring import FileParameter, file_parameters
from ..files.intake import Intake
from ..upstream import Upstream
from .answering import blocks_of
from .attempt import ATTEMPT
from .call import Call
from .deadline import ANSWER_BY, Bell, TimeIsUp
from .pieces import PIECES, Pieces

logger = logging.getLogger("ballast.calls")

_CONTEXT: Final = "ballast_context"

TOO_LONG: Final = (
    "This took longer than can be waited for here and was stopped. Nothing was changed. Ask for less at once, or try "
    "again later."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds: the shortest time in which anybody wants an answer; after which a read is stopped that nobody waits for;
    and how exactly an answer is on time.
    """

    shortest: float = 54.76
    longest: float = 3600.0
    grain: float = 0.25


class Workers:
    """What all tools of one connector share: threads for `def` tools, the outside world, and the intake of files."""

    def __init__(self, threads: int, files: FileSettings, pace: Pace | None = None) -> None:
        self._threads = threads
        self.pace = pace or Pace()
        self.bell = Bell(self.pace.grain)
        self._limiter: anyio.CapacityLimiter | None = None
        self._running: set[asyncio.Future[Any]] = set()
        self.upstream = Upstream()
        self.files = Intake(files)

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        """Run `work` in a thread; wait for a free one without blocking the loop.

        A thread cannot be stopped. When the caller is cancelled (its deadline came, its client went), it is let go at
        once, and the thread keeps its place in the pool until it ends: the pool stays bounded whatever the tools do.
        """
        if self._limiter is None:  # a limiter belongs to the loop it was made in
            self._limiter = anyio.CapacityLimiter(self._threads)
        running = asyncio.ensure_future(anyio.to_thread.run_sync(work, limiter=self._limiter))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            running.add_done_callback(_note_outcome)
            raise

    async def aclose(self) -> None:
        """Close the connections to the outside world, and end the processes that read files."""
        await self.files.aclose()
        await self.upstream.aclose()


def _note_outcome(abandoned: asyncio.Future[Any]) -> None:
    if not abandoned.cancelled() and (raised := abandoned.exception()) is not None:
        logger.warning("A tool that nobody waited for any longer ended with %s", type(raised).__qualname__)


def tool_function(
    method: Callable[..., Any], declaration: Declaration, workers: Workers
) -> Callable[..., Awaitable[Any]]:
    """Wrap a bound method for `MCPServer.add_tool`.

    The wrapper shows the method's own signature, except that the `Call` parameter is replaced by the SDK's context.

    Raises:
        DeclarationError: An annotation cannot be resolved, or more than one parameter asks for the call.
    """
    signature, hints = _signature_of(method)
    call_parameter = _call_parameter(method, hints)
    files = file_parameters(method)
    hints |= {name: file.annotation() for name, file in files.items()}
    invoke = _looking_first(method, declaration, workers, files)
    name = declaration.name or method.__name__

    is_lasting = lasts(method, declaration, workers.pace)

    async def run(**arguments: Any) -> Any:
        context = arguments.pop(_CONTEXT, None)
        allowed = _time_of(declaration, workers.pace, is_lasting=is_lasting)
        if call_parameter is not None:
            PIECES.set(PIECES.get() or Pieces())
            arguments[call_parameter] = Call(context, tool=name, upstream=workers.upstream, ends=allowed.ends)
        work, ends, lasting = invoke(arguments), allowed.ends, allowed.lasting
        del arguments, context, allowed  # every quiet stream keeps this frame, and what it holds
        if ends is None:
            return await work
        if lasting is not None:
            return await _lasting(lasting, declaration, work)
        try:
            with workers.bell.at(ends):
                return await work
        except TimeIsUp:
            raise ToolFailed(TOO_LONG) from None

    _present(run, method, signature, hints, call_parameter)
    return run


def names_its_wish(method: Callable[..., Any], declaration: Declaration) -> bool:
    """Whether every call of the tool carries a key that names its wish, because the guard's parameter is required.

    Raises:
        DeclarationError: The guard names a parameter that the tool does not have.
    """
    guard = declaration.guarded_by
    if guard is None or guard.key is None:
        return False
    parameters = inspect.signature(method).parameters
    if guard.key not in parameters:
        raise DeclarationError(
            f"{method.__qualname__}: Guard(key={guard.key!r}) names no parameter of it "
            f"(there are: {', '.join(parameters) or 'none'}): name one, or add it"
        )
    return parameters[guard.key].default is inspect.Parameter.empty


def _signature_of(method: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    try:
        signature, hints = inspect.signature(method, eval_str=True), typing.get_type_hints(method, include_extras=True)
    except NameError as missing:
        raise DeclarationError(
            f"{method.__qualname__}: the annotation {missing.name!r} is not defined there: import it at module level"
        ) from missing
    if hints.get("return") in (bytes, bytearray):  # compared, not hashed: what is in Annotated may have no hash
        raise DeclarationError(
            f"{method.__qualname__} returns bytes, and no host knows of what kind: return Image or Audio of "
            "mcp.server.mcpserver, or an EmbeddedResource with a media type"
        )
    return signature, hints


def _call_parameter(method: Callable[..., Any], hints: dict[str, Any]) -> str | None:
    names = [name for name, hint in hints.items() if hint is Call and name != "return"]
    if len(names) > 1:
        raise DeclarationError(f"{method.__qualname__} asks for the call more than once ({', '.join(names)}): keep one")
    return names[0] if names else None


def _invoker(method: Callable[..., Any], workers: Workers) -> Callable[[dict[str, Any]], Awaitable[Any]]:
    if inspect.isasyncgenfunction(method):
        return lambda arguments: _gathered(method(**arguments))
    if inspect.isgeneratorfunction(method):
        raise DeclarationError(f"{method.__qualname__} yields: write it as `async def`, so that it can be waited for")
    if inspect.iscoroutinefunction(method):
        return lambda arguments: method(**arguments)
    return lambda arguments: workers.in_thread(functools.partial(method, **arguments))


def _with_files(
    invoke: Callable[[dict[str, Any]], Awaitable[Any]], workers: Workers, files: Mapping[str, FileParameter]
) -> Callable[[dict[str, Any]], Awaitable[Any]]:
    """Invoke the method with the files its arguments refer to; they are gone afterwards."""

    async def run(arguments: dict[str, Any]) -> Any:
        async with workers.files.opened(arguments, files, ends=ANSWER_BY.get()) as opened:
            return await invoke(opened)

    return run if files else invoke


async def _gathered(values: AsyncGenerator[Any, None]) -> list[Any]:
    """What a generator gives: each value is partial content at once, and all of them are the result."""
    pieces, gathered = PIECES.get() or Pieces(), []
    async with aclosing(values):
        async for value in values:
            pieces.add(blocks_of(value))
            gathered.append(value)
    return gathered


def lasts(method: Callable[..., Any], declaration: Declaration, pace: Pace) -> bool:
    """Whether calls of the tool may be answered before they have ended: as declared; else if it is an async generator,
    has a deadline that not everybody waits for, or calls `call.partial` itself.
    """
    if declaration.partial is not None:
        return declaration.partial
    if inspect.isasyncgenfunction(method):
        return True
    if declaration.deadline is not None and declaration.deadline > pace.shortest:
        return True
    code, parameter = getattr(method, "__code__", None), _call_parameter(method, _signature_of(method)[1])
    return code is not None and parameter is not None and _gives_parts(code, parameter)


def _gives_parts(code: CodeType, parameter: str) -> bool:
    """Whether the code says `parameter.partial`, also in a function within it."""
    steps = list(dis.get_instructions(code))
    is_said = any(step.argval == "partial" and _loads(before.argval, parameter) for before, step in pairwise(steps))
    return is_said or any(isinstance(each, CodeType) and _gives_parts(each, parameter) for each in code.co_consts)


def _loads(loaded: Any, parameter: str) -> bool:
    """From Python 3.13 on, one step may load two names."""
    return loaded == parameter or (isinstance(loaded, tuple) and loaded[-1:] == (parameter,))


def _looking_first(
    method: Callable[..., Any], declaration: Declaration, workers: Workers, files: Mapping[str, FileParameter]
) -> Callable[[dict[str, Any]], Awaitable[Any]]:
    """Invoke the method; in a further attempt only if the guard's probe does not find the effect of an earlier one."""
    invoke = _with_files(_invoker(method, workers), workers, files)
    guard = declaration.guarded_by
    if guard is None or not callable(guard.after_crash):
        return invoke
    probe = _invoker(functools.partial(guard.after_crash, _owner_of(method)), workers)

    async def run(arguments: dict[str, Any]) -> Any:
        attempt = ATTEMPT.get()
        if attempt is None or attempt.number == 1:
            return await invoke(arguments)
        try:
            found = await probe({"key": attempt.key})
        except Exception as failed:
            raise OutcomeUnknown(
                "An earlier attempt at this call was cut off, and it could not be found out whether it had its effect. "
                "Nothing was done now; look first."
            ) from failed
        return await invoke(arguments) if found is None else found

    return run


def _owner_of(method: Callable[..., Any]) -> Any:
    owner = getattr(method, "__self__", None)
    if owner is None:
        raise DeclarationError(f"{method!r} is no method, so after_crash cannot be called with its owner: use 'rerun'")
    return owner


@dataclass(frozen=True, slots=True)
class _Time:
    """When a call is stopped, on the monotonic clock, and how long (seconds) that is; None where only its answer is
    waited for.
    """

    ends: float | None
    lasting: float | None


def _time_of(declaration: Declaration, pace: Pace, *, is_lasting: bool) -> _Time:
    lasting, answer_by = declaration.deadline, ANSWER_BY.get()
    if declaration.read_only and is_lasting:
        lasting = lasting or pace.longest
    ends = None if lasting is None else time.monotonic() + lasting
    if declaration.read_only and not is_lasting and answer_by is not None and (ends is None or answer_by < ends):
        return _Time(answer_by, None)
    return _Time(ends, lasting)


async def _lasting(seconds: float, declaration: Declaration, work: Awaitable[Any]) -> Any:
    with anyio.move_on_after(seconds):
        return await work
    stopped = f"This took longer than the {seconds:g} s it may take and was stopped. "
    if declaration.read_only:
        raise ToolFailed(f"{stopped}Ask for less at once, or try again later.")
    raise OutcomeUnknown(f"{stopped}Whether it had an effect is not known; look first.")


def _present(
    run: Callable[..., Any],
    method: Callable[..., Any],
    signature: inspect.Signature,
    hints: dict[str, Any],
    call_parameter: str | None,
) -> None:
    """Give `run` the name, the docstring and the signature that the SDK derives the schemas from."""
    run.__name__, run.__qualname__, run.__doc__ = method.__name__, method.__qualname__, inspect.getdoc(method)
    run.__module__ = method.__module__
    parameters = [p.replace(annotation=hints[p.name]) if p.name in hints else p for p in signature.parameters.values()]
    parameters = [p for p in parameters if p.name != call_parameter]
    annotations = {name: hint for name, hint in hints.items() if name != call_parameter}
    returned = _describable(signature.return_annotation)
    if returned is not signature.return_annotation:
        signature, annotations["return"] = signature.replace(return_annotation=returned), returned
    if call_parameter is not None:
        parameters.append(inspect.Parameter(_CONTEXT, inspect.Parameter.KEYWORD_ONLY, annotation=Context))
        annotations[_CONTEXT] = Context
    run.__annotations__ = annotations
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # inspect honours it


def _describable(returned: Any) -> Any:
    """A slotted dataclass as a model of the same members: the SDK reads defaults off the class, where slots stand in
    the way, and then leaves out the schema without a word. What a generator gives, as the list of it.
    """
    if typing.get_origin(returned) in {AsyncIterator, AsyncIterable, AsyncGenerator}:
        return GenericAlias(list, (_describable(typing.get_args(returned)[0]),))
    if not (isinstance(returned, type) and dataclasses.is_dataclass(returned) and "__slots__" in vars(returned)):
        return returned
    hints = typing.get_type_hints(returned, include_extras=True)
    members: dict[str, Any] = {each.name: (hints[each.name], _default(each)) for each in dataclasses.fields(returned)}
    return pydantic.create_model(
        returned.__name__, __config__=pydantic.ConfigDict(from_attributes=True), __doc__=returned.__doc__, **members
    )


def _default(member: dataclasses.Field[Any]) -> Any:
    if member.default_factory is not dataclasses.MISSING:
        return pydantic.Field(default_factory=member.default_factory)
    return ... if member.default is dataclasses.MISSING else member.default
