"""Quiet calls through real proxies: the whole matrix at once, then what it must show.

The calls take 75 s; everything else in this file reads what they saw.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest

from tests.proxies.client import Seen, calling, new_client
from tests.proxies.matrix import (
    ERAS,
    FRONTS,
    PLAIN,
    SECONDS,
    Cell,
    Ports,
    available,
    call_all,
    cells,
    misbehaving,
    proxied,
)
from tests.proxies.processes import installed
from tests.proxies.rows import ROWS, Row

pytestmark = pytest.mark.timeout(300)  # the fixture below counts as part of the first test that asks for it

Matrix = dict[Cell, Seen]


def rows_that(**said: Any) -> pytest.MarkDecorator:
    """The rows that say this, one test each."""
    wanted = [row for row in ROWS if all(getattr(row, name) == value for name, value in said.items())]
    return pytest.mark.parametrize("row", wanted, ids=lambda row: row.key)


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """Servers in processes of their own, and the proxies in front of them."""
    with proxied(available(), tmp_path_factory.mktemp("proxies")) as opened:
        yield opened


@pytest.fixture(scope="module")
def matrix(ports: Ports) -> Matrix:
    """What every client saw."""
    return asyncio.run(call_all(cells(available()), ports))


def _of(matrix: Matrix, row: Row, *servers: str) -> list[tuple[Cell, Seen]]:
    if row not in available():
        installed(FRONTS[row.family].program)
    return [(cell, seen) for cell, seen in matrix.items() if cell.row == row.key and cell.server in servers]


@rows_that(delivers=True)
@pytest.mark.parametrize("seconds", SECONDS)
def test_a_quiet_call_is_delivered(matrix: Matrix, row: Row, seconds: int) -> None:
    """T-03, CT-15: both revisions, a client that takes both kinds of reply, JSON only, or events only."""
    seen = [(cell, saw) for cell, saw in _of(matrix, row, row.server) if cell.seconds == seconds]

    assert len(seen) == 6
    assert {str(cell): (saw.status, saw.trouble, saw.result) for cell, saw in seen} == {
        str(cell): (200, "", f"rested {seconds} s") for cell, _ in seen
    }


@rows_that(delivers=True, passes_at_once=True)
def test_a_client_never_waits_ten_seconds_for_a_byte(matrix: Matrix, row: Row) -> None:
    """CT-15: 10 s is the shortest timeout of the proxies in the matrix that the defaults must outlive."""
    gaps = {str(cell): saw.longest_gap for cell, saw in _of(matrix, row, row.server)}

    assert {cell: gap for cell, gap in gaps.items() if gap > 10} == {}


@rows_that(delivers=True, passes_at_once=False)
def test_a_proxy_that_buffers_delivers_at_the_end(matrix: Matrix, row: Row) -> None:
    """T-04: nothing a server sends gets through before its end; its heartbeats still hold the proxy's own timeout."""
    first = {cell: saw.first for cell, saw in _of(matrix, row, row.server)}

    assert all(moment is not None and moment >= cell.seconds for cell, moment in first.items())


@rows_that(idle_cut=10)
@pytest.mark.parametrize("server", PLAIN)
def test_the_same_call_is_lost_on_a_plain_server(matrix: Matrix, row: Row, server: str) -> None:
    """T-03, before: mcp 2.3.0 sends nothing for 15 s, and a proxy with 10 s cuts or answers for it."""
    seen = _of(matrix, row, server)

    assert len(seen) == 4
    for cell, saw in seen:
        assert saw.result is None, cell
        assert saw.total < cell.seconds, cell


@rows_that(key="nginx")
def test_nginx_by_default_loses_what_a_plain_server_answers_after_a_minute(matrix: Matrix, row: Row) -> None:
    """T-03, before: 504 at 60 s, while the tool goes on."""
    seen = [saw for cell, saw in _of(matrix, row, "mcp, JSON") if cell.seconds == 75]

    assert [saw.status for saw in seen] == [504, 504]


@rows_that(delivers=False)
def test_a_timeout_below_the_heartbeat_interval_cuts(matrix: Matrix, row: Row) -> None:
    """Ours: 3 s are less than the 5 s between heartbeats; docs/proxies.md says which setting helps."""
    assert {saw.result for _, saw in _of(matrix, row, row.server)} == {None}


@rows_that(key="nginx-gzip")
def test_nginx_compresses_and_still_passes_on_each_heartbeat(matrix: Matrix, row: Row) -> None:
    """CT-16: nginx does not know `no-transform`; `X-Accel-Buffering: no` makes it flush what it compresses."""
    assert {saw.encoding for _, saw in _of(matrix, row, row.server)} == {"gzip"}


@rows_that(key="haproxy-gzip")
def test_haproxy_leaves_a_reply_alone_that_says_no_transform(matrix: Matrix, row: Row) -> None:
    """CT-16: `Cache-Control: no-transform` is what keeps HAProxy from compressing."""
    assert {saw.encoding for _, saw in _of(matrix, row, row.server)} == {""}


@rows_that(family="none")
def test_a_warm_reply_forbids_buffering_and_transforming(matrix: Matrix, row: Row) -> None:
    """CT-16: asked with `Accept-Encoding: gzip, deflate, br`."""
    for _, saw in _of(matrix, row, row.server):
        assert saw.fields["x-accel-buffering"] == "no"
        assert saw.fields["cache-control"] == "no-cache, no-transform"
        assert "content-encoding" not in saw.fields


@rows_that(passes_at_once=True)
@pytest.mark.parametrize("era", ERAS)
def test_an_event_arrives_before_the_next_is_produced(ports: Ports, row: Row, era: str) -> None:
    """CT-16: each step waits until the client, having read the event of the one before, releases it."""
    if row not in available():
        installed(FRONTS[row.family].program)

    assert asyncio.run(_climb(ports, row, era)) == [1, 2, 3, "climbed 3 steps"]


async def _climb(ports: Ports, row: Row, era: str) -> list[Any]:
    run = {"run": f"{row.key}/{era}"}
    read: list[Any] = []
    async with misbehaving(ports) as every, new_client(limit=30) as client:
        port = every[row.key, row.server]
        async with calling(client, port, "climb", {**run, "steps": 3}, era=era) as (_, pieces):
            async for said in _messages(pieces):
                if said.get("method") == "notifications/progress":
                    read.append(said["params"]["progress"])
                    await _release(client, port, run, era)
                else:
                    read.append(said["result"]["structuredContent"]["result"])
    return read


async def _release(client: httpx2.AsyncClient, port: int, run: dict[str, str], era: str) -> None:
    async with calling(client, port, "release", {**run, "steps": 1}, era=era) as (seen, pieces):
        async for _ in pieces:
            pass
    assert seen.status == 200


async def _messages(pieces: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])
