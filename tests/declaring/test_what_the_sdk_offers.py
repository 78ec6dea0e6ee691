"""What a connector inherits from the SDK's server, and where it may be mounted."""

import sys
import threading
from collections.abc import AsyncIterator
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

from tests.declaring.invoices import Invoices
from tests.loopback import Serve
from tests.wire import call, headers, post, request


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
