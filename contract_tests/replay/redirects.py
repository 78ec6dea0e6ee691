"""Following redirects as a browser does that shows nobody anything: until one leads to the client's own address.

That address is never requested: what stands in its query is what the client wanted. Cookies that a server sets on the
way go back to it.
"""

from dataclasses import replace
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urljoin

from ..outcome import Received
from .territory import LeadsElsewhere, Territory, leads_to
from .values import origin_of
from .wire import Request, Wire

MOST_REDIRECTS = 10
_REDIRECTS = (
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
)

Exchange = tuple[Request, Received]


async def follow(first: Exchange, *, until: str, wire: Wire, territory: Territory) -> list[Exchange]:
    """Return every exchange on the way, the first included; the last is the one with the answer."""
    exchanges = [first]
    cookies: dict[tuple[str, str], str] = {}
    while len(exchanges) <= MOST_REDIRECTS:
        request, received = exchanges[-1]
        _keep_cookies(cookies, request.url, received)
        url = _next_url(request, received, until, territory)
        if not url:
            break
        following = _following(request, url, cookies)
        exchanges.append((following, await wire.exchange(following)))
    return exchanges


def _next_url(request: Request, received: Received, until: str, territory: Territory) -> str:
    """Where to go next; empty where this is the answer, or the way leads to a place that is none of ours."""
    location = next((value for name, value in received.headers if name.lower() == "location"), "")
    if received.status not in _REDIRECTS or not location:
        return ""
    url = urljoin(request.url, location)
    if leads_to(url, until):
        return ""
    try:
        return territory.address(url)
    except LeadsElsewhere:
        return ""


def _following(request: Request, url: str, cookies: dict[tuple[str, str], str]) -> Request:
    headers = [(name, value) for name, value in request.headers if name.lower() in {"user-agent", "accept"}]
    own = "; ".join(f"{name}={value}" for (origin, name), value in cookies.items() if origin == origin_of(url))
    headers += [("Cookie", own)] if own else []
    return replace(request, method="GET", url=url, headers=tuple(headers), body=None)


def _keep_cookies(cookies: dict[tuple[str, str], str], url: str, received: Received) -> None:
    for name, value in received.headers:
        if name.lower() == "set-cookie":
            try:
                jar = SimpleCookie(value)
            except CookieError:
                continue
            cookies.update({(origin_of(url), cookie.key): cookie.coded_value for cookie in jar.values()})
