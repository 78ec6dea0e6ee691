"""Running a coroutine to its end from anywhere: with an event loop running, without one, in pytest-asyncio's modes."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import anyio

T = TypeVar("T")


def run_to_end(function: Callable[[], Awaitable[T]]) -> T:
    """Run `function` in an event loop of its own, in a thread of its own, and return what it gives.

    The caller's loop stands still meanwhile; a target it serves itself could not answer.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ballast-replay") as pool:
        return pool.submit(anyio.run, function).result()
