"""A host for the examples: it speaks JSON-RPC over HTTP to an app that uvicorn serves on loopback."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2
import pytest

from connector import Connector
from tests.loopback import served


class Host:
    """What a client of protocol version 2025-11-25 sends and reads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx2.Client(base_url=url, timeout=30)
        self._id = 0

    def messages(self, method: str, **params: Any) -> list[dict[str, Any]]:
        """Return all messages of the reply to one request, whether it is JSON or a stream."""
        self._id += 1
        message = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}
        headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
        reply = self._client.post("/mcp", json=message, headers=headers)
        assert reply.status_code == 200, reply.text
        if reply.headers["content-type"].startswith("application/json"):
            return [reply.json()]
        return [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: ")]

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the result of one request."""
        answer = self.messages(method, **params)[-1]
        assert answer["id"] == self._id
        result: dict[str, Any] = answer["result"]
        return result

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Return the result of a tool call."""
        return self.ask("tools/call", name=name, arguments=arguments)

    def read(self, name: str, **arguments: Any) -> Any:
        """Return the structured content of a tool call that succeeds."""
        result = self.call(name, **arguments)
        assert not result.get("isError"), result
        return result["structuredContent"]

    def refusal(self, name: str, **arguments: Any) -> str:
        """Return what a tool call that fails says to the model."""
        result = self.call(name, **arguments)
        assert result["isError"] is True, result
        text: str = result["content"][0]["text"]
        return text

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


@contextmanager
def _hosting(connector: Connector) -> Iterator[Host]:
    with served(connector.app()) as url:
        host = Host(url)
        try:
            yield host
        finally:
            host.close()


HostOf = Callable[[Connector], Host]


@pytest.fixture(scope="module")
def host_of() -> Iterator[HostOf]:
    """A function that serves a connector until the module's tests are done, and gives its host."""
    with ExitStack() as stack:
        yield lambda connector: stack.enter_context(_hosting(connector))
