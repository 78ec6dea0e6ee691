"""A platform that behaves as ChatGPT does, night after night, with the variety that is ordinary there.

Everything follows from a seed and a clock that is handed in. Sources: facts on the wire, sections 1 to 3: dual-era
openings, calls of the model and of cards, `_meta` with members that come and go, OAuth with DCR, cuts and retries.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from .asking import Asked
from .people import Person, people

DAY = 86_400.0
FIRST_NIGHT = 1_795_219_200.0  # Saturday 2026-11-21, 00:00 UTC

ENVELOPE = "io.modelcontextprotocol/"
MODERN, LEGACY = "2026-07-28", "2025-11-25"
CAPABILITIES: Mapping[str, Any] = {
    "experimental": {"openai/visibility": {"enabled": True}},
    "extensions": {ENVELOPE + "ui": {"mimeTypes": ["text/html;profile=mcp-app"]}},
}
TOOLS = ("find_invoice", "list_invoices", "create_invoice", "render_invoice", "search")
REDIRECT = "https://chatgpt.com/connector/oauth/{}"

Alter = Callable[[list[Asked], Random], list[Asked]]
"""A platform change: the requests of a night as they would be after it."""


@dataclass(slots=True, kw_only=True)
class Platform:
    """Makes nights. `scale` multiplies how much happens in one."""

    seed: int
    scale: float = 1.0
    _ids: int = field(default=0)

    def night(self, number: int, alter: Alter | None = None) -> list[Asked]:
        """The requests of the 24 hours of one night, in order."""
        random = Random(f"{self.seed}/{number}")
        begins = FIRST_NIGHT + number * DAY
        busy = self.scale * random.uniform(0.85, 1.2) * (0.6 if number % 7 in {0, 1} else 1.0)
        asked = [*self._people(random, begins, busy), *self._creations(random, begins, busy)]
        asked += [*self._refreshes(random, begins, busy), *self._strangers(random, begins, number)]
        if alter is not None:
            asked = alter(asked, Random(f"{self.seed}/{number}/alter"))
        return sorted((each for each in asked if each.at < begins + DAY), key=lambda each: each.at)

    def _people(self, random: Random, begins: float, busy: float) -> Iterator[Asked]:
        everyone = people(Random(f"{self.seed}/people"), 80)
        for person in random.sample(everyone, max(4, round(60 * min(busy, 1.3)))):
            for _ in range(random.choice((1, 1, 1, 2, 3))):
                at = begins + random.betavariate(2, 2) * (DAY - 3_600)
                yield from self._conversation(random, person, at)

    def _conversation(self, random: Random, person: Person, at: float) -> Iterator[Asked]:
        session = f"v1/{random.getrandbits(160):040x}"
        talk = _Talk(self, random, person, session, is_legacy=random.random() < 0.15)
        if random.random() < 0.06:
            talk.agent, talk.client = "openai-mcp/1.0.0 (Responses API)", "openai-mcp"
        if talk.is_legacy:
            for each in talk.handshake(at):
                yield each
                at += 0.4
        for _ in range(min(1 + int(random.expovariate(0.28)), 14)):
            at += random.uniform(4, 180)
            yield from talk.call(at)

    def _creations(self, random: Random, begins: float, busy: float) -> Iterator[Asked]:
        for _ in range(max(5, round(9 * busy))):
            at = begins + random.uniform(600, DAY - 600)
            person = random.choice(people(Random(f"{self.seed}/new/{begins}"), 12))
            yield from _Creation(self, random, person, at).asked()

    def _refreshes(self, random: Random, begins: float, busy: float) -> Iterator[Asked]:
        """Lists that are read again by hand, and tokens that are refreshed."""
        everyone = people(Random(f"{self.seed}/people"), 80)
        for _ in range(round(24 * busy)):
            talk = _Talk(self, random, random.choice(everyone), "", is_legacy=False)
            yield from talk.listed(begins + random.uniform(0, DAY - 60))
        for _ in range(round(40 * busy)):
            yield Asked(
                at=begins + random.uniform(0, DAY - 60),
                verb="POST",
                path="/token",
                headers=_form(random),
                form={
                    "grant_type": "refresh_token",
                    "refresh_token": f"rt_{random.getrandbits(128):032x}",
                    "client_id": f"client-{random.getrandbits(64):016x}",
                    "resource": "https://invoices.example.com/mcp",
                },
            )

    def _strangers(self, random: Random, begins: float, number: int) -> Iterator[Asked]:
        """Now and then somebody tries something once: a burst, and never again."""
        if random.random() > 0.4:
            return
        at = begins + random.uniform(0, DAY - 600)
        agent = random.choice(
            ("curl/8.5.0", "Go-http-client/1.1", "PostmanRuntime/7.40.0", "insomnia/9.3.2", "Wget/1.24")
        )
        agent = f"{agent.partition('/')[0]}{'abcdefghij'[number % 10] * (number // 10 + 1)}/{agent.partition('/')[2]}"
        for _ in range(random.randint(1, 12)):
            at += random.uniform(0.2, 5)
            yield Asked(at=at, verb="GET", path="/mcp", headers={"User-Agent": agent, "Accept": "*/*"})
            yield Asked(at=at, verb="GET", path="/wp-login.php", headers={"User-Agent": agent, "Accept": "*/*"})

    def next_id(self) -> int:
        """Ids of JSON-RPC, which tell nothing."""
        self._ids += 1
        return self._ids


def _plain(random: Random, accept: str = "application/json") -> dict[str, str]:
    return {"User-Agent": f"openai-mcp/{_build(random)}", "Accept": accept, **_edge(random)}


def _form(random: Random) -> dict[str, str]:
    return _plain(random) | {"Content-Type": "application/x-www-form-urlencoded"}


def _build(random: Random) -> str:
    return random.choice(("1.0.0", "1.0.0", "1.0.1", "1.1.0"))


def _edge(random: Random) -> dict[str, str]:
    """What lies before the connector adds its own."""
    said = {
        "X-Forwarded-For": f"172.{random.randrange(16, 32)}.0.{random.randrange(255)}",
        "X-Forwarded-Proto": "https",
    }
    return said | ({"Cf-Ray": f"{random.getrandbits(64):016x}-IAD"} if random.random() < 0.7 else {})


class _Talk:
    """One conversation: the same person, the same session, the same era."""

    def __init__(self, platform: Platform, random: Random, person: Person, session: str, *, is_legacy: bool) -> None:
        self.platform, self.random, self.person, self.session = platform, random, person, session
        self.is_legacy = is_legacy
        self.agent = f"openai-mcp/{_build(random)} (Codex)"
        self.client = "openai-mcp (Codex)"

    def handshake(self, at: float) -> Iterator[Asked]:
        client = {"name": "openai-mcp (ChatGPT)", "version": "1.0.0"}
        params = {"protocolVersion": LEGACY, "capabilities": CAPABILITIES, "clientInfo": client}
        yield self._post(at, "initialize", params, version=None)
        yield self._post(at + 0.2, "notifications/initialized", None)

    def listed(self, at: float) -> Iterator[Asked]:
        self.agent, self.client = f"openai-mcp/{_build(self.random)} (ChatGPT)", "openai-mcp (ChatGPT)"
        yield self._post(at, "server/discover", {})
        yield self._post(at + 0.3, "tools/list", {})

    def call(self, at: float) -> Iterator[Asked]:
        """A call of the model; sometimes cut and tried again, sometimes with a card that asks in its turn."""
        tool = self.random.choice(TOOLS)
        params = {"name": tool, "arguments": self._arguments(), "_meta": self.person.meta(self.random, self.session)}
        asked = self._post(at, "tools/call", params, named=tool)
        if self.random.random() < 0.1:
            cut = 59.8 if "Responses" in self.agent else 119.8
            yield replace(asked, cut=cut + self.random.uniform(-0.1, 0.1))
            yield replace(asked, at=at + 121, is_retry=True)
        elif self.random.random() < 0.015:
            yield replace(asked, cut=self.random.uniform(3, 45))  # a person presses stop
        else:
            yield asked
        if tool == "render_invoice":
            yield from self._card(at + 2)

    def _card(self, at: float) -> Iterator[Asked]:
        card = _Talk(self.platform, self.random, self.person, self.session, is_legacy=self.is_legacy)
        card.agent, card.client = f"openai-mcp/{_build(self.random)}", "openai-mcp"
        yield card._post(at, "resources/read", {"uri": "ui://invoice/card.html"}, named="ui://invoice/card.html")
        if self.random.random() < 0.5:
            params = {"name": "find_invoice", "arguments": self._arguments()}
            params["_meta"] = self.person.meta(self.random, self.session)
            yield card._post(at + 3, "tools/call", params, named="find_invoice")

    def _arguments(self) -> dict[str, Any]:
        """A tool's own words, which are nobody's shape."""
        return {
            self.random.choice(("number", "customer", "query", "from_date")): f"{self.random.getrandbits(40):x}",
            **(
                {"filters": {f"field_{self.random.randrange(9)}": self.random.random()}}
                if self.random.random() < 0.3
                else {}
            ),
        }

    def _post(
        self, at: float, method: str, params: dict[str, Any] | None, *, named: str = "", version: str | None = ""
    ) -> Asked:
        headers = {
            "User-Agent": self.agent,
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **_edge(self.random),
        }
        if version is not None:
            headers["MCP-Protocol-Version"] = LEGACY if self.is_legacy else MODERN
        if not self.is_legacy:
            headers |= {"Mcp-Method": method} | ({"Mcp-Name": named} if named else {})
            params = {**(params or {}), "_meta": {**(params or {}).get("_meta", {}), **self._envelope()}}
        if method == "tools/call":
            headers |= {"X-Openai-Session": self.session, "X-Openai-Subject": self.person.subject}
        if method not in {"server/discover", "initialize"}:
            headers["Authorization"] = f"Bearer {self.person.token}"
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if not method.startswith("notifications/"):
            message["id"] = "openai-mcp-discover" if method == "server/discover" else self.platform.next_id()
        if params is not None:
            message["params"] = params
        return Asked(at=at, verb="POST", path="/mcp", headers=headers, json=message, who=self.person.subject)

    def _envelope(self) -> dict[str, Any]:
        return {
            ENVELOPE + "protocolVersion": MODERN,
            ENVELOPE + "clientInfo": {"name": self.client, "version": "1.0.0"},
            ENVELOPE + "clientCapabilities": CAPABILITIES,
        }


class _Creation:
    """Somebody adds the connector: discovery, registration, consent, token, lists."""

    def __init__(self, platform: Platform, random: Random, person: Person, at: float) -> None:
        self.platform, self.random, self.person, self.at = platform, random, person, at

    def asked(self) -> Iterator[Asked]:
        talk = _Talk(self.platform, self.random, self.person, "", is_legacy=self.random.random() < 0.3)
        talk.agent, talk.client = f"openai-mcp/{_build(self.random)} (ChatGPT)", "openai-mcp (ChatGPT)"
        at = self.at
        for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server"):
            yield Asked(at=at, verb="GET", path=path, headers=_plain(self.random))
            at += 0.3
        yield from self._oauth(at)
        at += 60
        modern = _Talk(self.platform, self.random, self.person, "", is_legacy=False)
        modern.agent, modern.client = talk.agent, talk.client
        yield modern._post(at, "server/discover", {})
        if talk.is_legacy:
            yield from talk.handshake(at + 1)
        yield talk._post(at + 2, "tools/list", {})
        if self.random.random() < 0.5:
            yield talk._post(at + 3, "resources/list", {})
        yield talk._post(at + 4, "resources/read", {"uri": "ui://invoice/card.html"}, named="ui://invoice/card.html")

    def _oauth(self, at: float) -> Iterator[Asked]:
        redirect = REDIRECT.format(f"{self.random.getrandbits(70):012X}"[:12])
        client = f"client-{self.random.getrandbits(64):016x}"
        resource = "https://invoices.example.com/mcp"
        scope = {"scope": "mcp offline_access"} if self.random.random() < 0.7 else {}
        registration = {
            "client_name": "ChatGPT",
            "redirect_uris": [redirect],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            **scope,
        }
        headers = _plain(self.random) | {"Content-Type": "application/json"}
        yield Asked(at=at, verb="POST", path="/register", headers=headers, json=registration)
        query = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": redirect,
            "state": f"oauth_s_{self.random.getrandbits(128):032x}",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
            "resource": resource,
            **scope,
        }
        yield Asked(at=at + 2, verb="GET", path="/authorize", headers=self._browser(), query=query, code="issued")
        form = {
            "grant_type": "authorization_code",
            "code": f"code_{self.random.getrandbits(128):032x}",
            "redirect_uri": redirect,
            "client_id": client,
            "code_verifier": f"{self.random.getrandbits(256):064x}",
            "resource": resource,
        }
        code = "redeemed" if self.random.random() < 0.95 else "abandoned"
        if code == "redeemed":
            yield Asked(at=at + 20, verb="POST", path="/token", headers=_form(self.random), form=form, code=code)

    def _browser(self) -> dict[str, str]:
        said = {"User-Agent": self.person.browser, "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        return said | ({"Accept-Language": "de-DE,de;q=0.9"} if self.random.random() < 0.6 else {"DNT": "1"})
