"""Bodies with members and values nobody has heard of, the same for the same seed. Pure."""

import copy
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

_ODD: Final[tuple[Any, ...]] = (None, True, 0, -1.5, "x", "", [], [None], {}, {"a": {"b": [1]}}, "\u2028", 2**53)


def mutants(bodies: list[Mapping[str, Any]], random: Random, *, count: int) -> Iterator[dict[str, Any]]:
    """Give so many bodies: each one of the given ones with one to three changes. `method` and `id` stay."""
    for number in range(count):
        body: dict[str, Any] = copy.deepcopy(dict(bodies[number % len(bodies)]))
        for _ in range(random.randint(1, 3)):
            places = list(_objects(body))
            place = random.choice(places)
            names = ["ballastNew", "zzz", "_meta", *(name for name in place if place is not body)]
            place[random.choice(names)] = copy.deepcopy(random.choice(_ODD))
        yield body


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _objects(item)
