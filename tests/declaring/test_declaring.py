"""Declaring a connector: what hosts then see, and how its tools run."""

import threading
from dataclasses import dataclass, field
from decimal import Decimal

import anyio
import pytest

from connector import Call, Connector, LimitSettings, Settings, tool
from tests.declaring.invoices import Invoices, listed
from tests.loopback import Serve
from tests.wire import call, modern, post, request


def test_the_class_says_who_the_connector_is(serve: Serve) -> None:
    """DESIGN section 2: the docstring becomes the instructions."""
    said, body = modern("server/discover")
    url = serve(Invoices())
    discovered = post(url, body, said).json()["result"]
    offered = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}
    initialized = post(url, request("initialize", offered)).json()["result"]

    identity = {"name": "invoices", "version": "1.4.0", "title": "Invoices"}
    assert discovered["_meta"]["io.modelcontextprotocol/serverInfo"] == initialized["serverInfo"] == identity
    assert discovered["instructions"] == initialized["instructions"] == "Look up and create invoices."


def test_a_declaration_becomes_a_descriptor_with_every_hint(serve: Serve) -> None:
    """ChatGPT's scanner refuses a tool that leaves a hint open (facts on the wire, section 4)."""
    tools = listed(serve(Invoices()))

    assert list(tools) == ["count", "find_invoice", "about"]
    assert tools["find_invoice"]["annotations"] == {
        "title": "Find an invoice", "readOnlyHint": True, "destructiveHint": False, "openWorldHint": False
    }  # fmt: skip
    assert tools["count"]["annotations"] == {
        "readOnlyHint": False, "destructiveHint": True, "idempotentHint": False, "openWorldHint": True
    }  # fmt: skip
    assert tools["about"]["annotations"] == {
        "readOnlyHint": False, "destructiveHint": False, "idempotentHint": True, "openWorldHint": True
    }  # fmt: skip
    assert (tools["about"]["description"], tools["about"]["_meta"]) == ("Say what was asked.", {"a": 1})


def test_the_call_is_no_part_of_the_schema_and_the_return_annotation_is(serve: Serve) -> None:
    """DESIGN section 2."""
    found = listed(serve(Invoices()))["find_invoice"]

    assert found["inputSchema"] == {
        "type": "object",
        "title": "find_invoiceArguments",
        "properties": {"number": {"title": "Number", "type": "string"}},
        "required": ["number"],
    }
    assert sorted(found["outputSchema"]["properties"]) == ["amount", "number"]  # type: ignore[index]


