"""Declaring a connector: what hosts then see, what still works of the SDK, and what is refused at construction."""

import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context
from pydantic import AnyHttpUrl
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connector import Call, Connector, DeclarationError, LimitSettings, Settings, ToolFailed, tool
from tests.loopback import Serve
from tests.wire import call, headers, modern, post, request


@dataclass
class Invoice:
    number: str
    amount: Decimal


class Invoices(Connector):
    """Look up and create invoices."""

    name = "invoices"
    version = "1.4.0"
    title = "Invoices"

    @tool
    def count(self) -> int:
        """Count them."""
        return 2

    @tool(read_only=True, open_world=False, title="Find an invoice")
    async def find_invoice(self, number: str, call: Call) -> Invoice:
        """Find one invoice by its number."""
        if number == "none":
            raise ToolFailed("There is no invoice 'none'. Ask for its number.")
        return Invoice(number, Decimal("9.50"))

    @tool(name="about", description="Say what was asked.", destructive=False, idempotent=True, meta={"a": 1})
    async def describe(self, call: Call) -> str:
        return f"{call.tool} {call.conversation} {call.remaining}"


def _listed(url: str) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in post(url, request("tools/list")).json()["result"]["tools"]}


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
    listed = _listed(serve(Invoices()))

    assert list(listed) == ["count", "find_invoice", "about"]
    assert listed["find_invoice"]["annotations"] == {
        "title": "Find an invoice", "readOnlyHint": True, "destructiveHint": False, "openWorldHint": False
    }  # fmt: skip
    assert listed["count"]["annotations"] == {
        "readOnlyHint": False, "destructiveHint": True, "idempotentHint": False, "openWorldHint": True
    }  # fmt: skip
    assert listed["about"]["annotations"] == {
        "readOnlyHint": False, "destructiveHint": False, "idempotentHint": True, "openWorldHint": True
    }  # fmt: skip
    assert (listed["about"]["description"], listed["about"]["_meta"]) == ("Say what was asked.", {"a": 1})


def test_the_call_is_no_part_of_the_schema_and_the_return_annotation_is(serve: Serve) -> None:
    """DESIGN section 2."""
    found = _listed(serve(Invoices()))["find_invoice"]

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
    listed, result = _listed(url)["slotted"], post(url, call("slotted", {})).json()["result"]

    assert listed["outputSchema"]["required"] == ["what"]  # type: ignore[index]
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
    assert list(_listed(url)) == ["find_invoice", "about"]
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
    assert list(_listed(url)) == ["above", "below", "of_class"]
    answers = [
        post(url, call(name, {})).json()["result"]["structuredContent"] for name in ("above", "below", "of_class")
    ]
    assert answers == [{"result": "above"}, {"result": "below"}, {"result": "loose"}]


class _Tokens:
    async def verify_token(self, token: str) -> AccessToken | None:
        return AccessToken(token=token, client_id="c", scopes=["read"]) if token == "good" else None


