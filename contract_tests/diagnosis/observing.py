"""Asks all questions of a diagnosis, those that take long at the same time, and keeps what came. Concludes nothing."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import anyio

from ..errors import TargetUnreachable
from ..offer.catalogue import CallableTool, Catalogue, Example
from ..outcome import Received
from ..replay.survey import Surveyor
from ..replay.wire import Wire
from ..target.target import Target
from .asking import Asker, Headers
from .observations import Observations, Place, Question

_Key = tuple[Place, Question]
_Ask = Callable[[], Awaitable[Received]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Whom to ask and how. `direct` is the connector's own address, empty if it is not known."""

    target: Target
    headers: Headers = ()
    examples: Mapping[str, Example] = field(default_factory=dict)
    direct: str = ""
    patience: float


async def observe(wire: Wire, case: Case) -> Observations:
    """Ask, and return what came back."""
    try:
        url, catalogue = await _survey(wire, case)
    except TargetUnreachable as problem:
        return Observations(url=case.target.url, direct=case.direct, patience=case.patience, trouble=str(problem))
    addresses = {Place.TARGET: url} | ({Place.DIRECT: case.direct} if case.direct else {})
    askers = {
        place: Asker(wire=wire, url=address, headers=case.headers, is_modern=catalogue.is_modern)
        for place, address in addresses.items()
    }
    slow = _slow_tool(catalogue)
    answers = await _small_calls(askers) | await _at_once(_long_questions(askers, case.patience, slow))
    why = {Question.SLOW: slow} if isinstance(slow, str) else {}
    return Observations(url=url, direct=case.direct, patience=case.patience, answers=answers, why=why)


async def _survey(wire: Wire, case: Case) -> tuple[str, Catalogue]:
    """The first of the target's addresses that answers as MCP, else the first that answers at all."""
    found = []
    for url in case.target.addresses:
        catalogue = await Surveyor(wire=wire, url=url, headers=case.headers).survey(case.examples)
        if catalogue.is_mcp:
            return url, catalogue
        found.append((url, catalogue))
    return found[0]


async def _small_calls(askers: Mapping[Place, Asker]) -> dict[_Key, Received]:
    """One after the other: their times are compared with each other."""
    answers: dict[_Key, Received] = {}
    for place, asker in askers.items():
        answers[place, Question.SMALL] = await asker.small()
        answers[place, Question.EVENTS] = await asker.small(events_only=True)
    return answers


def _long_questions(askers: Mapping[Place, Asker], patience: float, slow: CallableTool | str) -> dict[_Key, _Ask]:
    asked: dict[_Key, _Ask] = {}
    for place, asker in askers.items():
        asked[place, Question.STREAM] = partial(asker.stream, patience, may_be_compressed=False)
        asked[place, Question.COMPRESSED] = partial(asker.stream, patience, may_be_compressed=True)
    if isinstance(slow, CallableTool):
        asked[Place.TARGET, Question.SLOW] = partial(askers[Place.TARGET].slow, slow)
    return asked


async def _at_once(asked: Mapping[_Key, _Ask]) -> dict[_Key, Received]:
    answers: dict[_Key, Received] = {}

    async def ask(key: _Key, question: _Ask) -> None:
        answers[key] = await question()

    async with anyio.create_task_group() as tasks:
        for key, question in asked.items():
            tasks.start_soon(ask, key, question)
    return answers


def _slow_tool(catalogue: Catalogue) -> CallableTool | str:
    if not any(example.is_slow for example in catalogue.examples.values()):
        return "no slow tool is named in ballast.toml: [tools.NAME] slow = true"
    return catalogue.slow_tool()
