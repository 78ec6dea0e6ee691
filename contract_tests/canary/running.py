"""All parts of a canary, one after the other where they share something, each within its own bounds.

Whatever goes wrong in one part is that part's own sentence: it never hides what the others found.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from time import monotonic

import anyio
import httpx2

from ..errors import TargetUnreachable
from ..offer.catalogue import CallableTool, Example, only_reading
from ..replay.survey import Surveyor
from ..replay.wire import Wire
from ..target.target import Target
from .api.answering import NAME as API
from .api.calling import call
from .documents.watching import Remembered, watch
from .findings import Part, Report, not_checked
from .sdk.comparing import NAME as SDK
from .sdk.installing import try_newest
from .settings import ApiSettings, SdkSettings, Settings, Source
from .state import read_state, state_file, write_state

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """Whom the newest client and the API call, and how."""

    target: Target | None = None
    headers: Headers = ()
    examples: Mapping[str, Example] = field(default_factory=dict)


_Ask = Callable[[], Awaitable[Part]]


async def run_canary(
    settings: Settings,
    target: Target | None = None,
    *,
    headers: Headers = (),
    examples: Mapping[str, Example] | None = None,
) -> Report:
    """Ask everything that the settings name, and remember it.

    `target` is what the newest client library is tried against, and what the API is asked to call if the settings name
    no other address.

    Raises:
        OSError: what was seen cannot be remembered.
    """
    started, since = datetime.now(UTC), monotonic()
    file = state_file(settings.state)
    state = read_state(file)
    remembered: dict[str, Remembered] = dict(state.parts)
    case = _Case(target=target, headers=headers, examples=examples or {})
    async with httpx2.AsyncClient(follow_redirects=False) as client:
        parts = await _all(_asked(settings, case, client, remembered, started))
    if settings.sources:
        write_state(remembered, file)
    return Report(
        started=started, duration=monotonic() - since, version=_own_version(), parts=parts, remarks=state.remarks
    )


def _asked(
    settings: Settings, case: _Case, client: httpx2.AsyncClient, remembered: dict[str, Remembered], now: datetime
) -> dict[str, _Ask]:
    """Every part by its name, in the order of the report."""
    asked: dict[str, _Ask] = {
        f"document {source.name}": partial(_watched, client, source, remembered, now) for source in settings.sources
    }
    if settings.api is not None:
        asked[API] = partial(_api, settings.api, case)
    if settings.sdk is not None:
        asked[SDK] = partial(_sdk, settings.sdk, case)
    return asked


async def _all(asked: Mapping[str, _Ask]) -> tuple[Part, ...]:
    """All parts at the same time."""
    found: dict[str, Part] = {}

    async def ask(name: str, part: _Ask) -> None:
        try:
            found[name] = await part()
        except Exception as problem:  # noqa: BLE001 - a broken part must not hide the others
            found[name] = not_checked(name, f"this part broke: {type(problem).__name__}: {problem}")

    async with anyio.create_task_group() as tasks:
        for name, part in asked.items():
            tasks.start_soon(ask, name, part)
    return tuple(found[name] for name in asked)


async def _watched(
    client: httpx2.AsyncClient, source: Source, remembered: dict[str, Remembered], now: datetime
) -> Part:
    part, known = await watch(client, source, remembered.get(source.name, {}), now)
    if known:
        remembered[source.name] = known
    return part


async def _api(settings: ApiSettings, case: _Case) -> Part:
    if not settings.server_url and case.target is not None:
        settings = replace(settings, server_url=case.target.addresses[-1])
    return await call(settings)


async def _sdk(settings: SdkSettings, case: _Case) -> Part:
    if case.target is None:
        return not_checked(SDK, "there is no target to try it against: name one")
    url, tool = await _address_and_tool(case)
    name, arguments = settings.tool, settings.arguments or {}
    if not name and tool is not None:
        name, arguments = tool.name, tool.arguments
    return await try_newest(settings, url, name, arguments, dict(case.headers))


async def _address_and_tool(case: _Case) -> tuple[str, CallableTool | None]:
    """Where the target answers as MCP, and a tool of it that only reads."""
    addresses = case.target.addresses if case.target is not None else ()
    async with Wire() as wire:
        for url in addresses:
            try:
                catalogue = await Surveyor(wire=wire, url=url, headers=case.headers).survey(case.examples)
            except TargetUnreachable:
                continue
            if catalogue.is_mcp:
                tool = only_reading(catalogue).tool()
                return url, tool if isinstance(tool, CallableTool) else None
    return addresses[0], None


def _own_version() -> str:
    try:
        return version("mcp-ballast")
    except PackageNotFoundError:
        return "unknown"