def test_a_tool_answers_with_its_structured_result_or_says_why_not(serve: Serve) -> None:
    """MCP, tools: structuredContent and isError."""
    url = serve(Invoices())
    found = post(url, call("find_invoice", {"number": "7"})).json()["result"]
    missing = post(url, call("find_invoice", {"number": "none"})).json()["result"]

    assert found["structuredContent"] == {"number": "7", "amount": "9.50"}
    assert missing["isError"] is True
    assert [part["text"] for part in missing["content"]] == ["There is no invoice 'none'. Ask for its number."]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an invoice."""

    what: str
    price: Decimal = Decimal(1)
    tags: list[str] = field(default_factory=list)


class Structured(Connector):
    name = "structured"

    @tool(read_only=True)
    def slotted(self) -> Line:
        """A slotted dataclass."""
        return Line(what="paper", price=Decimal("9.50"), tags=["a"])

    @tool(read_only=True)
    def many(self) -> list[Line]:
        """A list of them."""
        return [Line(what="paper")]

    @tool(read_only=True)
    def text(self) -> str:
        """A text that happens to be indented JSON."""
        return '{\n  "a": 1\n}'


def test_a_slotted_dataclass_has_a_schema_and_structured_content(serve: Serve) -> None:
    """The SDK drops both for slotted dataclasses."""
    url = serve(Structured())
    descriptor, result = listed(url)["slotted"], post(url, call("slotted", {})).json()["result"]

    assert descriptor["outputSchema"]["required"] == ["what"]  # type: ignore[index]
    assert result["structuredContent"] == {"what": "paper", "price": "9.50", "tags": ["a"]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("slotted", '{"what":"paper","price":"9.50","tags":["a"]}'),
        ("many", '{"what":"paper","price":"1","tags":[]}'),
        ("text", '{\n  "a": 1\n}'),
    ],
)
def test_the_text_of_a_structured_result_is_its_json_on_one_line(serve: Serve, name: str, text: str) -> None:
    """Deep research reads the same JSON string from content[0].text (facts on the wire, section 4)."""
    assert post(serve(Structured()), call(name, {})).json()["result"]["content"] == [{"type": "text", "text": text}]


def test_constructing_a_connector_leaves_logging_alone() -> None:
    """Every module-level connector would otherwise configure the root logger on import."""
    import logging

    before = list(logging.getLogger().handlers), logging.getLogger().level
    Invoices()

    assert (list(logging.getLogger().handlers), logging.getLogger().level) == before


def test_a_tool_can_ask_the_call_who_it_is(serve: Serve) -> None:
    """`openai/session` is constant within a conversation (facts on the wire, section 2.5)."""
    result = post(serve(Invoices()), call("about", {}, meta={"openai/session": "v1/s"})).json()["result"]

    assert result["structuredContent"] == {"result": "about v1/s None"}


class Blocking(Connector):
    """`def` tools that block until released."""

    name = "blocking"

    def __init__(self) -> None:
        super().__init__(settings=Settings(limits=LimitSettings(threads=2)))
        self.release = threading.Event()
        self.two_inside = threading.Event()
        self._lock = threading.Lock()
        self.inside = self.most_inside = 0

    @tool(read_only=True)
    def block(self) -> str:
        """Block the thread."""
        with self._lock:
            self.inside += 1
            self.most_inside = max(self.inside, self.most_inside)
            if self.inside == 2:
                self.two_inside.set()
        assert self.release.wait(20)
        with self._lock:
            self.inside -= 1
        return "through"

    @tool(read_only=True, deadline=0.1)
    def block_with_deadline(self) -> str:
        """Block the thread for longer than the deadline."""
        assert self.release.wait(20)
        return "through"

    @tool(read_only=True)
    async def quick(self) -> str:
        """Answer at once."""
        return "quick"

    @tool(read_only=True)
    def walk(self, call: Call) -> str:
        """Report progress from a thread."""
        anyio.from_thread.run(call.progress, 1, 2)
        return "walked"


def test_def_tools_share_a_bounded_pool_and_never_block_the_loop(serve: Serve) -> None:
    """Incident L-03."""
    made = Blocking()
    url = serve(made)
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(post(url, call("block", {})).text)) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert made.two_inside.wait(10)
    meanwhile = post(url, call("quick", {})).json()["result"]["structuredContent"]
    made.release.set()
    for thread in threads:
        thread.join(20)

    assert meanwhile == {"result": "quick"}
    assert len(answers) == 5
    assert all('"through"' in answer for answer in answers)
    assert made.most_inside == 2


def test_a_def_tool_is_answered_at_its_deadline_though_its_thread_goes_on(serve: Serve) -> None:
    """peers.md note 3: elsewhere the caller waits for the thread."""
    made = Blocking()
    result = post(serve(made), call("block_with_deadline", {})).json()["result"]
    made.release.set()

    assert result["isError"] is True
    assert result["content"][0]["text"].startswith("This took longer than the 0.1 s it may take and was stopped.")


def test_a_def_tool_can_report_progress(serve: Serve) -> None:
    """`anyio.from_thread.run(call.progress, ...)` as the docstring says."""
    assert '"walked"' in post(serve(Blocking()), call("walk", {})).text


def test_a_subclass_keeps_replaces_and_takes_away_tools(serve: Serve) -> None:
    """Ours: a declaration is inherited like the method it stands on."""

    class Fewer(Invoices):
        name = "fewer"
        count = None  # type: ignore[assignment]

        async def find_invoice(self, number: str) -> str:  # type: ignore[override]
            return f"overridden {number}"

    url = serve(Fewer())
    assert list(listed(url)) == ["find_invoice", "about"]
    assert post(url, call("find_invoice", {"number": "7"})).json()["result"]["structuredContent"] == {
        "result": "overridden 7"
    }


def test_a_tool_may_need_no_instance(serve: Serve) -> None:
    """Ours: `@staticmethod` and `@classmethod`, above `@tool` or below it."""

    class Loose(Connector):
        name = "loose"

        @staticmethod
        @tool(read_only=True)
        def above() -> str:
            return "above"

        @tool(read_only=True)
        @staticmethod
        def below() -> str:
            return "below"

        @classmethod
        @tool(read_only=True)
        def of_class(cls) -> str:
            return cls.name

    url = serve(Loose())
    assert list(listed(url)) == ["above", "below", "of_class"]
    answers = [
        post(url, call(name, {})).json()["result"]["structuredContent"] for name in ("above", "below", "of_class")
    ]
    assert answers == [{"result": "above"}, {"result": "below"}, {"result": "loose"}]
