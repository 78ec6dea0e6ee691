"""CT-18, CT-19 and CT-43: both spellings of the address, every name it is meant to have, and where SSE used to be."""

from datetime import date
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from ..judging.matchers import Complaint
from ..judging.reply import Reply
from ..replay.values import is_loopback, origin_of
from ..replay.wire import Request
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry
from .speech import LEGACY, MODERN, Speech, offered

_ORIGINS: Final = (None, "https://chatgpt.com", "https://claude.ai")
_PLACES: Final = ("oauth-protected-resource", "oauth-authorization-server", "openid-configuration", "mcp")
_NOT_MOVED: Final = {"status": [200, 400, 401, 403, 404, 405, 406, 410, 415, 421]}
_REFUSALS: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST)


async def ask_spellings(inquiry: Inquiry) -> None:
    """The address with and without its last slash, with and without what lets requests in; all well-known places."""
    public = _public(inquiry)
    for name, headers in (("", {}), (", anonymous", {header: None for header, _ in inquiry.headers})):
        if name and not inquiry.headers:
            continue
        replies: list[Reply] = []
        for url in spellings(inquiry.url):
            request = _first(inquiry, url, {**public, **headers})
            expect = {"any_of": [{"name": "200", "status": [200]}, _CHALLENGE]}
            replies.append(await inquiry.ask(f"POST {urlsplit(url).path or '/'}{name}", request, expect))
        if reason := unlike(replies):
            inquiry.find(reason, step=f"both spellings{name}")
    for kind in _PLACES:
        for suffix in dict.fromkeys(("", urlsplit(inquiry.url).path.rstrip("/"))):
            place = f"/.well-known/{kind}{suffix}"
            request = inquiry.agent.request("GET", place, *((name, value) for name, value in public.items() if value))
            await inquiry.ask(f"GET {place}", request, _NOT_MOVED)


_CHALLENGE: Final[dict[str, Any]] = {
    "name": "401 with a challenge",
    "status": [401],
    "headers": {"www-authenticate": {"present": True}},
}


def spellings(url: str) -> tuple[str, ...]:
    """An address without and with its last slash; one only where it has no path. Pure."""
    parts = urlsplit(url)
    bare = parts.path.rstrip("/")
    paths = (bare, f"{bare}/") if bare else ("/",)
    return tuple(parts._replace(path=path).geturl() for path in paths)


def unlike(replies: list[Reply]) -> Complaint | None:
    """Whether the spellings were answered differently. Pure."""
    statuses = [reply.status for reply in replies]
    if len(set(statuses)) < 2 or any(status is not None and 300 <= status < 400 for status in statuses):  # noqa: PLR2004
        return None  # one that moves people on has its own finding
    return Complaint(where="status", expected=f"{statuses[0]} for both", actual=" and ".join(map(str, statuses)))


async def ask_hosts(inquiry: Inquiry) -> None:
    """Every name the target is meant to have, with the origins of hosts, at its address and at /health."""
    names = hosts(inquiry)
    for name in names:
        for origin in _ORIGINS:
            headers = {"Host": name, "Origin": origin}
            said = f"Host {name}, Origin {origin or 'none'}"
            await _not_refused(inquiry, f"POST, {said}", _first(inquiry, inquiry.url, headers))
            speech = Speech(inquiry=inquiry, url=f"{origin_of(inquiry.url)}/health")
            await _not_refused(inquiry, f"GET /health, {said}", speech.raw("GET", {**headers, "Content-Type": None}))
    if not inquiry.means.hosts:
        reason = 'name them in ballast.toml: [target] hosts = ["connector.example.com", "10.0.0.7:8000"]'
        inquiry.skip("its public names", reason)


async def _not_refused(inquiry: Inquiry, name: str, request: Request) -> None:
    reply = await inquiry.ask(name, request, {})
    if reply.status in _REFUSALS:
        own: dict[str, Any] = {"advice": _NAMES, "incidents": CT_19.incidents}
        inquiry.complain(where="status", expected="anything but 403 and 421", actual=str(reply.status), **own)


