"""Bridges: where identity providers differ from what MCP hosts expect, as data. Each row has its incident and date.

Pure. Decides how scopes are spelt for a provider, what names the audience, and what its metadata leaves out; refuses to
know how anything is fetched. A provider that is not listed is `STANDARD`, which is what the RFCs say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import DeclarationError

IDENTITY_SCOPES: Final = frozenset({"openid", "profile", "email", "address", "phone", "offline_access"})
"""Scopes of OpenID Connect. They belong to the provider, never to a resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Why a row is as it is: what was seen, where, and when (ISO date)."""

    what: str
    where: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """How one provider differs.

    `takes_resource`: whether it understands RFC 8707's `resource`. `asks_audience_as`: its own parameter for that.
    `qualifies_scopes`: whether a scope is asked for as `<audience>/<scope>`; tokens carry it bare.
    `issuer_ends_in_slash`: None where both are seen. `tolerates_slash`: tokens and metadata are seen to differ by it.
    `scope_claims`, `client_claims`: which claims are read, in this order. `audience_claim`: what names the audience;
    anything but `aud` needs an explicit `audience=`. `adds`: members its metadata lacks although it does the thing.
    """

    name: str
    takes_resource: bool = True
    asks_audience_as: str | None = None
    qualifies_scopes: bool = False
    issuer_ends_in_slash: bool | None = None
    tolerates_slash: bool = False
    scope_claims: tuple[str, ...] = ("scope", "scp")
    client_claims: tuple[str, ...] = ("client_id", "azp", "cid", "appid")
    audience_claim: str = "aud"
    adds: Mapping[str, Any] = field(default_factory=dict)
    advice: str = ""
    because: tuple[Seen, ...] = ()


STANDARD: Final = Bridge(name="standard")

_PKCE_UNSAID: Final = {"code_challenge_methods_supported": ["S256"]}

BRIDGES: Final[Mapping[str, Bridge]] = {
    bridge.name: bridge
    for bridge in (
        STANDARD,
        Bridge(
            name="entra",
            takes_resource=False,
            qualifies_scopes=True,  # its issuers end in a slash in version 1 and in none in version 2
            scope_claims=("scp", "roles"),
            client_claims=("azp", "appid"),
            adds=_PKCE_UNSAID,
            advice="give audience= both forms: 'api://<application id>' first, then '<application id>'",
            because=(
                Seen(
                    what="AADSTS9010010: resource does not match the scopes", where="incident P-31", when="2026-03-07"
                ),
                Seen(
                    what="metadata says nothing of S256",
                    where="modelcontextprotocol/typescript-sdk#832, anthropics/claude-ai-mcp#786",
                    when="2026-08-06",
                ),
            ),
        ),
        Bridge(
            name="auth0",
            takes_resource=False,
            asks_audience_as="audience",
            issuer_ends_in_slash=True,
            tolerates_slash=True,
            scope_claims=("scope", "permissions"),
            client_claims=("azp", "client_id"),
            advice="give the API the resource's URL as identifier; without an audience Auth0 issues opaque tokens",
            because=(
                Seen(what="issuers end in a slash that clients drop", where="incident P-33", when="2026-07-27"),
                Seen(what="takes `audience`, not `resource`", where="incident P-31", when="2026-03-07"),
                Seen(
                    what="takes `resource` only with its Resource Parameter Compatibility Profile switched on",
                    where="auth0.com/ai/docs/mcp/guides/resource-param-compatibility-profile",
                    when="2026-11-21",
                ),
            ),
        ),
        Bridge(
            name="keycloak",
            takes_resource=False,
            issuer_ends_in_slash=False,
            client_claims=("azp", "client_id"),
            advice="add an audience mapper whose custom audience is the resource's URL",
            because=(
                Seen(
                    what="`resource` only behind an experimental switch; else an audience mapper names the audience",
                    where="keycloak/keycloak#41527, keycloak/keycloak#48527",
                    when="2026-08-02",
                ),
                Seen(what="new members of 2026 clients", where="incident O-16", when="2026-07-28"),
            ),
        ),
        Bridge(
            name="cognito",
            audience_claim="client_id",
            issuer_ends_in_slash=False,
            client_claims=("client_id",),
            adds=_PKCE_UNSAID,
            advice="give audience= the ids of the app clients whose tokens are let in",
            because=(
                Seen(
                    what="access tokens have no `aud` unless a resource was bound",
                    where="repost.aws, 'Why do Cognito access tokens not have an audience claim'",
                    when="2026-11-21",
                ),
                Seen(what="metadata may leave S256 out", where="vercel/ai#18674", when="2026-08-11"),
            ),
        ),
        Bridge(
            name="okta",
            issuer_ends_in_slash=False,
            scope_claims=("scp",),
            client_claims=("cid",),
            advice="give audience= the audience of the custom authorization server",
            because=(
                Seen(
                    what="scopes are a list in `scp`, the client is `cid`",
                    where="devforum.okta.com/t/what-do-scope-and-audience-mean/10987",
                    when="2026-11-21",
                ),
            ),
        ),
        Bridge(
            name="workos",
            advice="register the resource's URL exactly; what is not on its list gets invalid_target",
            because=(Seen(what="400 invalid_target", where="incident O-05", when="2026-06-21"),),
        ),
        Bridge(
            name="cloudflare-access",
            advice="register the resource's URL exactly",
            because=(Seen(what="resource not on its list", where="incident O-05", when="2026-06-21"),),
        ),
    )
}
"""Every provider that differs, by name."""


def bridge_called(name: str | None) -> Bridge:
    """The bridge of that name; `STANDARD` for None.

    Raises:
        DeclarationError: There is none. The sentence lists those there are.
    """
    if name is None:
        return STANDARD
    if name not in BRIDGES:
        raise DeclarationError(f"profile={name!r} is not known: use one of {sorted(BRIDGES)}, or leave it out")
    return BRIDGES[name]


def asked_as(bridge: Bridge, scope: str, audience: str | None) -> str:
    """A scope as the provider wants to be asked for it (`api://notes/read` for Entra ID's `read`)."""
    if not bridge.qualifies_scopes or audience is None or scope in IDENTITY_SCOPES or "/" in scope:
        return scope
    return f"{audience.rstrip('/')}/{scope}"


def for_upstream(bridge: Bridge, parameters: Mapping[str, str], *, audience: str | None = None) -> dict[str, str]:
    """Parameters of a request to `/authorize` or `/token`, as the provider behind this bridge takes them.

    What it does not take is left out, `resource` above all (CT-25b); the audience goes where it wants it.
    """
    kept = {name: value for name, value in parameters.items() if name != "resource" or bridge.takes_resource}
    if "scope" in kept:
        kept["scope"] = " ".join(asked_as(bridge, scope, audience) for scope in kept["scope"].split())
    if bridge.asks_audience_as is not None and audience is not None:
        kept[bridge.asks_audience_as] = audience
    return kept


def mended(bridge: Bridge, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The provider's metadata with what it leaves out although it does it. What it says itself stays as it is."""
    return {**bridge.adds, **metadata}
