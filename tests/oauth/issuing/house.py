"""A place for an authorization server on a loopback port, and a host that goes through it as real ones do."""

import asyncio
import base64
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from connector.oauth import AuthorizationServer, Notices, Place
from connector.stores.memory import MemoryStore
from connector.stores.port import Record, Store
from tests.loopback import served

SECRET = b"a secret of the tests, 32 bytes."
CHATGPT = "https://chatgpt.com/connector_platform_oauth_redirect"
VERIFIER = "correct-horse-battery-staple-0123456789-abcdefg"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Clock:
    """Seconds since 1970, as a test sets them."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Late:
    """An app that is put in once its address is known."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        for done in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{done}.complete"})


def app_of(
    lock: AuthorizationServer,
    public_url: str,
    *,
    store: Store,
    notices: Notices | None = None,
    scopes: frozenset[str] = frozenset({"notes.read", "notes.write"}),
    secret: bytes = SECRET,
) -> Any:
    """The lock fitted before an endpoint that says who asks."""
    place = Place(
        public_url=public_url, path="/mcp", store=store, secret=secret, scopes=scopes, notice=notices or Notices()
    )
    fitted = lock.fit(place)

    async def who(request: Request) -> JSONResponse:
        token = request.user.access_token
        return JSONResponse({"subject": token.subject, "client": token.client_id, "scopes": sorted(token.scopes)})

    guarded = fitted.guard(Route("/mcp", who, methods=["GET", "POST"]).app)

    class Endpoint:
        """Not a function, which a route would call with a request."""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await guarded(scope, receive, send)

    return Starlette(routes=[*fitted.routes(), Route("/mcp", Endpoint())])


@dataclass
class House:
    """What a test has of a served authorization server."""

    url: str
    lock: AuthorizationServer
    store: Store
    notices: Notices
    late: Late
    secret: bytes
    http: httpx2.Client

    def restart(self, *, store: Store | None = None, lock: AuthorizationServer | None = None) -> None:
        """A new process: everything in memory is gone but what the store keeps."""
        self.store = store or self.store
        self.late.app = app_of(lock or self.lock, self.url, store=self.store, notices=self.notices, secret=self.secret)

    def kept(self, kind: str) -> Sequence[Record]:
        """What the store keeps of one kind."""
        return asyncio.run(self.store.page(kind))

    def keep(self, kind: str, key: str, value: bytes) -> None:
        """Put something into the store behind the server's back."""
        asyncio.run(self.store.put(kind, key, value))

    def metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"{self.url}/.well-known/oauth-authorization-server").json()
        return found

    def register(self, **members: Any) -> httpx2.Response:
        return self.http.post(f"{self.url}/register", json={"redirect_uris": [CHATGPT], **members})

    def client_id(self, **members: Any) -> str:
        answer = self.register(**members)
        assert answer.status_code == 201, answer.text
        client_id: str = answer.json()["client_id"]
        return client_id

    def authorize(self, client_id: str, /, **changed: Any) -> httpx2.Response:
        """GET /authorize. A parameter set to None is left out."""
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": CHATGPT,
            "scope": "notes.read",
            "state": "af0ifjsldkj",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "resource": f"{self.url}/mcp",
        } | changed
        said = {name: value for name, value in asked.items() if value is not None}
        return self.http.get(f"{self.url}/authorize", params=said, headers={"Accept": "text/html"})

    def code(self, client_id: str, **changed: Any) -> str:
        return sent_back(self.authorize(client_id, **changed))["code"]

    def token(self, **form: Any) -> httpx2.Response:
        return self.http.post(f"{self.url}/token", data={k: v for k, v in form.items() if v is not None})

    def redeem(self, client_id: str | None, code: str, /, **changed: Any) -> httpx2.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CHATGPT,
            "client_id": client_id,
            "code_verifier": VERIFIER,
            "resource": f"{self.url}/mcp",
        }
        return self.token(**form | changed)

    def refresh(self, client_id: str | None, refresh_token: str, /, **changed: Any) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": client_id}
        return self.token(**form | changed)

    def granted(self, client_id: str, **changed: Any) -> dict[str, Any]:
        """The tokens of a whole flow."""
        answer = self.redeem(client_id, self.code(client_id, **changed))
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    def call(self, access_token: str) -> httpx2.Response:
        return self.http.post(f"{self.url}/mcp", headers={"Authorization": f"Bearer {access_token}"}, json={})


@contextmanager
def house(
    *, store: Store | None = None, public_url: str | None = None, secret: bytes = SECRET, **choices: Any
) -> Iterator[House]:
    """A served authorization server that approves everybody, or as `choices` say. Its address is its own origin."""
    late, notices, store = Late(), Notices(), store or MemoryStore()
    who = {} if choices.keys() & {"approve", "people"} else {"approve": "everyone"}
    lock = AuthorizationServer(**{**who, **choices})
    with served(late) as origin:
        late.app = app_of(lock, public_url or origin, store=store, notices=notices, secret=secret)
        with httpx2.Client(timeout=30) as http:
            yield House(origin, lock, store, notices, late, secret, http)


def sent_back(answer: httpx2.Response, to: str = CHATGPT) -> dict[str, str]:
    """What a redirect to the client says."""
    assert answer.status_code in {302, 303}, answer.text
    location = answer.headers["location"]
    assert location.startswith(to), location
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
