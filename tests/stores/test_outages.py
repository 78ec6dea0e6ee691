"""Stores behind a socket, while their server is restarted, is gone, or stands still; and from several processes."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from connector.errors import StoreUnavailable
from connector.stores.opening import open_store
from connector.stores.port import Claim, State, Store, Verdict
from tests.proxies.chaos import Reader, Writer, carry, chaos
from tests.stores.racer import race
from tests.stores.servers import PASSWORD, Server, postgres_server, redis_server
from tests.stores.shared import empty_postgres, empty_redis

KINDS: dict[str, Callable[[], AbstractContextManager[Server]]] = {"postgres": postgres_server, "redis": redis_server}

EMPTY = pytest.mark.parametrize("empty", [empty_postgres, empty_redis], ids=list(KINDS))


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that a test may end; it is started again for the next."""
    with KINDS[request.param]() as running:
        yield running


@pytest.fixture(autouse=True)
def started(request: pytest.FixtureRequest) -> None:
    """Every test begins with a server that runs."""
    if "server" in request.fixturenames:
        request.getfixturevalue("server").start()


def wish(key: str, holder: str = "first") -> Claim:
    """A claim that lasts."""
    return Claim(key=key, fingerprint="print", holder=holder, lease=600, window=600)


async def done(store: Store, key: str, epoch: int) -> bool:
    """Complete as the first holder."""
    return await store.complete(key, epoch=epoch, holder="first", state=State.DONE, result=b"1", window=600)


@pytest.mark.asyncio
async def test_a_restart_in_the_middle_is_not_noticed(server: Server) -> None:
    """Issue 4, part 3: recovery without a restart of the worker. The connections in the pool are all dead."""
    async with open_store(server.url) as store:
        claims = await asyncio.gather(*(store.claim(wish(f"restart-{number}")) for number in range(16)))
        server.restart()
        completed = await asyncio.gather(*(done(store, said.entry.key, said.entry.epoch) for said in claims))

        assert completed == [True] * 16
        assert (await store.claim(wish("restart-7", "second"))).entry.result == b"1"


@pytest.mark.asyncio
async def test_what_was_acknowledged_survives_a_killed_server(server: Server) -> None:
    """Guarantee 6, for the process; the machine is another matter, which the docstrings name."""
    async with open_store(server.url) as store:
        epoch = (await store.claim(wish("killed"))).entry.epoch
        await done(store, "killed", epoch)
        server.kill()
        server.start()
        claimed = await store.claim(wish("killed", "second"))

    assert (claimed.verdict, claimed.entry.result) == (Verdict.ENDED, b"1")


@pytest.mark.asyncio
async def test_a_short_outage_is_waited_out(server: Server) -> None:
    """Ours: a server that is back after half a second was never away."""
    async with open_store(server.url) as store:
        await store.check()
        server.stop()
        claiming = asyncio.ensure_future(store.claim(wish("short")))
        await asyncio.sleep(0.5)  # the length of the outage is what is tested
        assert not claiming.done()
        await asyncio.to_thread(server.start)

        assert (await claiming).verdict is Verdict.CLAIMED


@pytest.mark.asyncio
async def test_a_server_that_is_gone_is_said_in_a_sentence_and_is_used_again_when_it_is_back(server: Server) -> None:
    """Issue 4, part 3: a clear error, without the password, bounded."""
    async with open_store(server.url) as store, asyncio.timeout(30):
        await store.claim(wish("gone"))
        server.stop()
        with pytest.raises(StoreUnavailable) as raised:
            await store.look("gone")
        server.start()
        seen = await store.look("gone")

    address = server.url.partition("@")[2].partition("/")[0]
    assert address in str(raised.value)
    assert "refused" in str(raised.value)
    assert str(raised.value).endswith("the next call asks it again.")
    assert PASSWORD not in f"{raised.value!r} {raised.value.__cause__!r} {store!r}"
    assert seen is not None


@pytest.mark.asyncio
async def test_a_server_that_stands_still_is_not_waited_for(server: Server) -> None:
    """Issue 4: SIGSTOP. The operation under way, those that wait for a connection, and the next."""
    async with open_store(server.url) as store, asyncio.timeout(30):
        await store.claim(wish("frozen"))
        with server.frozen():
            answers = await asyncio.gather(*(store.look("frozen") for _ in range(20)), return_exceptions=True)
            with pytest.raises(StoreUnavailable, match=r"did not answer|timeout"):
                await store.claim(wish("frozen", "second"))
        seen = await store.look("frozen")

    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert seen is not None