class TestWhatTheSdkOffers:
    """Everything inherited from MCPServer still works (issue text)."""

    @pytest.mark.asyncio
    @pytest.mark.parametrize("mode", ["legacy", "auto"])
    async def test_its_client_lists_and_calls(self, serve: Serve, mode: str) -> None:
        """mcp.Client over HTTP, both eras."""
        async with Client(serve(Invoices()) + "/mcp", mode=mode) as client:
            assert [each.name for each in (await client.list_tools()).tools] == ["count", "find_invoice", "about"]
            assert (await client.call_tool("count", {})).structured_content == {"result": 2}

    @pytest.mark.asyncio
    async def test_its_client_talks_to_it_in_memory(self) -> None:
        """mcp.Client(server)."""
        async with Client(Invoices()) as client:
            assert (await client.call_tool("count", {})).structured_content == {"result": 2}

    @pytest.mark.asyncio
    async def test_it_serves_stdio(self, tmp_path: Path) -> None:
        """MCPServer.run("stdio")."""
        (tmp_path / "one.py").write_text(
            "from connector import Connector, tool\n"
            "class One(Connector):\n"
            "    name = 'one'\n"
            "    @tool\n"
            "    def one(self) -> int:\n"
            "        return 1\n"
            "One().run('stdio')\n"
        )
        parameters = StdioServerParameters(command=sys.executable, args=[str(tmp_path / "one.py")])
        async with Client(stdio_client(parameters)) as client:
            assert (await client.call_tool("one", {})).structured_content == {"result": 1}

    def test_its_decorators_and_custom_routes_stand_beside_declared_tools(self, serve: Serve) -> None:
        """MCPServer.tool, .resource, .prompt, .custom_route."""
        made = Invoices()

        @made.tool()
        async def added(ctx: Context) -> str:
            return f"added {ctx.request_id}"

        @made.resource("text://a")
        def text() -> str:
            return "a resource"

        @made.prompt()
        def ask(what: str) -> str:
            return f"Ask for {what}"

        @made.custom_route("/version", methods=["GET"])  # type: ignore[untyped-decorator]  # the SDK's
        async def version(_: Request) -> Response:
            return JSONResponse({"version": made.version})

        url = serve(made)
        assert post(url, call("added", {}, id_=9)).json()["result"]["structuredContent"] == {"result": "added 9"}
        read = post(url, request("resources/read", {"uri": "text://a"})).json()["result"]["contents"]
        assert read == [{"uri": "text://a", "mimeType": "text/plain", "text": "a resource"}]
        got = post(url, request("prompts/get", {"name": "ask", "arguments": {"what": "it"}})).json()["result"]
        assert got["messages"][0]["content"]["text"] == "Ask for it"
        assert httpx2.get(f"{url}/version").json() == {"version": "1.4.0"}

    def test_its_middleware_and_lifespan_run(self) -> None:
        """MCPServer(middleware=..., lifespan=...)."""
        from contextlib import asynccontextmanager

        from tests.loopback import served

        seen: list[str] = []

        @asynccontextmanager
        async def lifespan(server: object) -> AsyncIterator[dict[str, str]]:
            seen.append("up")
            yield {"state": "shared"}
            seen.append("down")

        async def watch(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
            seen.append(f"{ctx.method} {ctx.lifespan_context['state']}")
            return await call_next(ctx)

        with served(Invoices(lifespan=lifespan, middleware=[watch]).app()) as url:
            post(url, request("ping"))

        assert seen == ["up", "ping shared", "down"]

    def test_its_token_verifier_guards_the_endpoint(self, serve: Serve) -> None:
        """MCPServer(auth=..., token_verifier=...): the endpoint is replaced, the guard is not."""
        auth = AuthSettings(
            issuer_url=AnyHttpUrl("https://as.example.com"),
            resource_server_url=AnyHttpUrl("http://127.0.0.1/mcp"),
            required_scopes=["read"],
            validate_token_resource=False,
        )
        url = serve(Invoices(auth=auth, token_verifier=_Tokens()))

        refused = post(url, call("count", {}))
        assert refused.status_code == 401
        assert "resource_metadata=" in refused.headers["www-authenticate"]
        assert httpx2.post(f"{url}/mcp/", json=call("count", {}), headers=headers()).status_code == 401
        allowed = post(url, call("count", {}), headers(Authorization="Bearer good"))
        assert allowed.json()["result"]["structuredContent"] == {"result": 2}
        assert httpx2.get(f"{url}/.well-known/oauth-protected-resource/mcp").status_code == 200

    def test_a_notification_reaches_its_handler(self, serve: Serve) -> None:
        """Server.add_notification_handler."""
        from mcp_types import NotificationParams

        from connector.http.kernel import core_of

        made, told = Invoices(), threading.Event()

        async def on_told(ctx: object, params: object) -> None:
            told.set()

        core_of(made).add_notification_handler("notifications/acme/told", NotificationParams, on_told)
        post(serve(made), {"jsonrpc": "2.0", "method": "notifications/acme/told"})

        assert told.wait(10)


def test_a_request_before_the_lifespan_says_what_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    """A mounted app whose lifespan nobody runs is the usual mistake."""

    async def ask() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=Invoices().app())
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post("/mcp", json=request("tools/list"), headers=headers())

    caplog.set_level("DEBUG", logger="ballast")
    assert anyio.run(ask).json()["error"] == {"code": -32603, "message": "Internal server error"}
    assert "enter `async with connector.running():`" in caplog.text


