"""`Book`: the visitors' book of one connector in one process. What came is read beside the traffic, in small slices,
and put on the shelf in batches.

On the way of a request only two references are queued. All reading together gets a fixed share of the loop's time; what
arrives faster than that is sampled, and nothing ever waits for the book. A store that is away loses nothing but what
does not fit in memory.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

from ..errors import StoreUnavailable
from ..oauth.noticed import Noticed
from ..settings import BookSettings, Settings
from ..stores.port import Store
from .register import Arrived, CameTo, Entry, Register
from .shelf.shelving import Shelf
from .shelf.tally import HourTally, ShapeTally
from .sighting import FirstSight

logger = logging.getLogger("ballast.recorder")

PAUSE: Final = 0.1
"""Seconds between two slices of reading."""

SHARE: Final = 0.006
"""Of the CPU time of the loop's thread that reading may take, in the long run. With what queueing costs, the book stays
below three percent of throughput (docs/visitors.md has the measurement)."""

SHARE_WHEN_IDLE: Final = 0.003
"""Of the time on the wall, if that is more: a process that does little else has no CPU time to take a share of."""

MOST_SAVED: Final = 0.25
"""Seconds of reading that can be saved up, so that a burst of some thousand requests is read in full."""

MOST_OWED: Final = 0.02
"""Seconds that can be owed: a new shape takes one or two milliseconds, and is never cut."""

SHARE_WHEN_BUSY: Final = 0.008
"""Of the CPU time since the last slice, which saved time is spent at while the process is busy."""

BUSY: Final = 20
"""Arrivals and ends since the last slice: a hundred requests a second. (Not CPU time: among other processes one that is
busy gets little of that.)"""

LONGEST_SLICE: Final = 0.003
"""Seconds in which nobody else gets the loop."""

AT_LEAST: Final = 3
"""What one slice reads of what waits, while little is owed."""

MOST_WAITING: Final = 2000
"""Arrivals and ends that wait to be read. While so many do, only what is not for the MCP endpoint is let in: OAuth is
rare, and every step of it counts."""

MOST_WAITING_WHEN_SPENT: Final = 200
"""The same when no time is saved up. More would only wait longer, and be looked through by the garbage collector."""

MOST_BYTES: Final = 4 * 1024 * 1024
"""Bytes of the bodies among them; as much as one body may have (`max_body`)."""

_LAST_FLUSH_WITHIN: Final = 5.0
_MOST_FIRST_SIGHTS: Final = 500


class Visit:
    """One request under way, as the book knows it, and what became of it (`register.CameTo`)."""

    __slots__ = ("arrived", "cut_after", "entry", "has_code", "is_read", "said", "status")

    def __init__(self) -> None:
        self.arrived: Arrived | None = None
        self.entry: Entry | None = None
        self.is_read = self.has_code = False
        self.status: int | None = None
        self.cut_after: float | None = None
        self.said = ""


class Book:
    """Counts what comes to one connector.

    Args:
        connector: Its name; `version` is its own.
        store: Where the book is kept.
        settings: Which build this is, and how often counts are put on the shelf.
        endpoint: The path of the MCP endpoint.
        scopes: The connector's own scopes, which may be said by name.
        secret: What people are made unrecognisable with; without it one is kept in the store.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        connector: str,
        store: Store,
        settings: BookSettings,
        *,
        version: str = "",
        endpoint: str = "/mcp",
        scopes: Iterable[str] = (),
        secret: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.connector = connector
        self.endpoint = endpoint
        self.skipped = 0
        """Requests that came too fast to be looked at."""
        self._new: Counter[str] = Counter()
        self._version = version
        self._settings = settings
        self._clock = clock
        self._register = Register(endpoint=endpoint, scopes=scopes)
        self._shelf = Shelf(store, connector, secret)
        self._waiting: deque[Visit] = deque()
        self._bytes = self._came = 0
        self._saved, self._cpu, self._wall = MOST_SAVED, time.thread_time(), time.monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self._flusher: asyncio.Task[None] | asyncio.TimerHandle | None = None
        self._flushing: asyncio.Lock | None = None
        self._started_at: float | None = clock()
        self._first_sights: list[FirstSight] = []
        self._is_store_away = self._has_said_full = False

    def new_shapes(self) -> dict[str, float]:
        """Shapes that this process was the first to put on the shelf, by channel."""
        return dict(self._new)

    def note(self, arrived: Arrived, came_to: CameTo) -> None:
        """Note a request that is over."""
        visit = Visit()
        visit.arrived, visit.status, visit.cut_after = arrived, came_to.status, came_to.cut_after
        visit.said, visit.has_code = came_to.said, came_to.has_code
        if self.admits(arrived.path):
            self.arrive(visit)
            self.leave(visit)

    def admits(self, path: str) -> bool:
        """Whether a request for this path is looked at now. If not, it is counted as skipped."""
        waiting = len(self._waiting)
        if waiting < (MOST_WAITING if self._saved > 0 else MOST_WAITING_WHEN_SPENT) and self._bytes < MOST_BYTES:
            return True
        if (
            waiting < 2 * MOST_WAITING
            and self._bytes < 2 * MOST_BYTES
            and path.rstrip("/") != self.endpoint.rstrip("/")
        ):
            return True
        self.skipped += 1
        return False

    def arrive(self, visit: Visit) -> None:
        """Note a request that has come and was admitted. Never raises for what it is."""
        if visit.arrived is not None and visit.arrived.body:
            self._bytes += len(visit.arrived.body)
        self._queue(visit)

    def leave(self, visit: Visit) -> None:
        """Note what became of a request that has arrived."""
        self._queue(visit)

    def notice(self, thing: Noticed) -> None:
        """Note the first sight of something unknown in OAuth."""
        if len(self._first_sights) < _MOST_FIRST_SIGHTS:
            sight = FirstSight(
                connector=self.connector,
                kind=thing.kind.value,
                where=thing.where.value,
                name=thing.name,
                first_seen=thing.first_seen,
            )
            self._first_sights.append(sight)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Put counts on the shelf now and then; at the end, everything."""
        self._timer, self._flushing = None, asyncio.Lock()
        self._flusher = flusher = asyncio.create_task(self._flush_often())
        try:
            yield
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_FLUSH_WITHIN):
                    async with self._flushing:  # not in the middle of a write, which would be counted twice
                        flusher.cancel()
                    self._read_all()
                    await self._flush_quietly()
            flusher.cancel()
            self._flusher = None
            self._stop_reading()

    async def flush(self) -> bool:
        """Read everything that waits, and put it on the shelf. False: the store is away, and it is kept for later."""
        self._read_all()
        return await self._flush_now()

    async def _flush_now(self) -> bool:
        self._flushing = self._flushing or asyncio.Lock()
        async with self._flushing:
            return await self._flush()

    async def _flush(self) -> bool:
        shapes, hours = self._register.take()
        pending_hours = list(hours.items())
        try:
            await self._open_shelf()
            while shapes:
                if await self._shelf.add_shape(shapes[-1]):
                    self._new[shapes[-1].shape.channel] += 1
                shapes.pop()
            while pending_hours:
                (hour, surface), counted = pending_hours[-1]
                await self._shelf.add_hour(hour, surface, counted)
                pending_hours.pop()
            while self._first_sights:
                await self._shelf.add_first_sight(self._first_sights[-1])
                self._first_sights.pop()
        except StoreUnavailable as gone:
            self._keep(shapes, dict(pending_hours), gone)
            return False
        except BaseException:
            self._register.back(shapes, dict(pending_hours))
            raise
        self._came_back()
        return True

    async def _open_shelf(self) -> None:
        if self._started_at is not None:
            self._register.know(await self._shelf.unknown_surfaces())
            build = self._settings.build or self._version or "unversioned"
            await self._shelf.deployed(build, self._version, self._started_at)
            self._started_at = None

    def _keep(self, shapes: list[ShapeTally], hours: dict[tuple[int, str], HourTally], gone: StoreUnavailable) -> None:
        self._register.back(shapes, hours)
        if not self._is_store_away:
            self._is_store_away = True
            logger.warning("The visitors' book is kept in memory until the store is back: %s", gone)
        if self._register.lost and not self._has_said_full:
            self._has_said_full = True
            logger.warning(
                "The visitors' book is full: what is seen least is no longer counted until the store is back"
            )

    def _came_back(self) -> None:
        if self._is_store_away:
            logger.info("The visitors' book is in the store again")
        self._is_store_away = self._has_said_full = False
        self._register.lost = 0

    async def _flush_often(self) -> None:
        while True:
            await self._flush_quietly()
            await asyncio.sleep(self._settings.flush_every)

    def _flush_once(self) -> None:
        self._flusher = asyncio.get_running_loop().create_task(self._flush_quietly())
        self._flusher.add_done_callback(self._flushed)

    def _flushed(self, _: asyncio.Task[None]) -> None:
        self._flusher = None

    async def _flush_quietly(self) -> None:
        try:
            await self._flush_now()
        except Exception:  # a fault in the book must reach nobody's request, nor end the book
            logger.exception("The visitors' book could not be written")

    def _queue(self, visit: Visit) -> None:
        self._came += 1
        self._waiting.append(visit)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._read_some)

    def _read_some(self) -> None:
        self._timer = None
        if self._flusher is None:  # nobody has entered `running`: an app that is served without a lifespan
            self._flusher = asyncio.get_running_loop().call_later(self._settings.flush_every, self._flush_once)
        longest = self._earn()
        begun, least = time.thread_time(), AT_LEAST if self._saved > -MOST_OWED else 0
        used, most = 0.0, min(self._saved, longest)
        while self._waiting and (used < most or least > 0):
            self._read_one(self._waiting.popleft())
            least -= 1
            used = time.thread_time() - begun
        self._saved = max(self._saved - used, -MOST_OWED)
        if self._waiting and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._read_some)

    def _read_all(self) -> None:
        while self._waiting:
            self._read_one(self._waiting.popleft())

    def _earn(self) -> float:
        """Save time up for what was done since the last slice; how long this one may be."""
        cpu, wall = time.thread_time(), time.monotonic()
        worked, passed = cpu - self._cpu, wall - self._wall
        self._cpu, self._wall = cpu, wall
        self._saved = min(self._saved + max(SHARE * worked, SHARE_WHEN_IDLE * passed), MOST_SAVED)
        came, self._came = self._came, 0
        return LONGEST_SLICE if came < BUSY else min(LONGEST_SLICE, SHARE_WHEN_BUSY * worked)

    def _read_one(self, visit: Visit) -> None:
        try:
            if not visit.is_read:
                visit.is_read = True
                arrived, visit.arrived = visit.arrived, None
                if arrived is not None:
                    self._bytes -= len(arrived.body or b"")
                    visit.entry = self._register.enter(arrived, self._clock())
            elif visit.entry is not None:
                self._register.leave(visit.entry, visit, self._clock())
        except Exception:  # whatever a stranger sends, the traffic goes on
            logger.exception("A request could not be entered into the visitors' book")

    def _stop_reading(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def open_book(
    name: str, store: Store, settings: Settings, *, version: str = "", scopes: Iterable[str] = ()
) -> Book | None:
    """The book as the settings want it; None if it is switched off."""
    if not settings.book.is_on:
        return None
    return Book(
        name,
        store,
        settings.book,
        version=version,
        endpoint=settings.access.path,
        scopes=scopes,
        secret=next(reversed(settings.store.secrets), None),
    )
