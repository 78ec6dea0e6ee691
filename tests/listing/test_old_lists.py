"""Calls from a list of tools that is no longer true, and what is said of the list before anybody reads it."""

import logging
from typing import Annotated, Any, ClassVar

import pytest
from mcp_types import ToolAnnotations
from pydantic import Field

from connector import Connector, DeclarationError, tool
from tests import wire
from tests.loopback import Serve, served


class Shop(Connector):
    """A shop."""

    name = "shop"
    version = "2"
    tombstones: ClassVar = {"refund": "cancel", "audit": "Ask a person for it."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sold: list[str] = []

    @tool(aliases=["order", "purchase"], argument_aliases={"article": "item", "number": "count"})
    def buy(self, item: str, count: int = 1) -> str:
        """Buy."""
        self.sold.append(item)
        return f"{count} x {item}"

    @tool
    def cancel(self, item: str) -> str:
        """Cancel."""
        return item


def call(url: str, name: str, **arguments: Any) -> dict[str, Any]:
    reply: dict[str, Any] = wire.post(url, wire.call(name, arguments)).json()
    return reply


@pytest.mark.parametrize("sessions", ["none", "sticky"])
def test_a_renamed_tool_answers_to_its_old_names_and_arguments(serve: Serve, sessions: str) -> None:
    """Incident P-21, facts section 2.4: lists are read at creation and at "Refresh" only."""
    shop = Shop(store="memory:", sessions=sessions)
    url = serve(shop)
    names = [each["name"] for each in wire.post(url, wire.request("tools/list")).json()["result"]["tools"]]

    assert names == ["buy", "cancel"]
    assert call(url, "order", article="tea", number=2)["result"]["content"][0]["text"] == "2 x tea"
    assert call(url, "buy", item="milk", article="cream")["result"]["content"][0]["text"] == "1 x milk"
    head, body = wire.modern("tools/call", {"name": "purchase", "arguments": {"item": "jam"}})
    assert wire.post(url, body, head).json()["result"]["content"][0]["text"] == "1 x jam"
    assert shop.sold == ["tea", "milk", "jam"]


@pytest.mark.parametrize(
    ("arguments", "is_error", "said"),
    [
        ({"article": "tea", "number": 3}, False, "3 x tea"),
        ({"item": "tea", "colour": "green"}, False, "1 x tea"),
        ({"article": "tea", "count": "4"}, False, "4 x tea"),
        ({"number": 2}, True, "buy was not called: its arguments do not fit (item: Field required)"),
        ({"item": ["tea"], "count": None}, True, "buy was not called: its arguments do not fit"),
    ],
)
def test_the_arguments_of_earlier_releases_are_served_or_answered_in_words(
    serve: Serve, arguments: dict[str, Any], is_error: bool, said: str
) -> None:
    """CT-09b: never -32602, whatever a host kept from an older list."""
    result = call(serve(Shop(store="memory:")), "buy", **arguments)["result"]

    assert result.get("isError", False) is is_error
    assert said in result["content"][0]["text"]


def test_the_old_and_the_new_wording_are_one_wish(serve: Serve) -> None:
    """CT-04: a retry is a retry, also when the list was refreshed in between."""
    shop = Shop(store="memory:")
    url, key = serve(shop), {"ballast/idempotencyKey": "order-1"}
    wire.post(url, wire.call("order", {"article": "tea"}, meta=key))
    again = wire.post(url, wire.call("buy", {"item": "tea"}, meta=key)).json()["result"]

    assert again["_meta"]["ballast/idempotency"]["outcome"] == "replayed"
    assert shop.sold == ["tea"]


def test_a_tool_that_is_gone_names_its_successor(serve: Serve) -> None:
    """CT-32b: `isError` with the successor; a name that never was stays -32602."""
    url = serve(Shop(store="memory:"))

    refund = call(url, "refund", item="tea")["result"]
    assert refund["isError"] is True
    assert refund["content"][0]["text"] == "refund is gone and nothing was done. Call cancel instead."
    assert call(url, "audit")["result"]["content"][0]["text"].endswith("Ask a person for it.")
    assert call(url, "nonsense")["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("says", "stones", "reason"),
    [
        ({"aliases": ["two"]}, {}, "'two' is said to be an old name, and there is a tool of that name"),
        ({"aliases": "older"}, {}, "write a list"),
        ({"aliases": ["old"]}, {"old": "two"}, "both an alias and a tombstone"),
        ({}, {"one": "two"}, "'one' is said to be an old name"),
        ({"argument_aliases": {"was": "is_not"}}, {}, "'was' leads to 'is_not', which it does not take"),
        ({"argument_aliases": {"text": "text"}}, {}, "it has an argument of that name"),
    ],
)
def test_an_old_name_that_leads_nowhere_is_refused(says: dict[str, Any], stones: dict[str, str], reason: str) -> None:
    """Ours: a wrong declaration fails before any request."""

    class Renamed(Connector):
        name = "renamed"
        tombstones = stones

        @tool(**says)
        def one(self, text: str) -> str:
            return text

        @tool
        def two(self) -> str:
            return ""

    with pytest.raises(DeclarationError, match=reason):
        Renamed(store="memory:")


LONG = "All that anybody could ever want to know of it. " * 500


class Sloppy(Connector):
    """What a scanner stumbles over, by the SDK's own door."""

    name = "sloppy"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        hints = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
        add = self.add_tool
        add(lambda: "", name="unsaid")
        add(lambda: "", name="unsaid.dotted", annotations=hints)
        add(lambda: "", name="long", description=LONG, annotations=hints)
        add(lambda: "", name="words", annotations=hints, meta={"openai/toolInvocation/invoking": "x" * 65})
        add(lambda: "", name="half", annotations=hints, meta={"openai/outputTemplate": "ui://half/page.html"})
        add(_filed, name="filed", annotations=hints, meta={"openai/fileParams": ["paper", "scan"]})
        self.resource("ui://half/page.html", name="half", mime_type="text/html")(lambda: "<p>")


def _filed(paper: Annotated[dict[str, str], Field(description="a file")], scan: str) -> str:
    return f"{paper}{scan}"


HINTS_ADVICE = "must be said, true or false: declare it with @tool, or give annotations"
FILE_ADVICE = "declare exactly download_url, file_id, mime_type, file_name"
MIMES = "text/html+skybridge and text/html;profile=mcp-app"


def test_what_a_scanner_would_refuse_is_said_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    """Issue 8 item 6, CT-32: names, hints, lengths, 5,000 tokens, file parameters, pages."""
    with caplog.at_level(logging.WARNING, logger="ballast"), served(Sloppy(store="memory:").app()):
        pass
    said = [record.getMessage().partition(": ")[2] for record in caplog.records if "scans" in record.getMessage()]

    assert said == [
        f"unsaid: readOnlyHint and destructiveHint and openWorldHint {HINTS_ADVICE}",
        "'unsaid.dotted' is no name that hosts take: use 1 to 64 letters, digits, '_' or '-'",
        "long: its definition has about 6033 tokens, and 5000 are too many: shorten it, or split the tool",
        "words: openai/toolInvocation/invoking must be a text of 1 to 64 characters",
        "half: it names a page, but not as ui.resourceUri, and hosts read the one or the other: use @tool(widget=...)",
        f"half: the page ui://half/page.html is 'text/html', and hosts show {MIMES} only",
        f"filed: openai/fileParams names 'paper', which is no object: {FILE_ADVICE}",
        f"filed: openai/fileParams names 'scan', which is no object: {FILE_ADVICE}",
    ]


def test_nothing_is_said_of_tools_that_are_declared_well(caplog: pytest.LogCaptureFixture) -> None:
    """A warning that everybody has is read by nobody."""
    with caplog.at_level(logging.WARNING, logger="ballast"), served(Shop(store="memory:").app()):
        pass

    assert [record.getMessage() for record in caplog.records if "scans" in record.getMessage()] == []