def test_a_mounted_app_serves_below_its_prefix(serve: Serve) -> None:
    """Starlette's Mount puts the prefix into root_path."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    made = Invoices()
    url = serve(Starlette(routes=[Mount("/api", made.app())], lifespan=lambda _: made.running()))
    reply = httpx2.post(f"{url}/api/mcp", json=call("count", {}), headers=headers())

    assert reply.json()["result"]["structuredContent"] == {"result": 2}


class _Nameless(Connector):
    pass


class _TwoOfOne(Connector):
    name = "two"

    @tool(name="find")
    async def find_a(self) -> str:
        return "a"

    @tool(name="FIND")
    async def find_b(self) -> str:
        return "b"


class _Hiding(Connector):
    name = "hiding"

    @tool
    async def list_tools(self) -> str:  # type: ignore[override]
        return "a"


class _CallTwice(Connector):
    name = "twice"

    @tool
    async def ask(self, one: Call, two: Call) -> str:
        return "a"


class _Undefined(Connector):
    name = "undefined"

    @tool
    async def ask(self, one: "Missing") -> str:  # type: ignore[name-defined]  # noqa: F821
        return "a"


class _Bytes(Connector):
    name = "bytes"

    @tool
    def picture(self) -> bytes:
        return b"\x89PNG"


class _Property(Connector):
    name = "property"

    @property
    @tool
    def total(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("declare", "says"),
    [
        (_Nameless, "add `name = '...'` to the class"),
        (_TwoOfOne, "declares two tools called 'FIND' (hosts ignore case): rename one"),
        (_Hiding, "rename the method and write @tool(name='list_tools')"),
        (_CallTwice, "asks for the call more than once (one, two): keep one"),
        (_Bytes, "_Bytes.picture returns bytes, and no host knows of what kind: return Image or Audio"),
        (_Property, "_Property.total is a tool and a property: leave @property away"),
        (_Undefined, "the annotation 'Missing' is not defined there: import it at module level"),
        (lambda: Invoices(public_url="invoices.example.com"), "needs a scheme and a host"),
        (lambda: Invoices(public_url="ftp://a"), "needs a scheme and a host"),
        (lambda: Invoices(public_url="https://a/mcp"), "must be an origin only"),
        (lambda: Invoices(store="mysql://localhost/calls"), "mysql"),
        (lambda: Invoices(sessions="glued"), "sessions='glued' is not known: leave it out, or set 'sticky'"),  # type: ignore[arg-type]
        (lambda: tool(deadline=0), "deadline=0 must be a positive number of seconds"),
        (lambda: tool(deadline=float("nan"))(print), "deadline=nan must be a positive number of seconds"),
        (lambda: tool(name="no spaces")(print), "use 1 to 64 letters, digits, '_' or '-'"),
        (lambda: tool(name="x" * 65)(print), "use 1 to 64 letters"),
        (lambda: tool(read_only=True, destructive=True)(print), "contradict each other: drop one"),
        (lambda: tool("find"), "'find', which cannot be called: write @tool or @tool(name=...)"),  # type: ignore[call-overload]
        (lambda: tool(read_only=True)("find"), "'find', which cannot be called"),  # type: ignore[type-var]
    ],
)
def test_a_wrong_declaration_fails_at_once_and_says_what_to_change(declare: object, says: str) -> None:
    """Issue text, item 2."""
    with pytest.raises(DeclarationError) as raised:
        declare()  # type: ignore[operator]
    assert says in str(raised.value)