@pytest.mark.asyncio
async def test_a_first_use_of_a_server_that_is_gone_can_be_repeated(server: Server) -> None:
    """Ours: a worker may start before its store does."""
    server.stop()
    async with open_store(server.url) as store:
        with pytest.raises(StoreUnavailable):
            await store.check()
        server.start()
        await store.check()

        assert (await store.claim(wish("early"))).verdict is Verdict.CLAIMED


def test_a_loop_that_ends_during_an_outage_ends(server: Server) -> None:
    """Ours: the workers of a pool may swallow the cancellation that ends a loop, and then it never ends."""
    store = open_store(server.url)

    async def leave() -> None:
        asking = [asyncio.ensure_future(store.look(f"{number}")) for number in range(20)]
        await asyncio.wait(asking, timeout=0.3)

    async def come_back() -> Verdict:
        async with store:
            return (await store.claim(wish("after"))).verdict

    server.stop()
    asyncio.run(leave())
    server.start()
    assert asyncio.run(come_back()) is Verdict.CLAIMED


def test_a_store_is_used_in_one_loop_after_another(server: Server) -> None:
    """Ours: connections belong to a loop, a store does not."""
    store = open_store(server.url)

    async def claim(key: str) -> Verdict:
        async with store:
            return (await store.claim(wish(key))).verdict

    assert [asyncio.run(claim(key)) for key in ("loop", "loop", "another")] == [Verdict.CLAIMED] * 3
    gc.collect()  # what was left open would warn here


@dataclass(slots=True)
class LosesAnswer:
    """Carries everything until it is armed; then it swallows the next answer and closes the connection."""

    armed: bool = False

    async def requests(self, client: Reader, server: Writer) -> None:
        """Carry what the store asks."""
        await carry(client, server)

    async def replies(self, server: Reader, client: Writer) -> None:
        """Carry what the server answers, until one is swallowed."""
        with suppress(OSError):
            while data := await server.read(65_536):
                if self.armed:
                    self.armed = False
                    return
                client.write(data)
                await client.drain()


@asynccontextmanager
async def losing(url: str) -> AsyncIterator[tuple[Store, LosesAnswer]]:
    """A store behind a line that can lose one answer."""
    fault = LosesAnswer()
    port = urlsplit(url).port or 0
    async with chaos(port, fault) as between, open_store(url.replace(f":{port}", f":{between}")) as store:
        await store.check()
        yield store, fault


@EMPTY
@pytest.mark.asyncio
async def test_what_was_done_but_not_answered_is_answered_the_second_time(empty: Callable[[], str]) -> None:
    """Guarantee 4, and a conditional put, whose two arrivals the store itself can tell from two callers."""
    async with losing(empty()) as (store, fault):
        fault.armed = True
        claimed = await store.claim(wish("key"))
        assert (claimed.verdict, claimed.entry.epoch) == (Verdict.CLAIMED, 1)
        fault.armed = True
        assert await store.renew("key", epoch=1, holder="first", lease=600)
        fault.armed = True
        assert await done(store, "key", 1)
        fault.armed = True
        assert await store.delivered("key", epoch=1)
        fault.armed = True
        version = await store.put("kind", "key", b"1", version=0)
        assert version is not None
        assert await store.put("kind", "key", b"1", version=0) is None
        fault.armed = True
        assert await store.put("kind", "key", b"2", version=version) is not None
        assert not fault.armed


@EMPTY
@pytest.mark.asyncio
async def test_what_may_not_be_done_twice_is_said_to_be_unanswered(empty: Callable[[], str]) -> None:
    """Port: a `take` whose answer was lost may have taken; that there was nothing to take would be a lie."""
    async with losing(empty()) as (store, fault):
        await store.take("kind", "key")  # so that the server knows how to
        await store.release("key", epoch=1, holder="first")
        await store.put("kind", "key", b"1")
        fault.armed = True
        with pytest.raises(StoreUnavailable):
            await store.take("kind", "key")
        assert await store.get("kind", "key") is None
        await store.claim(wish("key"))
        fault.armed = True
        with pytest.raises(StoreUnavailable):
            await store.release("key", epoch=1, holder="first")
        assert await store.look("key") is None


@EMPTY
def test_of_several_processes_that_begin_at_once_one_is_granted_each_key(empty: Callable[[], str]) -> None:
    """Guarantee 1 across processes, and one schema from four first uses at once."""
    granted = race(empty(), processes=4, keys=300)

    everything = sorted(key for keys in granted for key in keys)
    assert everything == sorted(f"key-{number}" for number in range(300))
