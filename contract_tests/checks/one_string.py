"""CT-21: resource, issuer and `iss` are one string each wherever they appear, byte for byte."""

from dataclasses import replace
from datetime import date
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from ..judging.operators import look_up
from ..judging.reply import Reply
from ..login.discovery import Endpoints
from ..login.signing_in import NoGrant, authorization, challenge_of
from ..replay.territory import LeadsElsewhere
from ..replay.values import is_loopback, origin_of, text
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry
from .speech import MODERN, Speech, offered

_ISSUER = "Publish one string as issuer everywhere; a slash more in one place ends logins in strict hosts."
_ISS = "Send iss in every authorization response, equal to the issuer, once you advertise it."


async def ask(inquiry: Inquiry) -> None:
    """Compare what is published with the address that was entered, with itself, and with the callback."""
    endpoints = await inquiry.endpoints()
    path = urlsplit(inquiry.url).path
    reply = await _resource(inquiry, path)
    issuer = look_up(reply.message, ("authorization_servers", 0))
    if isinstance(issuer, str):
        await _issuer(inquiry, issuer)
    if endpoints.sends_iss:
        await _callback(inquiry, endpoints)
    await _whole_way(inquiry)


async def _whole_way(inquiry: Inquiry) -> None:
    """A login with what is published, and a use of its token."""
    try:
        grant = await inquiry.grant()
    except CannotBeChecked as problem:
        inquiry.skip("a whole login", str(problem))
        return
    speech = Speech(inquiry=inquiry)
    bearer: dict[str, str | None] = {"Authorization": f"Bearer {grant.access_token}"}
    method, params = ("initialize", offered()) if inquiry.catalogue.is_legacy else ("tools/list", {})
    speech = speech if inquiry.catalogue.is_legacy else replace(speech, version=MODERN)
    request = speech.request(method, params, headers=bearer)
    await inquiry.ask("a whole login, and its token", request, {"status": [200]})


async def _resource(inquiry: Inquiry, path: str) -> Reply:
    suffix = path.rstrip("/")
    place = f"{origin_of(inquiry.url)}/.well-known/oauth-protected-resource"
    if suffix and (await inquiry.agent.get(place + suffix)).status == HTTPStatus.OK:
        place += suffix
    expect: dict[str, Any] = {"status": [200], "json": [_same_address(inquiry.url)]}
    return await inquiry.ask("resource", inquiry.agent.request("GET", place), expect)


def _same_address(url: str) -> dict[str, Any]:
    """What `resource` must be. On loopback a public origin may stand for this one; the rest must be equal."""
    if not is_loopback(url):
        return {"at": "resource", "equals": url}
    rest = url.removeprefix(origin_of(url))
    escaped = "".join(f"\\{c}" if c in ".?+*()[]{}^$|\\" else c for c in rest)
    return {"at": "resource", "matches": f"^https?://[^/]+{escaped}$"}


async def _issuer(inquiry: Inquiry, issuer: str) -> None:
    path = urlsplit(issuer).path.rstrip("/")
    for kind in ("oauth-authorization-server", "openid-configuration"):
        try:
            place = f"{origin_of(issuer)}/.well-known/{kind}{path}"
            request = inquiry.agent.request("GET", place)
        except LeadsElsewhere as outside:
            inquiry.skip(f"issuer in {kind}", str(outside))
            return
        if (await inquiry.agent.get(place)).status == HTTPStatus.OK:
            expect = {"json": [{"at": "issuer", "equals": issuer}]}
            await inquiry.ask(f"issuer in {kind}", request, expect, incidents=("P-33", "CT-21"), advice=_ISSUER)


async def _callback(inquiry: Inquiry, endpoints: Endpoints) -> None:
    try:
        client = await inquiry.login.a_client(endpoints)
    except (NoGrant, CannotBeChecked) as problem:
        inquiry.skip("iss", str(problem))
        return
    random = inquiry.login.random
    challenge = challenge_of(text(random, 64))
    query = authorization(client, state=text(random, 24), challenge=challenge, **endpoints.asked)
    expect = {
        "any_of": [
            {
                "name": "a redirect back with iss",
                "status": [302, 303, 307],
                "redirect": [{"at": "iss", "equals": endpoints.issuer}],
            },
            {"name": "a page where a person signs in", "status": [200], "media": ["text/html"]},
            {
                "name": "a redirect to a place where a person signs in",
                "status": [302, 303, 307],
                "redirect": [{"at": "code", "present": False}, {"at": "error", "present": False}],
            },
        ]
    }
    request = inquiry.agent.page(endpoints.authorization, query)
    more = {"incidents": ("P-33", "CT-21"), "advice": _ISS, "until": client.redirect_uri}
    await inquiry.ask("iss", request, expect, **more)


CT_21: Final = Contract(
    id="CT-21",
    title="Resource, issuer and iss are one string each, byte for byte",
    about="Hosts compare the published resource with the address people enter, and the issuer with itself, as strings.",
    incidents=("O-07", "P-33", "CT-21"),
    severity="critical",
    advice="Publish as resource exactly the address people enter, with or without its last slash as they do.",
    source="RFC 9728, 3.3; RFC 8414, 3.3; RFC 9207",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    ask=ask,
)
