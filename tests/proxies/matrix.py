"""The matrix: every proxy, both revisions, every kind of reply a client may ask for, all calls at once.

Starts servers and proxies, makes the calls, gives back what each client saw. Judges nothing: the tests and the table
do. Everything runs concurrently, so that it takes as long as its longest call.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.proxies.apache import apache
from tests.proxies.backends import CONNECTOR, PLAIN_EVENTS, PLAIN_JSON, serving
from tests.proxies.caddy import caddy
from tests.proxies.chaos import CutWhenSilent, Fault, Throttle, chaos
from tests.proxies.client import ACCEPTS, ENVELOPE, HANDSHAKE, Seen, call_through, new_client
from tests.proxies.front import Front, Site
from tests.proxies.haproxy import haproxy
from tests.proxies.lighttpd import lighttpd
from tests.proxies.nginx import nginx
from tests.proxies.processes import found
from tests.proxies.rows import ROWS, Row
from tests.proxies.varnish import varnish

ERAS: Final = (HANDSHAKE, ENVELOPE)
SECONDS: Final = (25, 75)
PLAIN: Final = (PLAIN_EVENTS, PLAIN_JSON)

FRONTS: Final[Mapping[str, Front]] = {
    "nginx": nginx,
    "haproxy": haproxy,
    "apache": apache,
    "caddy": caddy,
    "varnish": varnish,
    "lighttpd": lighttpd,
}
FAULTS: Final[Mapping[str, Fault]] = {"silence-10s": CutWhenSilent(10.0), "throttle": Throttle(400.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One call: through which proxy, to which server, in which words, for how long."""

    row: str
    server: str
    era: str
    accept: str
    seconds: int

    def __str__(self) -> str:
        return f"{self.row}, {self.server}, {self.era}, {self.accept}, {self.seconds} s"


Ports = Mapping[tuple[str, str], int]
"""(row, server) → the port a client calls."""


def cells(rows: Iterable[Row] = ROWS) -> list[Cell]:
    """Every cell: the row's own server in every wording, and the plain servers for a client that takes both."""
    return [
        Cell(row=row.key, server=server, era=era, accept=accept, seconds=seconds)
        for row in rows
        for server in (row.server, *PLAIN)
        for era in ERAS
        for accept in (ACCEPTS if server == row.server else ("both",))
        for seconds in SECONDS
    ]


def available(rows: Iterable[Row] = ROWS) -> list[Row]:
    """The rows whose program is installed here."""
    return [row for row in rows if row.family not in FRONTS or found(FRONTS[row.family].program) is not None]


@contextmanager
def proxied(rows: Sequence[Row], folder: Path) -> Iterator[Ports]:
    """Start the servers of the rows and the proxies that are programs; gives every port but those of chaos."""
    kinds = {_name(row, server): server for row in rows for server in (row.server, *PLAIN)}
    with ExitStack() as stack:
        behind = stack.enter_context(serving(kinds, folder))
        ports = {
            (row.key, server): behind[_name(row, server)]
            for row in rows
            for server in (row.server, *PLAIN)
            if row.family not in FRONTS
        }
        for family, start in FRONTS.items():
            sites = {
                f"{row.key}/{server}": Site(lines=row.lines, behind=behind[_name(row, server)])
                for row in rows
                for server in (row.server, *PLAIN)
                if row.family == family
            }
            opened = stack.enter_context(start(sites, folder)) if sites else {}
            ports |= {(name.partition("/")[0], name.partition("/")[2]): port for name, port in opened.items()}
        yield ports


async def call_all(wanted: Sequence[Cell], ports: Ports) -> dict[Cell, Seen]:
    """Make all calls, one begun every hundredth of a second: the first bytes shall be the servers', not the queue's."""
    async with misbehaving(ports) as every, new_client() as client:

        async def make(number: int, cell: Cell) -> Seen:
            await asyncio.sleep(number / 100)
            port, arguments = every[cell.row, cell.server], {"seconds": cell.seconds}
            return await call_through(client, port, "rest", arguments, era=cell.era, accept=cell.accept)

        calls = [make(number, cell) for number, cell in enumerate(wanted)]
        return dict(zip(wanted, await asyncio.gather(*calls), strict=True))


@asynccontextmanager
async def misbehaving(ports: Ports) -> AsyncIterator[Ports]:
    """Put the proxies that live in this loop in front of the servers of their rows."""
    async with AsyncExitStack() as stack:
        before = {
            (row, server): await stack.enter_async_context(chaos(port, FAULTS[row]))
            for (row, server), port in ports.items()
            if row in FAULTS
        }
        yield {**ports, **before}


def _name(row: Row, server: str) -> str:
    """Which process serves a row. Connectors have their defaults: one for each family, so that no cap is reached, and
    one alone where replies are cut, because a connector remembers which clients' streams break.
    """
    if server != CONNECTOR:
        return server
    return f"{server}/{row.family if row.delivers else row.key}"
