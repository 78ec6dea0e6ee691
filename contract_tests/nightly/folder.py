"""The nights on disk: one folder for each, its stages' reports in it, and the lock that keeps two runs apart.

A night is complete when its `night.json` is there; before that, what was finished is used again by whoever comes next.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..errors import BadNight
from .night import Night, as_json, from_json

_NIGHT: Final = "night.json"
_NAME: Final = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"


class Nights:
    """The nights below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, date: str) -> Path:
        """The folder of one night, which is made if need be.

        Raises:
            BadNight: It cannot be made.
        """
        return _made(self.folder / date)

    def complete(self, date: str) -> Night | None:
        """A night that is over; None if it is not, or cannot be read any more: then it is done anew."""
        try:
            return from_json(json.loads((self.folder / date / _NIGHT).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None

    def before(self, date: str) -> Iterator[Night]:
        """Earlier nights that are over, the last one first. One that cannot be read is left out."""
        for place in sorted(self.folder.glob(_NAME), reverse=True):
            if place.name < date and (night := self.complete(place.name)) is not None:
                yield night

    def finish(self, night: Night) -> None:
        """Write the night down as over."""
        self.write(night.date, _NIGHT, as_json(night))

    def write(self, date: str, name: str, data: Any) -> None:
        """Put data in the place of a file at once, so that nobody finds half of it.

        Raises:
            BadNight: It cannot be written.
        """
        place = self.of(date) / name
        made = place.with_name(f"{name}.{os.getpid()}.new")
        try:
            made.write_text(json.dumps(data, indent=1, ensure_ascii=True) + "\n", encoding="ascii")
            made.replace(place)
        except OSError as problem:
            raise BadNight(
                f"{place} cannot be written: {problem.strerror}. Free some room and run it again"
            ) from problem

    def clear(self, date: str) -> None:
        """Forget one night, so that it is done anew."""
        shutil.rmtree(self.folder / date, ignore_errors=True)

    def forget(self, keep: int) -> None:
        """Delete all but the last `keep` nights."""
        for place in sorted(self.folder.glob(_NAME))[:-keep]:
            shutil.rmtree(place, ignore_errors=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep a second run away meanwhile; the system ends the lock of whoever dies.

        Raises:
            BadNight: Another run is at work, or the folder cannot be made or written to.
        """
        import fcntl  # noqa: PLC0415 - not on Windows, where nobody runs nights

        try:
            file = (_made(self.folder) / "lock").open("ab")
        except OSError as problem:
            raise BadNight(
                f"{self.folder} cannot be written to: {problem.strerror}. Name another folder in [nightly]"
            ) from problem
        with file as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as taken:
                raise BadNight(
                    f"another night is under way in {self.folder}: wait for it, or name another folder in [nightly]"
                ) from taken
            yield


def _made(place: Path) -> Path:
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise BadNight(f"{place} cannot be made: {problem.strerror}. Name another folder in [nightly]") from problem
    return place
