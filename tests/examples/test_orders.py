"""The order desk, through HTTP."""

import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

from examples import twice
from examples.orders import OrderDesk
from tests.examples.conftest import Host, HostOf
from tests.loopback import Serve


@pytest.fixture
def host(host_of: HostOf, tmp_path: Path) -> Host:
    return host_of(OrderDesk(path=tmp_path / "orders.sqlite3"))


def stock(host: Host) -> dict[str, int]:
    return {product["sku"]: product["stock"] for product in host.read("list_products")["products"]}


def tea(quantity: int) -> dict[str, Any]:
    return {"sku": "TEA-100", "quantity": quantity}


def test_products_have_exact_prices(host: Host) -> None:
    """Ours: money is never a binary fraction."""
    assert host.read("list_products")["products"][0] == {
        "sku": "CUP-2",
        "title": "Two cups",
        "price": "19.95",
        "stock": 12,
    }


def test_an_order_takes_its_items_out_of_stock_and_can_be_found(host: Host) -> None:
    """Ours."""
    placed = host.read("place_order", customer="Ada", items=[tea(3), {"sku": "POT-1", "quantity": 1}])
    assert placed["number"] == 1
    assert placed["status"] == "placed"
    assert placed["total"] == "73.20"
    assert [(line["sku"], line["quantity"], line["price"]) for line in placed["lines"]] == [
        ("TEA-100", 3, "12.90"),
        ("POT-1", 1, "34.50"),
    ]
    assert host.read("find_order", number=1) == placed
    assert (stock(host)["TEA-100"], stock(host)["POT-1"]) == (37, 7)


def test_the_same_product_twice_in_one_order_is_one_line(host: Host) -> None:
    """Ours."""
    placed = host.read("place_order", customer="Ada", items=[tea(2), tea(3)])
    assert [(line["sku"], line["quantity"]) for line in placed["lines"]] == [("TEA-100", 5)]


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([{"sku": "TEA-100", "quantity": 1}, {"sku": "COFFEE", "quantity": 1}], "There is no product 'COFFEE'."),
        ([{"sku": "TEA-100", "quantity": 1}, {"sku": "SIEVE", "quantity": 4}], "Only 3 of SIEVE in stock, 4 wanted."),
        ([{"sku": "SIEVE", "quantity": 2}, {"sku": "SIEVE", "quantity": 2}], "Only 3 of SIEVE in stock, 4 wanted."),
    ],
)
def test_an_order_that_cannot_be_filled_changes_nothing(host: Host, items: list[dict[str, Any]], words: str) -> None:
    """Ours: stock and order change together or not at all."""
    before = stock(host)
    assert host.refusal("place_order", customer="Ada", items=items).startswith(words)
    assert stock(host) == before
    assert host.read("list_orders")["orders"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"customer": "", "items": [{"sku": "TEA-100", "quantity": 1}]},
        {"customer": "Ada", "items": []},
        {"customer": "Ada", "items": [{"sku": "TEA-100", "quantity": 0}]},
        {"customer": "Ada", "items": [{"sku": "TEA-100", "quantity": -5}]},
        {"customer": "Ada", "items": [{"sku": "TEA-100"}]},
        {"items": [{"sku": "TEA-100", "quantity": 1}]},
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_anything_happens(host: Host, arguments: dict[str, Any]) -> None:
    """SEP-1303: input that does not validate is a tool error the model can read."""
    host.refusal("place_order", **arguments)
    assert stock(host)["TEA-100"] == 40


def test_cancelling_puts_the_items_back_and_happens_once(host: Host) -> None:
    """Ours."""
    host.read("place_order", customer="Ada", items=[tea(40)])
    assert stock(host)["TEA-100"] == 0
    assert host.read("cancel_order", number=1)["status"] == "cancelled"
    assert stock(host)["TEA-100"] == 40
    assert host.refusal("cancel_order", number=1).startswith("Order 1 is cancelled already")
    assert stock(host)["TEA-100"] == 40


@pytest.mark.parametrize("tool", ["find_order", "cancel_order"])
def test_an_unknown_order_is_an_error_that_says_what_to_do(host: Host, tool: str) -> None:
    """Ours."""
    assert host.refusal(tool, number=7) == "There is no order 7. Call list_orders for the numbers there are."


