"""Replies that are torn off on their way: nothing can deliver them, and nothing else may suffer."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.proxies.backends import BRISK, CONNECTOR, serving
from tests.proxies.chaos import CutWhenSilent, EndAfter, EndRequests, Fault, ResetAfter, Throttle, chaos
from tests.proxies.client import ENVELOPE, HANDSHAKE, Seen, call_through, new_client
from tests.proxies.matrix import ERAS

HEARTBEAT = b": still working"

TORN = pytest.mark.parametrize("fault", [ResetAfter(HEARTBEAT), EndAfter(HEARTBEAT)], ids=["reset", "half-closed"])


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A connector with its defaults, in a process of its own."""
    with serving({"connector": CONNECTOR}, tmp_path_factory.mktemp("chaos")) as ports:
        yield ports["connector"]


@pytest.fixture
def fresh_port(tmp_path: Path) -> Iterator[int]:
    """A connector that has not seen a stream break yet."""
    with serving({"connector": CONNECTOR}, tmp_path) as ports:
        yield ports["connector"]


async def _through(port: int, fault: Fault, tool: str, era: str, accept: str = "events only", **arguments: Any) -> Seen:
    """A call of a client that takes nothing but events, unless said otherwise: it is streamed to whatever breaks."""
    async with chaos(port, fault) as torn, new_client(limit=30) as client:
        return await call_through(client, torn, tool, arguments, era=era, accept=accept)


async def _directly(port: int, tool: str, era: str, **arguments: Any) -> Any:
    async with new_client(limit=30) as client:
        return (await call_through(client, port, tool, arguments, era=era)).result


@TORN
@pytest.mark.parametrize("era", ERAS)
def test_a_write_whose_reply_is_torn_off_happens_once(port: int, fault: Fault, era: str) -> None:
    """D-02, CT-31: the client saw its reply break after the first heartbeat; the effect comes after that."""
    run = f"{era}/{type(fault).__name__}"
    seen = asyncio.run(_through(port, fault, "write", era, run=run, seconds=2))

    assert (seen.status, seen.result) == (200, None)
    assert seen.body.startswith(HEARTBEAT)
    assert seen.trouble.startswith("ReadError" if isinstance(fault, ResetAfter) else "RemoteProtocolError")
    assert asyncio.run(_directly(port, "effects", era, run=run)) == 1


@TORN
def test_fifty_torn_replies_leave_the_next_call_alone(port: int, fault: Fault) -> None:
    """T-11, CT-31: one request's failure is no other request's."""

    async def storm() -> list[Seen]:
        return await asyncio.gather(*(_through(port, fault, "rest", ERAS[n % 2], seconds=3) for n in range(50)))

    assert {seen.result for seen in asyncio.run(storm())} == {None}
    assert asyncio.run(_directly(port, "rest", HANDSHAKE, seconds=0)) == "rested 0 s"


@TORN
def test_where_streams_keep_breaking_the_next_answer_goes_out_unstreamed(fresh_port: int, fault: Fault) -> None:
    """Issue 3, item 4: this fault only knows event streams, as some edges do; who takes both is served JSON."""
    seen = [asyncio.run(_through(fresh_port, fault, "rest", ERAS[n % 2], "both", seconds=2)) for n in range(4)]

    assert [(saw.media, saw.result) for saw in seen] == [
        ("text/event-stream", None),
        ("text/event-stream", None),
        ("text/event-stream", None),
        ("application/json", "rested 2 s"),
    ]


def test_a_reply_in_small_slow_pieces_is_complete(port: int) -> None:
    """Ours: 20 bytes at a time, 400 bytes a second, in both directions."""
    assert asyncio.run(_through(port, Throttle(400), "rest", ENVELOPE, seconds=2)).result == "rested 2 s"


def test_a_request_stream_closed_early_is_a_client_gone(port: int) -> None:
    """Ours, a known limit: uvicorn takes a half-closed request for a closed connection. A write still happens once."""
    seen = asyncio.run(_through(port, EndRequests(b'"seconds":2'), "write", HANDSHAKE, run="early", seconds=2))

    assert (seen.status, seen.result) == (None, None)
    assert asyncio.run(_directly(port, "effects", HANDSHAKE, run="early")) == 1


def test_a_call_outlives_a_cut_of_silence_many_times_over(tmp_path: Path) -> None:
    """CT-15, incident T-03, on a small scale: as 330 s are to a cut after 60 s, so are 14 s to one after 2.5 s."""

    async def both(port: int) -> list[Seen]:
        calls = [
            _through(port, CutWhenSilent(2.5), "rest", era, accept, seconds=14)
            for era in ERAS
            for accept in ("both", "JSON only", "events only")
        ]
        return await asyncio.gather(*calls)

    with serving({"brisk": BRISK}, tmp_path) as ports:
        seen = asyncio.run(both(ports["brisk"]))

    assert [(saw.status, saw.trouble, saw.result) for saw in seen] == [(200, "", "rested 14 s")] * 6


def test_the_proxy_that_cuts_silence_cuts_a_slow_first_byte(port: int) -> None:
    """Ours: the fault does what it says; without it the tests of the matrix would show nothing."""
    seen = asyncio.run(_through(port, CutWhenSilent(0.3), "rest", ENVELOPE, seconds=5))

    assert (seen.status, seen.trouble.partition(" ")[0]) == (None, "RemoteProtocolError")
