"""`Speech`: requests as a host words them, in one revision and one session. It sends nothing; `speaking` opens one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ..judging.operators import look_up
from ..notation.session import MISSING, JsonBody
from ..offer.catalogue import CallableTool
from ..replay.wire import Request, encode
from .inquiry import CannotBeChecked, Inquiry

LEGACY: Final = "2025-11-25"
MODERN: Final = "2026-07-28"
CLIENT: Final[Mapping[str, Any]] = {"name": "openai-mcp", "version": "1.0.0"}

RESULT: Final[dict[str, Any]] = {
    "name": "a result",
    "status": [200],
    "media": ["application/json", "text/event-stream"],
    "json": [{"at": "result", "type": "object"}],
}
CALLED: Final[dict[str, Any]] = {**RESULT, "json": [{"at": "result.content", "type": "array"}]}
ERROR: Final[dict[str, Any]] = {
    "name": "a JSON-RPC error",
    "media": ["application/json", "text/event-stream"],
    "json": [{"at": "error.code", "type": "integer"}],
}
LIMIT: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """One client speaking to one target."""

    inquiry: Inquiry
    version: str = LEGACY
    session: str = ""
    url: str = ""

    @property
    def is_modern(self) -> bool:
        """Whether every request carries its envelope, and there is no handshake."""
        return self.version >= MODERN

    def request(self, method: str, params: Mapping[str, Any] | None = None, *, id: Any = 1, **more: Any) -> Request:  # noqa: A002 - JSON-RPC's own word
        """A request; `headers` in `more` replace ours, a value of None leaves one out."""
        own = dict(params or {})
        if self.is_modern:
            own["_meta"] = {**self._envelope(), **own.get("_meta", {})}
        message = {"jsonrpc": "2.0", "id": id, "method": method, "params": own}
        return self.post(message, {**self._revision(method, own), **more.get("headers", {})})

    def call(self, tool: CallableTool, *, meta: Mapping[str, Any] | None = None, **more: Any) -> Request:
        """A call of a tool with its arguments."""
        params = {"name": tool.name, "arguments": dict(tool.arguments), **({} if meta is None else {"_meta": meta})}
        return self.request("tools/call", params, **more)

    def notify(self, method: str, params: Mapping[str, Any] | None = None) -> Request:
        """A notification."""
        own = dict(params or {})
        if self.is_modern:
            own["_meta"] = self._envelope()
        message = {"jsonrpc": "2.0", "method": method, **({"params": own} if own else {})}
        return self.post(message, self._revision(method, own))

    def post(self, message: Any, headers: Mapping[str, str | None] | None = None) -> Request:
        """A POST of anything: JSON, or bytes as they are."""
        body = message if isinstance(message, bytes) else encode(JsonBody(value=message))
        return self.raw("POST", headers or {}, body=body)

    def get(self, headers: Mapping[str, str | None] | None = None) -> Request:
        """The optional GET for a stream."""
        own = {"Content-Type": None, "Accept": "text/event-stream", **self._revision("", {}), **(headers or {})}
        return self.raw("GET", own)

    def raw(self, method: str, headers: Mapping[str, str | None], *, body: bytes | None = None) -> Request:
        """A request with what lets it in; a header of None is left out."""
        base = {
            "User-Agent": "openai-mcp/1.0.0",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        replaced = {name.lower() for name in headers}
        lines = [(name, value) for name, value in base.items() if name.lower() not in replaced]
        lines += [(name, value) for name, value in self.inquiry.headers if name.lower() not in replaced]
        lines += [(name, value) for name, value in headers.items() if value is not None]
        url = self.url or self.inquiry.url
        return Request(method=method, url=url, headers=tuple(lines), body=body, limit=LIMIT)

    def _revision(self, method: str, params: Mapping[str, Any]) -> dict[str, str | None]:
        if self.is_modern:
            named = {"Mcp-Name": str(params["name"])} if method == "tools/call" else {}
            return {"MCP-Protocol-Version": self.version, "Mcp-Method": method or None, **named}
        if method == "initialize":
            return {}
        return {"MCP-Protocol-Version": self.version, **({"Mcp-Session-Id": self.session} if self.session else {})}

    def _envelope(self) -> dict[str, Any]:
        return {
            "io.modelcontextprotocol/protocolVersion": self.version,
            "io.modelcontextprotocol/clientInfo": dict(CLIENT),
            "io.modelcontextprotocol/clientCapabilities": {},
        }


def offered(version: str = LEGACY) -> dict[str, Any]:
    """The params of an initialize."""
    return {"protocolVersion": version, "capabilities": {}, "clientInfo": dict(CLIENT)}


async def speaking(inquiry: Inquiry, *, version: str = LEGACY, url: str = "") -> Speech:
    """Shake hands, or go without where the target speaks only the revision that has no handshake.

    Raises:
        CannotBeChecked: initialize is not answered as it should be.
    """
    if not inquiry.catalogue.is_legacy and inquiry.catalogue.is_modern:
        return Speech(inquiry=inquiry, version=MODERN, url=url)
    speech = Speech(inquiry=inquiry, version=version, url=url)
    reply = await inquiry.look(speech.request("initialize", offered(version)))
    if look_up(reply.message, ("result",)) is MISSING:
        came = f"status {reply.status}" if reply.status else reply.ending.value
        raise CannotBeChecked(f"initialize is not answered with a result ({came}): see CT-07")
    speech = replace(speech, session=reply.header("mcp-session-id") or "")
    await inquiry.look(speech.notify("notifications/initialized"))
    return speech


def cut(request: Request, after: float, *, limit: float = LIMIT) -> Request:
    """The request of a client that leaves after so many seconds."""
    return replace(request, cut_after=after, limit=limit)