def test_orders_are_listed_newest_first_in_pages(host: Host) -> None:
    """Ours."""
    for _ in range(22):
        host.read("place_order", customer="Ada", items=[tea(1)])
    page = host.read("list_orders")
    assert [order["number"] for order in page["orders"]] == list(range(22, 2, -1))
    assert page["next_before"] == 3
    last = host.read("list_orders", before=3)
    assert [order["number"] for order in last["orders"]] == [2, 1]
    assert last["next_before"] is None


def test_many_orders_at_once_never_sell_what_is_not_there(host: Host) -> None:
    """Ours: 20 customers, 3 sieves."""
    outcomes: list[bool] = []

    def order(customer: int) -> None:
        arguments = {"customer": f"customer {customer}", "items": [{"sku": "SIEVE", "quantity": 1}]}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
        message |= {"params": {"name": "place_order", "arguments": arguments}}
        headers = {"Accept": "application/json", "MCP-Protocol-Version": "2025-11-25"}
        reply = httpx2.post(f"{host.url}/mcp", json=message, headers=headers, timeout=30)
        outcomes.append(not reply.json()["result"].get("isError"))

    threads = [threading.Thread(target=order, args=(customer,)) for customer in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 17 + [True] * 3
    assert stock(host)["SIEVE"] == 0
    assert len(host.read("list_orders")["orders"]) == 3


def test_progress_is_told_to_a_client_that_asks_for_it(host: Host) -> None:
    """MCP, progress: opt-in by `_meta.progressToken`, and it must increase."""
    params = {
        "name": "place_order",
        "arguments": {"customer": "Ada", "items": [tea(1)]},
        "_meta": {"progressToken": "p"},
    }
    messages = host.messages("tools/call", **params)
    progress = [message["params"] for message in messages if message.get("method") == "notifications/progress"]
    assert [(each["progressToken"], each["progress"], each["total"]) for each in progress] == [("p", 1, 2), ("p", 2, 2)]
    assert messages[-1]["result"]["structuredContent"]["status"] == "placed"


def test_the_tools_say_truthfully_what_they_do(host: Host) -> None:
    """chatgpt-wire section 4: read-only, destructive and open-world hints are required on every tool."""
    tools = {tool["name"]: tool for tool in host.ask("tools/list")["tools"]}
    hints = {
        name: (tool["annotations"]["readOnlyHint"], tool["annotations"]["destructiveHint"])
        for name, tool in tools.items()
    }
    assert hints == {
        "list_products": (True, False),
        "find_order": (True, False),
        "list_orders": (True, False),
        "place_order": (False, False),
        "cancel_order": (False, True),
    }
    assert {tool["annotations"]["openWorldHint"] for tool in tools.values()} == {False}
    assert all(tool["outputSchema"]["type"] == "object" for tool in tools.values())
    assert sorted(tools["place_order"]["inputSchema"]["required"]) == ["customer", "items"]


def test_orders_survive_a_restart(host_of: HostOf, tmp_path: Path) -> None:
    """Ours."""
    path = tmp_path / "orders.sqlite3"
    host_of(OrderDesk(path=path)).read("place_order", customer="Ada", items=[tea(1)])
    assert host_of(OrderDesk(path=path)).read("find_order", number=1)["customer"] == "Ada"


def test_the_file_is_where_the_environment_says(
    host_of: HostOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours."""
    monkeypatch.setenv("ORDERS_DB", str(tmp_path / "elsewhere.sqlite3"))
    assert stock(host_of(OrderDesk()))["TEA-100"] == 40
    assert (tmp_path / "elsewhere.sqlite3").exists()


def test_a_broken_stream_orders_once_and_a_wish_orders_again(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue 4 item 8; incidents D-02 and D-05."""
    twice.main(serve(OrderDesk(path=tmp_path / "orders.sqlite3")))

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("2. Sent it again, as a host does: order 1, ")
    assert lines[1].endswith(("replayed.", "joined."))
    assert lines[3] == "3. Ordered the same once more, having seen the answer: order 2, executed."
    assert lines[4] == "Orders at the desk, newest first: [2, 1]"
