"""A lock fitted into a connector: what is refused, what is kept, and what holds behind the gate."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Scope

from connector import AccessSettings, Connector, DeclarationError, Settings, StoreSettings
from connector.oauth import Challenge, Gate, Place, ResourceServer
from tests.loopback import Serve
from tests.oauth.notes import PUBLIC, Notes, OpenNotes, locked, told
from tests.wire import call, headers, modern, post, request


class Nobody:
    """A verifier that knows no token."""

    async def verify_token(self, token: str) -> AccessToken | None:
        """None."""
        return None


class Curious:
    """A lock that keeps its place, and whose gate stands open: only what is inside holds."""

    def __init__(self) -> None:
        self.place: Place | None = None
        self.gate: Gate | None = None

    def fit(self, place: Place) -> "Curious":
        """Fit it."""
        self.place = place
        self.gate = Gate(place, verifier=Nobody(), authorization_servers=["https://login.example.com"], anonymous=True)
        return self

    def routes(self) -> Sequence[BaseRoute]:
        """None."""
        return []

    def guard(self, endpoint: ASGIApp) -> ASGIApp:
        """Nothing."""
        return endpoint

    def challenge(self, tool: str, scope: Scope) -> Challenge | None:
        """What the gate says."""
        assert self.gate is not None
        return self.gate.challenge(tool, scope)

    def describe(self, descriptor: Mapping[str, Any]) -> dict[str, Any]:
        """What the gate says."""
        assert self.gate is not None
        return self.gate.describe(descriptor)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing."""
        return nullcontext()


def _secret(store: str, *secrets: str) -> bytes:
    lock = Curious()
    settings = Settings(access=AccessSettings(public_url=PUBLIC), store=StoreSettings(secrets=secrets))
    Notes(auth=lock, store=store, settings=settings)
    assert lock.place is not None
    return lock.place.secret


def test_a_lock_needs_a_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """CT-21: there is one string, and it cannot be guessed from requests."""
    monkeypatch.delenv("BALLAST_PUBLIC_URL", raising=False)

    with pytest.raises(DeclarationError, match="needs public_url="):
        Notes(auth=ResourceServer(issuers=["https://login.example.com"]), store="memory:")


def test_what_tools_declare_reaches_the_lock() -> None:
    """Ours."""
    lock = Curious()
    locked(lock, kind=OpenNotes)

    assert lock.place is not None
    assert (lock.place.public_url, lock.place.path) == (PUBLIC, "/mcp")
    assert lock.place.scopes == {"notes.read", "notes.write"}
    assert lock.place.tools["opening_hours"].anonymous is True
    assert lock.place.tools["write_note"].scopes == {"notes.write"}


def test_a_secret_is_kept_in_the_store_so_that_a_restart_loses_nothing(tmp_path: Path) -> None:
    """Incident T-08: what a process sealed, the next one opens."""
    first, again = _secret(f"sqlite:///{tmp_path}/a.db"), _secret(f"sqlite:///{tmp_path}/a.db")

    assert first == again != _secret(f"sqlite:///{tmp_path}/b.db")
    assert len(first) == 32


def test_a_secret_that_was_given_counts_and_of_several_the_last(tmp_path: Path) -> None:
    """Ours: a new one goes to the front, and seals must hold meanwhile."""
    old, new = "o" * 32, "n" * 32

    assert _secret(f"sqlite:///{tmp_path}/a.db", new, old) == old.encode()


def test_a_store_that_is_out_cannot_keep_a_secret() -> None:
    """Ours: the sentence says how to go on without it."""
    with pytest.raises(DeclarationError, match="set BALLAST_SECRET"):
        _secret("sqlite:////proc/no/such/folder.db")


@pytest.mark.asyncio
async def test_a_connector_can_be_made_within_a_running_loop(tmp_path: Path) -> None:
    """Ours: factories are called by servers whose loop runs already."""
    assert await asyncio.to_thread(len, _secret(f"sqlite:///{tmp_path}/a.db")) == 32


def test_a_tool_asks_again_although_the_gate_stood_open(serve: Serve) -> None:
    """Ours: whatever lies between gate and tool may read a request differently."""
    url = serve(locked(Curious(), kind=OpenNotes))
    said, body = modern("tools/call", {"name": "whose_notes", "arguments": {}})

    handshake = post(url, call("whose_notes", {})).json()["result"]
    envelope = post(url, body, said).json()["result"]

    assert handshake["isError"] is envelope["isError"] is True
    assert handshake["_meta"]["mcp/www_authenticate"] == envelope["_meta"]["mcp/www_authenticate"]
    assert ("resultType" in handshake, envelope["resultType"]) == (False, "complete")
    assert told(post(url, call("opening_hours", {}))) == "nine to five"


def test_a_verifier_of_ones_own_says_no_without_a_reason(serve: Serve) -> None:
    """The SDK's `TokenVerifier` returns None; the challenge then names every possibility."""

    class Guarded(Curious):
        def guard(self, endpoint: ASGIApp) -> ASGIApp:
            """The gate's."""
            assert self.gate is not None
            return self.gate.guard(endpoint)

    reply = post(serve(locked(Guarded(), kind=OpenNotes)), request("ping"), headers(Authorization="Bearer x"))

    assert reply.status_code == 401
    assert "expired, revoked, malformed or for another resource" in reply.headers["WWW-Authenticate"]


WELL_KNOWN = ["oauth-protected-resource", "oauth-authorization-server", "openid-configuration", "jwks.json"]


def test_without_a_lock_nothing_looks_like_one(serve: Serve) -> None:
    """Incidents O-13, P-17, CT-20a: eight documents 404 in JSON, and no tool says oauth2."""
    settings = Settings(access=AccessSettings(public_url=PUBLIC, self_check=False))
    url = serve(OpenNotes(settings=settings, store="memory:"))
    replies = [httpx2.get(f"{url}/.well-known/{name}{path}") for name in WELL_KNOWN for path in ("", "/mcp")]

    assert {(reply.status_code, reply.headers["Content-Type"]) for reply in replies} == {(404, "application/json")}
    assert "securitySchemes" not in post(url, request("tools/list")).text


def test_the_sdks_own_settings_work_as_before(serve: Serve) -> None:
    """Ours: who has a verifier and `AuthSettings` changes nothing."""
    issuer = AnyHttpUrl("https://login.example.com")
    resource = AnyHttpUrl(f"{PUBLIC}/mcp")
    auth = AuthSettings(issuer_url=issuer, resource_server_url=resource, validate_token_resource=True)
    connector: Connector = Notes(auth=auth, token_verifier=Nobody(), store="memory:")
    url = serve(connector)

    assert post(url, request("tools/list"), headers() | {"Authorization": "Bearer x"}).status_code == 401
    assert httpx2.get(f"{url}/.well-known/oauth-protected-resource/mcp").json()["resource"] == f"{PUBLIC}/mcp"
