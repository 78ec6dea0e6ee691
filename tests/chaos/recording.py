"""A history as lines of JSON: one line a wish, an asking, a line of the ledger or a fault; and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.chaos.history import Asking, Ending, Fault, History, Told, Wish

_KINDS: Final[Mapping[str, type[Any]]] = {"wish": Wish, "asking": Asking, "told": Told, "fault": Fault}


def write(history: History, file: Path) -> None:
    """Write a history down."""
    lines: list[dict[str, Any]] = [{"line": "run", "grace": history.grace}]
    parts: list[Sequence[Any]] = [history.wishes, history.askings, history.told, history.faults]
    for kind, things in zip(_KINDS, parts, strict=True):
        lines += [{"line": kind, **asdict(thing)} for thing in things]
    file.write_text("".join(json.dumps(line, default=lambda ending: ending.value) + "\n" for line in lines))


def read(file: Path) -> History:
    """Read a history that was written down."""
    found: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
    grace = 0.0
    for text in file.read_text().splitlines():
        line = json.loads(text)
        kind = line.pop("line")
        if kind == "run":
            grace = line["grace"]
            continue
        if kind == "asking":
            line["ending"] = Ending(line["ending"])
        found[kind].append(_KINDS[kind](**line))
    return History(
        wishes=found["wish"], askings=found["asking"], told=found["told"], faults=found["fault"], grace=grace
    )
