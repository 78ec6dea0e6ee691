"""An imitation of the Responses API on loopback: it calls a connector as the real one was seen to, by its own clock.

Shapes and times: the platform's client library (3.52.0) and specification (2026-08-21); 59.8 s and one retry of the
same call, seen 2026-09-18; the 424 of a list that failed, seen 2025-08-25. It has no model: it reads the arguments out
of the words it is sent.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import anyio
import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

LIMIT: Final = 59.8
"""Seconds of the real one's clock that one call is given."""

_AGENT: Final = "openai-mcp/1.0.0 (Responses API)"
_ENVELOPE: Final = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "openai-mcp", "version": "1.0.0"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass(slots=True)
class Imitation:
    """One second of the real one lasts `second` here. `requests` are the bodies it was sent, `tries` its calls.

    `conversation` goes with every call, as ChatGPT's does; whether the real API sends one is not known.
    """

    key: str
    second: float = 1.0
    conversation: str = ""
    broken: Callable[[], Response] | None = None
    requests: list[Any] = field(default_factory=list)
    tries: int = 0

    def app(self) -> Starlette:
        """As ASGI."""
        app = Starlette()
        app.add_route("/v1/responses", self._answer, methods=["POST"])
        return app

    async def _answer(self, request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if given != self.key:
            message = f"Incorrect API key provided: {given}."
            return JSONResponse({"error": {"message": message, "code": "invalid_api_key"}}, 401)
        if self.broken is not None:
            return self.broken()
        body = await request.json()
        self.requests.append(body)
        (server,) = body["tools"]
        headers = {"User-Agent": _AGENT, "Accept": "application/json, text/event-stream"}
        if "authorization" in server:
            headers["Authorization"] = f"Bearer {server['authorization']}"
        async with httpx2.AsyncClient(headers=headers, timeout=600) as client:
            return await self._responded(client, server, body)

    async def _responded(self, client: httpx2.AsyncClient, server: Any, body: Any) -> Response:
        label, url = server["server_label"], server["server_url"]
        try:
            await _ask(client, url, "server/discover", {})
            tools = (await _ask(client, url, "tools/list", {}))["result"]["tools"]
        except (httpx2.HTTPError, KeyError, TypeError, ValueError):
            said = f"Error retrieving tool list from MCP server: '{label}'. Http status code: 424 (Failed Dependency)"
            error = {"message": said, "type": "external_connector_error", "param": "tools", "code": "http_error"}
            return JSONResponse({"error": error}, 424)
        shown = [tool for tool in tools if tool["name"] in server["allowed_tools"]]
        listed = {"id": "mcpl_1", "type": "mcp_list_tools", "server_label": label, "tools": shown}
        name = body["tool_choice"]["name"]
        called = [await self._called(client, url, name, body)] if shown else []
        return JSONResponse({"id": "resp_1", "status": "completed", "output": [listed, *called]})

    async def _called(self, client: httpx2.AsyncClient, url: str, name: str, body: Any) -> dict[str, Any]:
        said = body["input"].partition("with the arguments ")[2]
        arguments = json.JSONDecoder().raw_decode(said)[0] if said.startswith("{") else {}
        meta = {"openai/session": self.conversation} if self.conversation else {}
        params = {"name": name, "arguments": arguments, "_meta": meta}
        item = {"id": "mcp_1", "type": "mcp_call", "name": name, "arguments": json.dumps(arguments), "output": None}
        for _ in range(2):
            self.tries += 1
            with anyio.move_on_after(LIMIT * self.second):
                answer = await _ask(client, url, "tools/call", params)
                return {**item, **_outcome(answer)}
        error = {"type": "http_error", "code": 504, "message": "Timed out waiting for MCP server response"}
        return {**item, "error": error, "status": "failed"}


def _outcome(answer: Any) -> dict[str, Any]:
    if "error" in answer:
        return {"error": {"type": "mcp_protocol_error", **answer["error"]}, "status": "failed"}
    result = answer["result"]
    if result.get("isError"):
        return {"error": {"type": "mcp_tool_execution_error", "content": result["content"]}, "status": "failed"}
    return {"output": json.dumps(result["content"]), "error": None, "status": "completed"}


async def _ask(client: httpx2.AsyncClient, url: str, method: str, params: dict[str, Any]) -> Any:
    meta = {**_ENVELOPE, **params.get("_meta", {})}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
    if "name" in params:
        headers["Mcp-Name"] = params["name"]
    reply = await client.post(url, json=message, headers=headers)
    if reply.status_code != 200:
        raise ValueError(reply.status_code)
    events = [line.removeprefix("data:") for line in reply.text.splitlines() if line.startswith("data:")]
    return json.loads(events[-1] if events else reply.text)
