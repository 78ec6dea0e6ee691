"""`Surface`: what a platform snapshots of a server, as values that a person can read in a pull request; and its file.

Taken from the replies of a run, so it is what hosts were told, behind a login too. Nothing is asked for it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import BadSurface
from ..judging.operators import look_up
from ..judging.reply import load, read_reply
from ..notation.session import MISSING
from ..outcome import Ending, Run, StepRun

FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """`tools` by name, as listed; `pages` by ui:// address, without their text, which may change behind its address."""

    instructions: str | None
    tools: Mapping[str, Mapping[str, Any]]
    pages: Mapping[str, Mapping[str, Any]]


def observed(run: Run) -> Surface:
    """What a run saw. Lists are laid over one another, for some hosts are shown less than others."""
    tools: dict[str, Mapping[str, Any]] = {}
    pages: dict[str, Mapping[str, Any]] = {}
    instructions: str | None = None
    for method, result in _answered(run):
        if method == "tools/list":
            tools |= {name: _told(tool) for name, tool in _by(result.get("tools"), "name")}
        elif method == "resources/read":
            pages |= {uri: _told(page, without=("text", "blob")) for uri, page in _by(result.get("contents"), "uri")}
        elif isinstance(said := result.get("instructions"), str):
            instructions = said
    shown = {uri: page for uri, page in pages.items() if uri.startswith("ui://")}
    return Surface(instructions=instructions, tools=tools, pages=shown)


_ASKED: Final = ("tools/list", "resources/read", "initialize", "server/discover")


def _answered(run: Run) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for step in (step for session in run.sessions for step in session.steps):
        method = _method(step)
        if method in _ASKED and step.received is not None and step.received.ending is Ending.COMPLETE:
            result = look_up(read_reply(step.received).message, ("result",))
            if isinstance(result, Mapping):
                yield method, result


def _method(step: StepRun) -> str:
    method = look_up(load(step.sent.body), ("method",)) if step.sent else MISSING
    return method if isinstance(method, str) else ""


def _by(items: Any, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping) and isinstance(name := item.get(key), str):
            yield name, item


def _told(item: Mapping[str, Any], without: tuple[str, ...] = ()) -> Mapping[str, Any]:
    return {key: value for key, value in item.items() if key not in without and value is not None}


def write_surface(surface: Surface, file: Path) -> None:
    """Write it, sorted and indented.

    Raises:
        OSError: it cannot be written.
    """
    value = {
        "format": FORMAT,
        "instructions": surface.instructions,
        "tools": surface.tools,
        "pages": surface.pages,
    }
    file.write_text(json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def read_surface(file: Path) -> Surface:
    """Read what `write_surface` wrote.

    Raises:
        BadSurface: it is missing, no JSON, or of another format.
    """
    again = f"Record it with --surface {file} --accept."
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BadSurface(f"{file} cannot be read: {problem}. {again}") from problem
    is_ours = isinstance(value, dict) and value.get("format") == FORMAT
    if not is_ours or not (_is_table(value.get("tools")) and _is_table(value.get("pages"))):
        raise BadSurface(f"{file} is no list of tools of format {FORMAT}. {again}")
    instructions = value.get("instructions")
    return Surface(
        instructions=instructions if isinstance(instructions, str) else None,
        tools=value["tools"],
        pages=value["pages"],
    )


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(row, dict) for row in value.values())
