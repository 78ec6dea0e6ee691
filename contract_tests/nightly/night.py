"""A night as values: its stages, and what they found; and two nights side by side. Pure.

An item has a key that is the same from night to night as long as the same thing is wrong, so that only what is new
raises an alarm, and what is over is said once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

FORMAT: Final = 1


class Standing(StrEnum):
    """What became of a stage."""

    HOLDS = "holds"
    FINDING = "finding"
    BROKEN = "broken"
    """It could not be carried out. What the other stages say stands all the same."""
    NOT_CONFIGURED = "not configured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing somebody should know. `lasts` says whether it stays until it is mended: then its end is news too.

    `places` are where it shows; one more of them is news.
    """

    key: str
    severity: str
    title: str
    detail: str = ""
    advice: str = ""
    places: tuple[str, ...] = ()
    lasts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage as it went. `seconds` is how long it took; `summary` is its own last word."""

    name: str
    standing: Standing
    summary: str
    seconds: float = 0.0
    items: tuple[Item, ...] = ()
    page: str = ""
    """A report of its own beside the night's, by file name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A whole night. `date` is its name, YYYY-MM-DD; `told` says to whom its news went, or why not."""

    date: str
    target: str
    version: str
    stages: tuple[Stage, ...]
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def items(self) -> tuple[Item, ...]:
        """Everything that was found, gravest first."""
        found = [item for stage in self.stages for item in stage.items]
        return tuple(sorted(found, key=lambda item: _rank(item.severity)))

    @property
    def exit_code(self) -> int:
        """0: everything holds; 1: a finding; 2: no finding, and a stage could not be carried out, or none was."""
        standings = {stage.standing for stage in self.stages}
        if Standing.FINDING in standings:
            return 1
        return 2 if Standing.BROKEN in standings or Standing.HOLDS not in standings else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is otherwise than it was. `is_first` if there is nothing to compare with."""

    new: tuple[Item, ...] = ()
    over: tuple[Item, ...] = ()
    broken: tuple[str, ...] = ()
    """Stages that could not be carried out, and could before."""
    mended: tuple[str, ...] = ()
    is_first: bool = False

    @property
    def is_quiet(self) -> bool:
        """Whether nobody needs to hear of it."""
        return not (self.new or self.over or self.broken or self.mended)


def news(tonight: Night, before: Iterable[Night]) -> News:
    """What is new since each stage last had something to say. `before` are the earlier nights, the last one first."""
    earlier = tuple(before)
    parts = [_of_stage(stage, tuple(_same(stage.name, earlier))) for stage in tonight.stages]
    return News(
        new=tuple(item for part in parts for item in part.new),
        over=tuple(item for part in parts for item in part.over),
        broken=tuple(name for part in parts for name in part.broken),
        mended=tuple(name for part in parts for name in part.mended),
        is_first=not earlier,
    )


def _of_stage(stage: Stage, earlier: tuple[Stage, ...]) -> News:
    was_broken = bool(earlier) and earlier[0].standing is Standing.BROKEN
    if stage.standing is Standing.BROKEN:
        return News(broken=() if was_broken else (stage.name,))
    if stage.standing is Standing.NOT_CONFIGURED:
        return News()
    spoke = next((one for one in earlier if one.standing in {Standing.HOLDS, Standing.FINDING}), None)
    known = {} if spoke is None else {item.key: item for item in spoke.items}
    keys = {item.key for item in stage.items}
    return News(
        new=tuple(item for item in stage.items if _is_more(item, known.get(item.key))),
        over=tuple(item for key, item in known.items() if item.lasts and key not in keys),
        mended=(stage.name,) if was_broken else (),
    )


def _is_more(item: Item, before: Item | None) -> bool:
    return before is None or not set(item.places) <= set(before.places)


def _same(name: str, nights: Iterable[Night]) -> Iterator[Stage]:
    for night in nights:
        yield from (stage for stage in night.stages if stage.name == name)


_GRAVITY: Final = ("critical", "high", "serious", "medium", "minor", "low", "info")


def _rank(severity: str) -> int:
    return _GRAVITY.index(severity) if severity in _GRAVITY else len(_GRAVITY)


def as_json(night: Night) -> dict[str, Any]:
    """The night as data."""
    return {
        "format": FORMAT,
        "date": night.date,
        "target": night.target,
        "version": night.version,
        "exit_code": night.exit_code,
        "stages": [_plain(stage) for stage in night.stages],
        "told": dict(night.told),
    }


def _plain(stage: Stage) -> dict[str, Any]:
    items = [{name: getattr(item, name) for name in Item.__slots__} for item in stage.items]
    return {name: getattr(stage, name) for name in Stage.__slots__} | {"items": items}


def from_json(data: Mapping[str, Any]) -> Night:
    """A night back from its data.

    Raises:
        ValueError: it is no night of this format.
    """
    try:
        if data["format"] != FORMAT:
            raise ValueError(f"it is of format {data['format']!r}, and {FORMAT} is known here")
        stages = tuple(
            Stage(**{**stage, "standing": Standing(stage["standing"]), "items": tuple(map(_item, stage["items"]))})
            for stage in data["stages"]
        )
        return Night(
            date=data["date"], target=data["target"], version=data["version"], stages=stages, told=data["told"]
        )
    except (KeyError, TypeError) as problem:
        raise ValueError(f"it is damaged ({problem})") from problem


def _item(data: Mapping[str, Any]) -> Item:
    return Item(**{**data, "places": tuple(data["places"])})
