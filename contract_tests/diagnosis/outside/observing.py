"""Asks all questions of a diagnosis, those that take long at the same time, and keeps what came. Concludes nothing."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Final

import anyio

from ...errors import TargetUnreachable
from ...offer.catalogue import CallableTool, Catalogue, Example, only_reading
from ...outcome import Received
from ...replay.survey import Surveyor
from ...replay.wire import Wire
from ...target.target import Target
from .asking import CALL_LIMIT, Asker, Headers
from .connecting import connect
from .documents import fetch
from .observations import Observations, Place, Question

_AGENTS: Final = {
    Question.AS_CHATGPT: "openai-mcp/1.0.0 (ChatGPT)",
    Question.AS_CLAUDE: "Claude-User",
    Question.AS_PYTHON: "python-httpx/0.28.1",
}
"""Names under which platforms call."""
_BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
"""A name that no rule against bots refuses."""

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
    connection = await connect(case.target.url)
    try:
        url, catalogue = await _survey(wire, case)
    except TargetUnreachable as problem:
        return Observations(
            url=case.target.url,
            direct=case.direct,
            patience=case.patience,
            trouble=str(problem),
            connection=connection,
            answers=await _direct_alone(wire, case),
        )
    askers = _askers(wire, case, url, is_modern=catalogue.is_modern)
    own, tool, slow = askers[Place.TARGET], only_reading(catalogue).tool(), _slow_tool(catalogue)
    answers = await _small_calls(askers)
    answers |= await _at_once(_quick_questions(own, tool, case) | _long_questions(askers, case.patience, slow))
    challenge = await replace(own, headers=()).small() if case.headers else answers[Place.TARGET, Question.SMALL]
    return Observations(
        url=url,
        direct=case.direct,
        patience=case.patience,
        answers=answers,
        why={question: why for question, why in ((Question.SLOW, slow), (Question.TOOL, tool)) if isinstance(why, str)},
        connection=connection,
        documents=await fetch(wire, url, challenge),
        tool=tool if isinstance(tool, CallableTool) else None,
        has_token=any(name.lower() == "authorization" for name, _ in case.headers),
        is_example=isinstance(tool, CallableTool) and _has_example(catalogue.examples, tool),
    )


def _askers(wire: Wire, case: Case, url: str, *, is_modern: bool) -> dict[Place, Asker]:
    addresses = {Place.TARGET: url} | ({Place.DIRECT: case.direct} if case.direct else {})
    return {
        place: Asker(wire=wire, url=address, headers=case.headers, is_modern=is_modern)
        for place, address in addresses.items()
    }


async def _direct_alone(wire: Wire, case: Case) -> dict[_Key, Received]:
    """What the connector's own address answers where the public one does not."""
    if not case.direct:
        return {}
    surveyor = Surveyor(wire=wire, url=case.direct, headers=case.headers)
    try:
        catalogue = await surveyor.survey(case.examples)
    except TargetUnreachable:
        catalogue = Catalogue()
    asker = _askers(wire, case, case.target.url, is_modern=catalogue.is_modern)[Place.DIRECT]
    return {(Place.DIRECT, Question.SMALL): await asker.small()}


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


def _quick_questions(own: Asker, tool: CallableTool | str, case: Case) -> dict[_Key, _Ask]:
    """What others are answered, and what a tool answers; one with made-up arguments may wait for ever."""
    asked: dict[_Key, _Ask] = {(Place.TARGET, question): own.named(agent).small for question, agent in _AGENTS.items()}
    asked[Place.TARGET, Question.AS_BROWSER] = partial(_in_either_era, own.named(_BROWSER))
    if isinstance(tool, CallableTool):
        limit = CALL_LIMIT if _has_example(case.examples, tool) else case.patience
        asked[Place.TARGET, Question.TOOL] = partial(own.call, tool, limit=limit)
    return asked


def _long_questions(askers: Mapping[Place, Asker], patience: float, slow: CallableTool | str) -> dict[_Key, _Ask]:
    asked: dict[_Key, _Ask] = {}
    for place, asker in askers.items():
        asked[place, Question.STREAM] = partial(asker.stream, patience, may_be_compressed=False)
        asked[place, Question.COMPRESSED] = partial(asker.stream, patience, may_be_compressed=True)
    if isinstance(slow, CallableTool):
        asked[Place.TARGET, Question.SLOW] = partial(askers[Place.TARGET].slow, slow)
    return asked


async def _in_either_era(asker: Asker) -> Received:
    """A small call; in the other era too where the first is no success, for then the survey was refused as well."""
    first = await asker.small()
    if first.status in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED}:
        return first
    second = await replace(asker, is_modern=not asker.is_modern).small()
    return second if second.status == HTTPStatus.OK else first


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


def _has_example(examples: Mapping[str, Example], tool: CallableTool) -> bool:
    return examples.get(tool.name, Example()).arguments is not None
