"""What only the store in Redis can do wrong."""

import asyncio
import logging
import time
from collections.abc import Iterator

import pytest
import redis

from connector.errors import DeclarationError, StoreTooNew, StoreUnavailable
from connector.stores.conformance import CHECKS, Bench, Check
from connector.stores.port import Claim, State, Verdict
from connector.stores.redis import RedisStore
from tests.proxies.processes import free_ports
from tests.stores.servers import PASSWORD, Server, redis_server
from tests.stores.shared import empty_redis

CLAIM = Claim(key="key", fingerprint="print", holder="first", lease=600, window=600)


@pytest.fixture
def url() -> str:
    """A database without keys."""
    return empty_redis()


@pytest.fixture
def admin(url: str) -> Iterator["redis.Redis"]:
    """A connection to the same database that is not the store's."""
    with redis.Redis.from_url(url) as client:
        yield client
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.asyncio
async def test_keys_of_a_newer_version_are_refused_and_left_alone(url: str, admin: "redis.Redis") -> None:
    """Issue 4, bad input: a store written by a newer version."""
    admin.set("ballast:schema", 99)
    async with RedisStore(url) as store:
        for _ in range(2):
            with pytest.raises(StoreTooNew, match=r"has schema 99; .* up to 1"):
                await store.claim(CLAIM)
    assert list(admin.scan_iter()) == [b"ballast:schema"]
    assert admin.get("ballast:schema") == b"99"


@pytest.mark.asyncio
async def test_scripts_that_the_server_has_forgotten_are_sent_in_full(url: str, admin: "redis.Redis") -> None:
    """Ours: `SCRIPT FLUSH`, and what a restart or a failover does."""
    async with RedisStore(url) as store:
        await store.claim(CLAIM)
        admin.script_flush()
        assert (await store.claim(CLAIM)).verdict is Verdict.CLAIMED


@pytest.mark.asyncio
async def test_a_full_server_refuses_and_has_changed_nothing(url: str, admin: "redis.Redis") -> None:
    """Ours: a new wish would replace an ended call; refused half-way it would be lost."""
    async with RedisStore(url) as store:
        await store.claim(CLAIM)
        await store.complete("key", epoch=1, holder="first", state=State.DONE, result=b"1", window=600)
        await store.delivered("key", epoch=1)
        await store.put("kind", "key", b"1")
        before = admin.hgetall("ballast:{c:key}"), admin.hgetall("ballast:{r:kind}:record:key")
        admin.config_set("maxmemory", 1)
        wish = Claim(key="key", fingerprint="print", holder="second", lease=600, window=600, grace=0.0)
        with pytest.raises(StoreUnavailable, match="memory"):
            await store.claim(wish)
        with pytest.raises(StoreUnavailable, match="memory"):
            await store.put("kind", "key", b"2")
        assert (admin.hgetall("ballast:{c:key}"), admin.hgetall("ballast:{r:kind}:record:key")) == before
        admin.config_set("maxmemory", 0)
        assert (await store.claim(wish)).verdict is Verdict.CLAIMED


@pytest.mark.parametrize(("policy", "warned"), [("allkeys-lru", True), ("volatile-ttl", True), ("noeviction", False)])
@pytest.mark.asyncio
async def test_a_server_that_deletes_when_it_is_full_is_warned_of(
    url: str, admin: "redis.Redis", caplog: pytest.LogCaptureFixture, policy: str, warned: bool
) -> None:
    """Ours: a call that was evicted runs again. Every call has an expiry, so `volatile-` policies delete it too."""
    admin.config_set("maxmemory", "100mb")
    admin.config_set("maxmemory-policy", policy)
    with caplog.at_level(logging.WARNING, "ballast"):
        async with RedisStore(url) as store:
            await store.check()
    assert (policy in caplog.text) is warned
    assert PASSWORD not in caplog.text


@pytest.mark.asyncio
async def test_nothing_is_kept_for_ever(url: str, admin: "redis.Redis") -> None:
    """Ours: what is left of calls and records that have expired, after a sweep, is a counter for each kind."""
    async with RedisStore(url) as store, asyncio.timeout(20):
        await store.claim(Claim(key="key", fingerprint="print", holder="first", lease=0.01, window=0.01))
        for number in range(5):
            await store.put("kind", f"{number}", b"1", expires_in=0.01)
        swept = 0
        while swept < 5 or await store.look("key"):
            swept += await store.sweep(limit=2)
    assert sorted(str(key) for key in admin.scan_iter()) == ["b'ballast:schema'", "b'ballast:{r:kind}:versions'"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Server]:
    """A cluster of one node, which refuses whatever would need two slots."""
    bus = str(free_ports(1)[0])  # it would be 10,000 above the port, where there may be none
    with redis_server("--cluster-enabled", "yes", "--cluster-port", bus) as server:
        with redis.Redis.from_url(server.url) as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            while b"cluster_state:ok" not in client.execute_command("CLUSTER", "INFO"):
                time.sleep(0.05)
        yield server


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
@pytest.mark.asyncio
async def test_every_script_stays_in_one_slot(cluster: Server, check: Check) -> None:
    """Ours: a cluster refuses a script whose keys are in two slots."""
    with redis.Redis.from_url(cluster.url) as client:
        client.flushall()
    stores = [RedisStore(cluster.url)]

    def again() -> RedisStore:
        stores.append(RedisStore(cluster.url))
        return stores[-1]

    try:
        await check(Bench(store=stores[0], again=again))
    finally:
        for store in stores:
            await store.aclose()


@pytest.mark.asyncio
async def test_a_wrong_password_is_said_without_it(url: str) -> None:
    """Issue 4, bad input: no secret in a message."""
    async with RedisStore(url.replace(PASSWORD, "wrong-secret")) as store:
        with pytest.raises(StoreUnavailable, match=r"(?i)password") as raised:
            await store.check()
    assert "wrong-secret" not in f"{raised.value!r} {raised.value.__cause__!r} {store!r}"


def test_a_url_that_cannot_be_read_is_refused_without_its_password() -> None:
    """Issue 4, bad input: a password with a colon and a slash in it moves the port."""
    with pytest.raises(DeclarationError, match="percent-encoded") as raised:
        RedisStore("redis://me:se/cret:x@127.0.0.1:6379/0")
    assert "cret" not in str(raised.value)
    assert raised.value.__cause__ is None
