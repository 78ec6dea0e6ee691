"""A tool of ten minutes, asked by a ChatGPT that hangs up after 119.8 s: `python -m tests.partial.ten_minutes`.

Everything is real: the process, the socket, the clock. `--faster 100` divides every time by 100, as the test does.
"""

import argparse
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import anyio
import click
import httpx2
from jsonschema import validate

from connector import Connector, Settings, StreamSettings, tool
from connector.patience import AnswerSettings
from tests import wire
from tests.loopback import served

LASTS: Final = 600.0
PIECES: Final = 60
CUT: Final = 119.8
"""Seconds that ChatGPT gives one tool call, whatever it hears meanwhile (measured 2026-09-18)."""

META: Final = {"openai/session": "v1/chat", "openai/subject": "v1/anna"}
AGENT: Final = "openai-mcp/1.0.0 (Codex)"


class Survey(Connector):
    """Surveys a town, house by house."""

    name = "survey"
    faster = 1.0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.begun = 0

    @tool(read_only=True, deadline=2 * LASTS)
    async def survey(self, town: str) -> AsyncIterator[str]:
        """Look at every house. Takes ten minutes."""
        self.begun += 1
        for house in range(PIECES):
            await anyio.sleep(LASTS / PIECES / self.faster)
            yield f"{town}, house {house + 1}: looked at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as the host sees it: when (seconds from the start), after how long, and how it was framed."""

    at: float
    took: float
    heartbeats: int
    result: Mapping[str, Any]


@dataclass(slots=True)
class Story:
    """What happened."""

    answers: list[Answer] = field(default_factory=list)
    begun: int = 0
    cut: int = 0

    @property
    def statuses(self) -> list[str]:
        """What each answer says of the operation."""
        return [answer.result["structuredContent"].get("status", "whole") for answer in self.answers]

    @property
    def lines(self) -> list[str]:
        """Every line of the survey that the model has read, in order."""
        texts = [block["text"] for answer in self.answers for block in answer.result["content"]]
        return [text for text in texts if ", house " in text]


class Host:
    """Calls tools as ChatGPT does, and hangs up when its time is over."""

    def __init__(self, url: str, faster: float) -> None:
        self._url, self._faster, self._began = url, faster, time.monotonic()
        self._said = wire.headers(User_Agent=AGENT)
        self._client = httpx2.Client(timeout=CUT)  # made beforehand: a client reads certificates first
        self.schemas: dict[str, Any] = {each["name"]: each.get("outputSchema") for each in self._list()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(self, name: str, arguments: Mapping[str, Any]) -> Answer | None:
        """Call a tool; None if it was cut off."""
        since, read = time.monotonic(), b""
        body = json.dumps(wire.call(name, dict(arguments), meta=META)).encode()
        with self._client.stream("POST", f"{self._url}/mcp", content=body, headers=self._said) as reply:
            for chunk in reply.iter_raw():
                read += chunk
                if (time.monotonic() - since) * self._faster > CUT:
                    return None
            is_whole = reply.headers["content-type"] == "application/json"
        result = (json.loads(read) if is_whole else wire.messages(read)[-1])["result"]
        if self.schemas[name] is not None and not result.get("isError"):
            validate(result["structuredContent"], self.schemas[name])  # hosts do, and refuse what does not fit
        took = (time.monotonic() - since) * self._faster
        at = (time.monotonic() - self._began) * self._faster
        return Answer(at=at, took=took, heartbeats=read.count(b"\n: "), result=result)

    def _list(self) -> list[dict[str, Any]]:
        tools: list[dict[str, Any]] = wire.post(self._url, wire.request("tools/list")).json()["result"]["tools"]
        return tools


def settings(faster: float, margin: float) -> Settings:
    """The defaults, every time of them divided; `margin` in seconds, before it is."""
    limits = {"chatgpt-codex": CUT / faster}
    answer = AnswerSettings(limits=limits, margin=margin / faster, checkpoint=2.0 / faster)
    stream = StreamSettings(first_byte=max(1.0 / faster, 0.02), interval=max(5.0 / faster, 0.05))
    return Settings(answer=answer, stream=stream)


def story(faster: float, margin: float = 5.0) -> Iterator[Story]:
    """What happens, told again after every answer."""
    survey, told = Survey(settings=settings(faster, margin), store="memory:"), Story()
    survey.faster = faster
    with served(survey.app()) as url, Host(url, faster) as host:
        name, arguments = "survey", {"town": "Ulm"}
        while name:
            answer = host.call(name, arguments)
            told.begun, told.cut = survey.begun, told.cut + (answer is None)
            if answer is None:
                break
            told.answers.append(answer)
            state = answer.result["structuredContent"]
            name = "continue_operation" if "after" in state else ""
            arguments = {"operation_id": state.get("operation_id"), "after": state.get("after")}
            yield told
    yield told


def main() -> int:
    """Tell it as it happens. 0 if nothing was cut off and nothing was lost."""
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("--faster", type=float, default=1.0)
    faster, told, shown = reading.parse_args().faster, Story(), 0
    click.echo("at (s)    took (s)  heartbeats  status    lines so far")
    for told in story(faster):
        for answer in told.answers[shown:]:
            status = told.statuses[shown]
            lines = len(told.lines)
            click.echo(f"{answer.at:7.1f}  {answer.took:8.1f}  {answer.heartbeats:10}  {status:8}  {lines:4}")
        shown = len(told.answers)
    is_whole = told.cut == 0 and len(told.lines) == PIECES == len(set(told.lines)) and told.begun == 1
    click.echo(f"cut off: {told.cut}, begun: {told.begun}, lines: {len(told.lines)} of {PIECES}")
    return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