_NAMES = "Allow every name and port under which proxies and probes reach it, and the origins of the hosts."


def hosts(inquiry: Inquiry) -> list[str]:
    """The names a target is meant to have: those the user gave, and where it is asked."""
    own = urlsplit(inquiry.url).netloc
    public = urlsplit(inquiry.catalogue.public_origin).netloc
    given = [*inquiry.means.hosts, *(f"{name}:443" for name in inquiry.means.hosts if ":" not in name)]
    return list(dict.fromkeys(filter(None, (own, public, *given))))


def _public(inquiry: Inquiry) -> dict[str, str | None]:
    """What a proxy in front would say: only where the target is here, for elsewhere there is one already."""
    if not is_loopback(inquiry.url):
        return {}
    named = [name for name in hosts(inquiry) if name != urlsplit(inquiry.url).netloc]
    return {"X-Forwarded-Proto": "https", **({"Host": named[0]} if named else {})}


def _first(inquiry: Inquiry, url: str, headers: dict[str, str | None]) -> Request:
    """The request a host begins with."""
    if inquiry.catalogue.is_modern and not inquiry.catalogue.is_legacy:
        return Speech(inquiry=inquiry, version=MODERN, url=url).request("tools/list", {}, headers=headers)
    return Speech(inquiry=inquiry, version=LEGACY, url=url).request("initialize", offered(), headers=headers)


async def ask_sse(inquiry: Inquiry) -> None:
    """Ask where the old transport used to be."""
    path = urlsplit(inquiry.url).path.rstrip("/") or "/"
    if path.endswith("/sse"):
        raise CannotBeChecked("the target itself answers at /sse")
    gone: dict[str, Any] = {"status": [410], "media": ["application/json"], "within": 1.0}
    speech = Speech(inquiry=inquiry, url=f"{origin_of(inquiry.url)}/sse")
    get = speech.raw("GET", {"Accept": "text/event-stream", "Content-Type": None})
    for name, request in (("GET /sse", get), ("POST /sse", speech.request("initialize", offered()))):
        reply = await inquiry.ask(name, request, gone)
        if not inquiry.steps[-1].findings and path not in reply.body:
            inquiry.complain(
                where="body",
                expected=f"to name {inquiry.url}",
                actual=reply.body[:200],
                advice=CT_43.advice,
                incidents=CT_43.incidents,
            )


CT_18: Final = Contract(
    id="CT-18",
    title="Both spellings of the address answer alike, and nothing is redirected",
    about="Hosts strip or add the last slash. A redirect loses the Authorization header, or leads to plain http.",
    incidents=("T-10", "P-24", "P-25", "CT-18"),
    severity="critical",
    advice="Answer the address with and without its last slash alike; never redirect, and trust the proxy's scheme.",
    source="incidents T-10, P-24 and P-25 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    ask=ask_spellings,
)
CT_19: Final = Contract(
    id="CT-19",
    title="Every name it is meant to have is answered, from every host's origin",
    about="Protection against rebinding that knows one name answers the proxy, the probe or the host with 421 or 403.",
    incidents=("G-02", "CT-19"),
    severity="critical",
    advice=_NAMES,
    source="MCP 2025-11-25, Streamable HTTP, security warning; incidents of class G of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    ask=ask_hosts,
)
CT_43: Final = Contract(
    id="CT-43",
    title="Where the old transport was, people are told where to go",
    about="Old configurations still point to /sse. 410 with the new address ends the search; 404 or silence does not.",
    incidents=("P-30", "CT-43"),
    severity="minor",
    advice="Answer GET and POST /sse with 410 and JSON that names the address of today.",
    source="MCP 2025-03-26, backwards compatibility; incident P-30 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    ask=ask_sse,
)
