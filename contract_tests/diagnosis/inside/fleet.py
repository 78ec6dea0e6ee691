"""What a fleet says of one connector: who else began to fail in the same hour, and who had been deployed. Pure.

Unrelated connectors that fail together without a deploy are the strongest sign of a platform's incident; a deploy of
the failing one within the hour before is the strongest sign against it.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from ..weighing.verdict import Sign
from .book import Book, DeployRow
from .onset import Hour, hours_of, onset

_HOUR: Final = 3600
_TOGETHER: Final = 1
"""Hours between the onsets of two connectors that still began together: a moment can lie between two hours."""


def fleet_signs(book: Book, connector: str, now: float) -> tuple[Sign, ...]:
    """What the fleet says of the latest failures of a connector; nothing if it has none.

    Args:
        book: the rows of the whole fleet.
        connector: the failing one's name in it.
        now: seconds since 1970.
    """
    began = onset(hours_of(book.failures, connector), int(now) // _HOUR)
    if began is None:
        return ()
    found = (_deploy(book.deploys, connector, began), _others(book, connector, began, now), _hosts(began))
    return tuple(sign for sign in found if sign is not None)


def was_deployed(deploys: Iterable[DeployRow], connector: str, began: int) -> bool:
    """Whether a connector was deployed in the hour in which it began to fail, or in the one before."""
    start = (began - 1) * _HOUR
    return any(each.connector == connector and start <= each.at < start + 2 * _HOUR for each in deploys)


def _deploy(deploys: Sequence[DeployRow], connector: str, began: Hour) -> Sign | None:
    own = [each for each in deploys if each.connector == connector]
    if not own:
        return None  # nobody writes deploys down here: that none is known says nothing
    answer = "just-before" if was_deployed(own, connector, began.hour) else "none"
    fact = f"{connector} began to fail in the hour of {_time(began.hour)}, its last deploy was {_last(own)}"
    return Sign(question="deploy", answer=answer, fact=fact)


def _others(book: Book, connector: str, began: Hour, now: float) -> Sign | None:
    names = sorted({row.connector for row in book.failures} - {connector})
    hours = {name: hours_of(book.failures, name) for name in names}
    awake = [name for name in names if any(abs(each.hour - began.hour) <= _TOGETHER for each in hours[name])]
    if not awake:
        return None
    onsets = {name: onset(hours[name], int(now) // _HOUR) for name in awake}
    together = [name for name, its in onsets.items() if its is not None and abs(its.hour - began.hour) <= _TOGETHER]
    undeployed = [name for name in together if not was_deployed(book.deploys, name, began.hour)]
    if undeployed and not was_deployed(book.deploys, connector, began.hour):
        fact = f"{', '.join([connector, *undeployed])} began to fail in the hour of {_time(began.hour)}"
        return Sign(question="fleet", answer="several-at-once", fact=fact)
    if together:
        return None  # deploys on both sides: together says nothing of the platform, nor of this one alone
    return Sign(question="fleet", answer="only-this", fact=f"{', '.join(awake)} served calls as usual")


def _hosts(began: Hour) -> Sign | None:
    hosts: dict[str, tuple[int, int]] = {}
    for surface, total in began.totals.items():
        failed, asked = hosts.get(_host(surface), (0, 0))
        hosts[_host(surface)] = failed + began.surfaces.get(surface, 0), asked + total
    failing = [host for host, (failed, asked) in hosts.items() if failed and failed >= asked / 10]
    well = [host for host in hosts if host not in failing]
    if len(failing) > 1:
        return Sign(question="hosts-hit", answer="several", fact=f"{', '.join(sorted(failing))} failed")
    if failing and well:
        return Sign(question="hosts-hit", answer="one", fact=f"{failing[0]} failed, {', '.join(sorted(well))} did not")
    return None


_OF_OPENAI: Final = ("chatgpt", "chatgpt-codex", "openai", "responses-api", "realtime-api", "codex")


def _host(surface: str) -> str:
    """Whose client it is: surfaces of one platform fail together."""
    return "openai" if surface in _OF_OPENAI else surface.partition("-")[0]


def _time(hour: int) -> str:
    return datetime.fromtimestamp(hour * _HOUR, UTC).strftime("%Y-%m-%d %H:00 UTC")


def _last(deploys: Sequence[DeployRow]) -> str:
    return _time(int(max(each.at for each in deploys)) // _HOUR)
