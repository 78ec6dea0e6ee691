"""`call.http` end to end: what is tried again and with what key, when a host is left alone, what a request carries."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
import stamina
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from starlette.types import Receive, Scope, Send

from connector import Call, Connector, tool
from connector.upstream import Upstream, UpstreamUnavailable
from connector.upstream.budget import BudgetPolicy
from connector.upstream.circuit import CircuitPolicy
from tests.loopback import Serve
from tests.partial.works import ask, texts


class Shop:
    """An upstream that answers as it is told, and keeps what arrives: method, key, traceparent, body."""

    def __init__(self, *statuses: int, after: str | None = None) -> None:
        self.statuses, self.after = list(statuses), after
        self.arrived: list[tuple[str, str | None, str | None, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = (await receive())["body"]
        self.arrived.append((scope["method"], headers.get("idempotency-key"), headers.get("traceparent"), body))
        status = self.statuses.pop(0) if self.statuses else 200
        lines = [(b"retry-after", self.after.encode())] if self.after is not None and status != 200 else []
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": b"ok"})


class Buyer(Connector):
    """Tools that ask a shop."""

    name = "buyer"

    @tool(deadline=20.0)
    async def buy(self, url: str, call: Call, retried: bool = True, times: int = 1) -> list[int]:
        """Order, as often as asked."""
        return [(await call.http.post(url, json={"tea": 1}, retried=retried)).status_code for _ in range(times)]

    @tool(deadline=20.0)
    async def pour(self, url: str, call: Call) -> int:
        """Order with a body that can be read once."""

        async def body() -> AsyncIterator[bytes]:
            yield b"tea"

        return (await call.http.post(url, content=body())).status_code

    @tool(read_only=True)
    async def look(self, url: str, call: Call) -> int:
        """Look at the shop."""
        return (await call.http.get(url)).status_code


@pytest.fixture(autouse=True)
def _without_waiting() -> Iterator[None]:
    with stamina.set_testing(testing=True, attempts=3, cap=True):
        yield


@pytest.fixture
def buyer(serve: Serve) -> str:
    return serve(Buyer(store="memory:"))


@pytest.mark.parametrize(
    ("statuses", "seen", "arrived"),
    [([200], 200, 1), ([503, 200], 200, 2), ([502, 504, 200], 200, 3), ([429, 200], 200, 2), ([500], 500, 1)],
)
def test_a_guarded_write_is_tried_again_under_one_key(
    serve: Serve, buyer: str, statuses: list[int], seen: int, arrived: int
) -> None:
    """Issue 8 item 3, incident D-05: the other side can see that it is one wish."""
    shop = Shop(*statuses)

    result = ask(buyer, "buy", {"url": serve(shop)})

    assert result["structuredContent"] == {"result": [seen]}
    assert len(shop.arrived) == arrived
    assert len({key for _, key, _, _ in shop.arrived}) == 1
    assert shop.arrived[0][1] is not None


def test_every_request_of_a_call_has_a_key_of_its_own(serve: Serve, buyer: str) -> None:
    """Incident D-05: two orders in one call are two orders."""
    shop = Shop()
    ask(buyer, "buy", {"url": serve(shop), "times": 2})

    assert len({key for _, key, _, _ in shop.arrived}) == 2


@pytest.mark.parametrize(("name", "arguments"), [("buy", {"retried": False}), ("pour", {})])
def test_some_writes_are_sent_once(serve: Serve, buyer: str, name: str, arguments: dict[str, Any]) -> None:
    """Incident D-02: where the other side honours no key; and a body that cannot be read twice."""
    shop = Shop(503, 200)
    ask(buyer, name, {"url": serve(shop), **arguments})

    assert len(shop.arrived) == 1


@pytest.mark.parametrize(
    ("after", "arrived"),
    [("1", 2), ("3600", 1), ("Fri, 31 Dec 2099 23:59:59 GMT", 1), ("Fri, 01 Jan 2021 00:00:00 GMT", 2), ("soon", 2)],
)
def test_who_is_asked_to_come_back_after_the_deadline_does_not_wait(
    serve: Serve, buyer: str, after: str, arrived: int
) -> None:
    """RFC 9110 section 10.2.3: seconds or a date; bound by the call's deadline."""
    shop = Shop(503, 200, after=after)
    ask(buyer, "buy", {"url": serve(shop)})

    assert len(shop.arrived) == arrived


def test_a_host_that_keeps_failing_is_left_alone(serve: Serve, buyer: str) -> None:
    """Issue 8 item 3: the second call of three tries opens the circuit; the third is told without being sent."""
    shop = Shop(*[503] * 20)
    url = serve(shop)
    for _ in range(2):
        ask(buyer, "look", {"url": url})
    result = ask(buyer, "look", {"url": url})

    assert len(shop.arrived) == 5
    assert result["isError"] is True
    assert "left alone for now. Nothing was sent" in texts(result)[0]


@pytest.mark.asyncio
async def test_a_host_that_is_back_is_asked_again(serve: Serve) -> None:
    """Ours: the pause is counted on the clock that is handed in."""
    now = 0.0
    upstream, shop = Upstream(circuits=CircuitPolicy(failures=1, pause=5.0), clock=lambda: now), Shop(503)
    url = serve(shop)
    http = upstream.until(None)
    with pytest.raises(UpstreamUnavailable):
        await http.get(url)  # the second try finds the circuit open
    now = 5.0

    assert (await http.get(url)).status_code == 200
    assert (await http.get(url)).status_code == 200
    await upstream.aclose()


@pytest.mark.asyncio
async def test_other_hosts_do_not_suffer(serve: Serve) -> None:
    """Issue 8 item 3: a circuit per host."""
    upstream, good = Upstream(circuits=CircuitPolicy(failures=1)), serve(Shop())
    http = upstream.until(None)
    with pytest.raises((httpx2.ConnectError, UpstreamUnavailable)):
        await http.get("http://127.0.0.1:9")

    assert (await http.get(good)).status_code == 200
    await upstream.aclose()


@pytest.mark.asyncio
async def test_retries_are_bounded_by_a_budget(serve: Serve) -> None:
    """Issue 8 item 3: a host in trouble gets no three times its load."""
    shop = Shop(*[503, 200] * 20)
    upstream = Upstream(budgets=BudgetPolicy(share=0.2, a_second=0.0, most=2.0), clock=lambda: 0.0)
    url, http = serve(shop), upstream.until(None)
    seen = [(await http.get(url)).status_code for _ in range(8)]
    await upstream.aclose()

    assert len(shop.arrived) == 8 + 3  # the two saved ones, and one for the share of eight
    assert seen.count(503) == 3


def test_a_request_carries_the_trace_of_its_call(serve: Serve, buyer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 8 item 3: trace propagation (W3C Trace Context)."""
    provider = TracerProvider()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", lambda name, *more: provider.get_tracer(name))
    shop = Shop()
    url = serve(shop)
    traced = serve(Buyer(store="memory:"))
    told = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    ask(traced, "look", {"url": url}, traceparent=told)

    carried = shop.arrived[0][2] or ""
    assert carried.startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert carried != told
