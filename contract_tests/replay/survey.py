"""The survey before the first session: does the target answer, which eras does it speak, what does it offer?

Asks as a host would and judges nothing; what is wrong with the answers is for the sessions to say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from ..errors import TargetUnreachable
from ..judging.operators import look_up
from ..judging.reply import Reply, read_reply
from ..notation.session import MISSING, JsonBody
from ..offer.catalogue import Catalogue, Example
from ..outcome import Ending
from .values import is_loopback, origin_of
from .wire import Request, Wire, encode

_LIMIT = 20.0  # seconds for one answer: above the 15 s of silence the mcp SDK allows itself, below a person's patience
_MOST_PAGES = 20
_AGENT = ("User-Agent", "openai-mcp/1.0.0")
_BASIC = (_AGENT, ("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"))
_ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "openai-mcp", "version": "1.0.0"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyor:
    """Surveys one address over `wire`, with the headers the user configured."""

    wire: Wire
    url: str
    headers: tuple[tuple[str, str], ...] = ()

    async def survey(self, examples: Mapping[str, Example]) -> Catalogue:
        """Return what the target offers.

        Raises:
            TargetUnreachable: nothing answered at the address.
        """
        anonymous = await self._modern("tools/list", anonymous=True)
        if anonymous.ending is Ending.UNREACHABLE:
            raise TargetUnreachable(
                f"Nothing answers at {self.url}: {anonymous.trouble}. Is the server running, and is the address right?"
            )
        modern = await self._modern("tools/list") if self.headers else anonymous
        legacy, session = await self._initialize()
        if anonymous.status is None and legacy.status is None:
            raise TargetUnreachable(
                f"{self.url} accepts connections and answers nothing: {_status(anonymous)}. "
                "Is it an HTTP server, and is the scheme (http or https) right?"
            )
        tools = await self._tools(modern, legacy, session)
        metadata = await self._resource_metadata()
        return Catalogue(
            tools=tuple(tool for tool in tools if isinstance(tool, dict)),
            is_modern=_has_result(modern),
            is_legacy=_has_result(legacy),
            is_protected=anonymous.status == HTTPStatus.UNAUTHORIZED,
            is_locked=modern.status == HTTPStatus.UNAUTHORIZED and not _has_result(legacy),
            publishes_authorization=bool(look_up(metadata, ("authorization_servers",)) or []),
            public_origin=_public_origin(self.url, anonymous, look_up(metadata, ("resource",))),
            trouble=_trouble(modern, legacy),
            examples=examples,
        )

    async def _tools(self, modern: Reply, legacy: Reply, session: str | None) -> list[Any]:
        """Every page of tools/list, on the modern wire if it is spoken."""
        if not _has_result(modern) and not _has_result(legacy):
            return []
        ask = self._modern if _has_result(modern) else partial(self._legacy, session=session)
        page = modern if _has_result(modern) else await ask("tools/list")
        tools, cursors = list(_listed(page)), set[str]()
        while (cursor := look_up(page.message, ("result", "nextCursor"))) and isinstance(cursor, str):
            if cursor in cursors or len(cursors) > _MOST_PAGES:
                break
            cursors.add(cursor)
            page = await ask("tools/list", cursor=cursor)
            tools += _listed(page)
        return tools

    async def _modern(self, method: str, *, anonymous: bool = False, cursor: str | None = None) -> Reply:
        params: dict[str, Any] = {"_meta": _ENVELOPE} if cursor is None else {"_meta": _ENVELOPE, "cursor": cursor}
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        extra = (("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method))
        return await self._post(message, extra, anonymous=anonymous)

    async def _initialize(self) -> tuple[Reply, str | None]:
        client = {"name": "openai-mcp", "version": "1.0.0"}
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}
        reply = await self._post({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}, ())
        session = reply.header("mcp-session-id")
        if _has_result(reply):
            await self._post({"jsonrpc": "2.0", "method": "notifications/initialized"}, _legacy_headers(session))
        return reply, session

    async def _legacy(self, method: str, *, session: str | None, cursor: str | None = None) -> Reply:
        params = {} if cursor is None else {"cursor": cursor}
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return await self._post(message, _legacy_headers(session))

    async def _post(self, message: Any, extra: tuple[tuple[str, str], ...], *, anonymous: bool = False) -> Reply:
        headers = (*(() if anonymous else self.headers), *_BASIC, *extra)
        body = encode(JsonBody(value=message))
        request = Request(method="POST", url=self.url, headers=headers, body=body, limit=_LIMIT)
        return read_reply(await self.wire.exchange(request), request_id=message.get("id", MISSING))

    async def _resource_metadata(self) -> Any:
        for path in dict.fromkeys((urlsplit(self.url).path.rstrip("/"), "")):
            url = f"{origin_of(self.url)}/.well-known/oauth-protected-resource{path}"
            request = Request(method="GET", url=url, headers=(_AGENT, ("Accept", "application/json")), limit=_LIMIT)
            reply = read_reply(await self.wire.exchange(request))
            if reply.status == HTTPStatus.OK and isinstance(reply.message, dict):
                return reply.message
        return MISSING


def _public_origin(url: str, anonymous: Reply, resource: Any) -> str:
    """The origin the target gives itself in its challenge or metadata, where it is tested on loopback."""
    named = re.search(r'resource_metadata="([^"]+)"', anonymous.header("www-authenticate") or "")
    for address in (named[1] if named else "", resource):
        if is_loopback(url) and isinstance(address, str) and urlsplit(address).hostname:
            return origin_of(address)
    return ""


def _legacy_headers(session: str | None) -> tuple[tuple[str, str], ...]:
    version = ("MCP-Protocol-Version", "2025-11-25")
    return (version,) if session is None else (version, ("Mcp-Session-Id", session))


def _listed(page: Reply) -> list[Any]:
    tools = look_up(page.message, ("result", "tools"))
    return tools if isinstance(tools, list) else []


def _has_result(reply: Reply) -> bool:
    return look_up(reply.message, ("result",)) is not MISSING


def _trouble(modern: Reply, legacy: Reply) -> str:
    if _has_result(modern) or _has_result(legacy):
        return ""
    if modern.status == HTTPStatus.UNAUTHORIZED:
        return (
            "the target asks for authorization: give --header 'Authorization: Bearer ...' or [headers] in ballast.toml"
        )
    came = f"{_status(modern)}, {_status(legacy)}"
    return f"tools/list and initialize were not answered as MCP ({came}): is the path right?"


def _status(reply: Reply) -> str:
    return f"status {reply.status} {reply.media}".strip() if reply.status else reply.trouble or reply.ending.value
