"""What the lock and the store are seen to do, through their public doors."""

from collections.abc import Mapping

import httpx2
import pytest

from connector import Connector, tool
from connector.errors import StoreUnavailable
from connector.oauth import AuthorizationServer
from connector.stores.memory import MemoryStore
from connector.stores.metered import Metered
from connector.stores.port import Claim, Claimed, State
from connector.telemetry.meters import Meters
from connector.telemetry.watched import Watched
from tests.loopback import Serve
from tests.wire import call, headers, post


class Guarded(Connector):
    """One tool behind a login."""

    name = "guarded"

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Answer."""
        return text


def test_what_happens_at_the_lock_is_counted_by_kind(serve: Serve) -> None:
    """Issue 7 item 7: OAuth outcomes."""
    guarded = Guarded(store="memory:", public_url="http://127.0.0.1:8000", auth=AuthorizationServer(approve="everyone"))
    url = serve(guarded)
    assert post(url, call("echo", {"text": "x"}), headers(User_Agent="curl/8")).status_code == 401
    bad = headers(User_Agent="curl/8", Authorization="Bearer nonsense")
    assert post(url, call("echo", {"text": "x"}), bad).status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": "nonsense", "client_id": "nobody"}
    assert httpx2.post(f"{url}/token", data=form).status_code in {400, 401}

    assert guarded._meters.read(Watched.OAUTH) == {"challenged": 1, "rejected": 1, "refused": 1}


class _Away(MemoryStore):
    """Cannot be reached for claims."""

    async def claim(self, claim: Claim) -> Claimed:
        raise StoreUnavailable("it is away")


@pytest.mark.asyncio
async def test_a_store_that_does_not_answer_is_counted_and_nothing_else_changes() -> None:
    """Issue 7 item 7: store errors."""
    meters = Meters()
    claim = Claim(key="k", fingerprint="f", holder="h", lease=5, window=5)
    async with Metered(_Away(), meters) as store:
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="it is away"):
                await store.claim(claim)
        assert await store.look("k") is None
        assert await store.put("secret", "one", b"1", version=0) == (await store.get("secret", "one")).version  # type: ignore[union-attr]
    counted: Mapping[str, float] = meters.read(Watched.STORE_ERRORS)

    assert counted == {"claim": 2}


@pytest.mark.asyncio
async def test_a_metered_store_answers_as_the_store_itself() -> None:
    """Every method is passed on."""
    claim = Claim(key="k", fingerprint="f", holder="h", lease=5, window=5)
    async with Metered(MemoryStore(), Meters()) as store:
        await store.check()
        epoch = (await store.claim(claim)).entry.epoch
        assert await store.renew("k", epoch=epoch, holder="h", lease=5)
        assert await store.complete("k", epoch=epoch, holder="h", state=State.DONE, result=b"{}", window=5)
        assert await store.delivered("k", epoch=epoch)
        assert not await store.release("k", epoch=epoch, holder="h")
        await store.put("oauth", "a", b"1")
        assert [record.key for record in await store.page("oauth")] == ["a"]
        taken = await store.take("oauth", "a")
        assert taken is not None
        assert (taken.value, await store.get("oauth", "a"), await store.sweep()) == (b"1", None, 0)
