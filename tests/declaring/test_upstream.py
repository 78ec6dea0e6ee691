"""`call.http`: reads are tried again, everything else is sent once, and every wait ends with the call."""

import threading
from collections.abc import Iterator

import pytest
import stamina
from starlette.types import Receive, Scope, Send

from connector import Call, Connector, tool
from tests.loopback import Serve
from tests.wire import call, post


class Shop:
    """An upstream that fails as it is told, and counts what arrives."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.arrived: list[str] = []
        self.let_go = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.arrived.append(scope["method"])
        if scope["path"] == "/never":
            await receive()
            await receive()
            return
        status = self.statuses.pop(0) if self.statuses else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


class Caller(Connector):
    """Tools that ask an upstream."""

    name = "caller"

    @tool(read_only=True)
    async def ask(self, method: str, url: str, call: Call) -> int:
        """Send one request and give its status."""
        return (await call.http.request(method, url)).status_code

    @tool(read_only=True, deadline=0.3)
    async def ask_briefly(self, url: str, call: Call) -> int:
        """Ask with little time."""
        return (await call.http.get(url)).status_code


@pytest.fixture(autouse=True)
def _without_waiting() -> Iterator[None]:
    with stamina.set_testing(testing=True, attempts=3, cap=True):
        yield


@pytest.mark.parametrize(
    ("method", "statuses", "seen", "arrived"),
    [
        ("GET", [200], 200, 1),
        ("GET", [503, 502, 200], 200, 3),
        ("GET", [503, 503, 504, 200], 504, 3),
        ("GET", [500], 500, 1),
        ("GET", [404], 404, 1),
        ("HEAD", [502], 200, 2),
        ("POST", [503], 503, 1),
        ("PUT", [504], 504, 1),
        ("DELETE", [502], 502, 1),
    ],
)
def test_only_reads_are_tried_again_and_only_when_the_gateway_failed(
    serve: Serve, method: str, statuses: list[int], seen: int, arrived: int
) -> None:
    """RFC 9110 sections 9.2.1 and 15.6; incident D-02: a write tried again is a write done twice."""
    shop = Shop(*statuses)
    reply = post(serve(Caller()), call("ask", {"method": method, "url": serve(shop)}))

    assert reply.json()["result"]["structuredContent"] == {"result": seen}
    assert shop.arrived == [method] * arrived


def test_a_wait_ends_with_the_call(serve: Serve) -> None:
    """DESIGN section 2: deadline-bound."""
    shop = Shop()
    result = post(serve(Caller()), call("ask_briefly", {"url": serve(shop) + "/never"})).json()["result"]

    assert result["isError"] is True
    assert shop.arrived[0] == "GET"
