"""Doing what no order ties at the same time, a few at once, and giving the results in the order of the questions.

It knows nothing of sessions or contracts. What fails with an exception ends the others.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import anyio

AT_ONCE: Final = 4
"""Enough to hide waiting, too few to be a load that changes answers: hosts have as many requests open."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


async def side_by_side(
    items: Sequence[_Item],
    work: Callable[[_Item], Awaitable[_Result]],
    *,
    at_once: int,
    first: Callable[[_Item], Any] = lambda _: 0,
) -> list[_Result]:
    """Do the work of every item, at most `at_once` at the same time; where `first` is greater, it begins earlier."""
    found: dict[int, _Result] = {}
    waiting = iter(sorted(range(len(items)), key=lambda number: first(items[number]), reverse=True))

    async def take() -> None:
        for number in waiting:
            found[number] = await work(items[number])

    try:
        async with anyio.create_task_group() as group:
            for _ in range(min(at_once, len(items))):
                group.start_soon(take)
    except ExceptionGroup as several:
        raise several.exceptions[0] from several  # as if they had been done one after the other
    return [found[number] for number in range(len(items))]
