"""What the canary saw last time: one JSON file, replaced as a whole, so that a killed run leaves the old one behind.

A file that cannot be read is put aside and the canary begins anew, with a remark: a first sight is no change.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is remembered, by name of part, and remarks for people."""

    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def state_file(place: Path) -> Path:
    """The file of a state that is named by a file or by a folder."""
    return place / "canary.json" if place.is_dir() or (not place.suffix and not place.exists()) else place


def read_state(file: Path) -> State:
    """Read what is remembered; nothing if there is no file yet."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return State()
    except (OSError, ValueError) as problem:
        return State(remarks=(_put_aside(file, str(problem)),))
    if not isinstance(said, dict) or said.get("format") != FORMAT or not isinstance(said.get("parts"), dict):
        return State(remarks=(_put_aside(file, "it is of another form"),))
    return State(parts={name: own for name, own in said["parts"].items() if isinstance(own, dict)})


def write_state(parts: Mapping[str, Mapping[str, Any]], file: Path) -> None:
    """Remember.

    Raises:
        OSError: the file cannot be written; what was remembered before is still there.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"format": FORMAT, "parts": dict(parts)}, indent=1, sort_keys=True, ensure_ascii=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(text + "\n")
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _put_aside(file: Path, why: str) -> str:
    aside = file.with_name(f"{file.name}.unreadable")
    try:
        file.replace(aside)
    except OSError:
        return f"{file} cannot be used ({why}): begun anew"
    return f"{file} cannot be used ({why}): begun anew, and kept as {aside.name}"
