"""`Agent`: asks like a host that has no token yet, within the target's territory, and judges nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from ..judging.reply import Reply, read_reply
from ..notation.session import FormBody, JsonBody
from ..replay.redirects import Exchange, follow
from ..replay.territory import Territory
from ..replay.wire import Request, Wire, encode

AGENT = ("User-Agent", "openai-mcp/1.0.0")
JSON = ("Accept", "application/json")
LIMIT = 20.0  # seconds for one answer, as in the survey


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Sends anonymous requests. Every method raises `LeadsElsewhere` for an address that is not to be talked to."""

    wire: Wire
    territory: Territory

    async def get(self, place: str) -> Reply:
        """GET a document."""
        return await self.ask(self.request("GET", place))

    async def ask(self, request: Request) -> Reply:
        """Send a request and read the reply."""
        return read_reply(await self.wire.exchange(request))

    async def browse(self, request: Request, *, until: str) -> list[Exchange]:
        """GET a page and follow redirects until one leads to `until`, which is not requested."""
        first = (request, await self.wire.exchange(request))
        return await follow(first, until=until, wire=self.wire, territory=self.territory)

    def request(self, method: str, place: str, *headers: tuple[str, str], body: bytes | None = None) -> Request:
        """A request as this agent makes them."""
        own = {name.lower() for name, _ in headers}
        basic = tuple(pair for pair in (AGENT, JSON) if pair[0].lower() not in own)
        return Request(
            method=method, url=self.territory.address(place), headers=(*basic, *headers), body=body, limit=LIMIT
        )

    def json(self, place: str, value: Any, *headers: tuple[str, str]) -> Request:
        """A POST of JSON."""
        content = ("Content-Type", "application/json")
        return self.request("POST", place, content, *headers, body=encode(JsonBody(value=value)))

    def form(self, place: str, fields: Mapping[str, str]) -> Request:
        """A POST of a form."""
        content = ("Content-Type", "application/x-www-form-urlencoded")
        return self.request("POST", place, content, body=encode(FormBody(fields=fields)))

    def page(self, place: str, query: Mapping[str, str]) -> Request:
        """A GET of a page for people, with parameters."""
        return self.request("GET", with_query(place, query), ("Accept", "text/html,application/xhtml+xml"))


def with_query(url: str, query: Mapping[str, str]) -> str:
    """An address with parameters added to its query."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(query)}" if query else url
