"""A protected server that keeps every OAuth contract, and breaks those of them that a test names.

Its authorization server approves everyone at once; clients register, are read from documents, or are known beforehand.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import jwt
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tests.replay.servers import Tolerant

KNOWN = {
    "client_name", "redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method", "scope",
    "client_uri", "logo_uri", "contacts", "tos_uri", "policy_uri", "jwks_uri", "jwks",
}  # fmt: skip
WINDOW = 120.0


class Refused(Exception):
    """An OAuth error."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


@dataclass
class Spent:
    """A refresh token that was used: when, and what it gave."""

    at: float
    answer: Mapping[str, Any]


@dataclass
class Lenient:
    """The server; `faults` are the promises it breaks."""

    faults: frozenset[str] = frozenset()
    lifetime: int = 3600
    clients: dict[str, dict[str, Any]] = field(default_factory=dict)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _access: dict[str, float] = field(default_factory=dict)
    _refresh: dict[str, str] = field(default_factory=dict)
    _spent: dict[str, Spent] = field(default_factory=dict)
    _mcp: Tolerant = field(default_factory=Tolerant)

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        assert scope["type"] == "http", "this server has no lifespan"
        request = Request(scope, receive)
        is_mcp = request.url.path == "/mcp"
        refusal = self._unauthorized(request) if is_mcp else await self._answer(request)
        if refusal is None:
            await self._mcp(scope, receive, self._with_session(request, send))
        else:
            await refusal(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path, origin = request.url.path, f"http://{request.url.netloc}"
        routes = {"/register": self._register, "/authorize": self._authorize, "/token": self._token}
        try:
            if path in routes:
                return await routes[path](request)
        except Refused as refusal:
            return JSONResponse({"error": refusal.error}, refusal.status)
        document = self._documents(origin).get(path)
        if document is not None:
            return JSONResponse(document)
        if "pages everywhere" in self.faults:
            return HTMLResponse("<html>app</html>")
        return JSONResponse({"error": "not found"}, 404)

    def _documents(self, origin: str) -> dict[str, Any]:
        slash = "/" if "resource with a slash" in self.faults else ""
        resource = {
            "resource": f"{origin}/mcp{slash}",
            "authorization_servers": [origin],
            "scopes_supported": ["notes.read"],
        }
        server = {
            "issuer": f"{origin}/" if "issuer with a slash" in self.faults else origin,
            "authorization_endpoint": f"{origin}/authorize",
            "token_endpoint": f"{origin}/token",
            "registration_endpoint": f"{origin}/register",
            "code_challenge_methods_supported": ["S256"],
            "client_id_metadata_document_supported": True,
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["none", "client_secret_post"]
            + ([] if "refuses private_key_jwt" in self.faults else ["private_key_jwt"]),
        }
        if "no registration" in self.faults:
            del server["registration_endpoint"]
        found = {
            "/.well-known/oauth-protected-resource/mcp": resource,
            "/.well-known/oauth-protected-resource": resource,
            "/.well-known/oauth-authorization-server": server,
            "/.well-known/openid-configuration": server,
        }
        if "no metadata at the path" in self.faults:
            del found["/.well-known/oauth-protected-resource/mcp"]
        return found

    def _unauthorized(self, request: Request) -> Response | None:
        if "no challenge on GET" in self.faults and request.method == "GET":
            return None
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._access.get(token, 0) > time.monotonic():
            bound = request.headers.get("mcp-session-id", _digest(token))
            return JSONResponse({"error": "hijack"}, 403) if bound != _digest(token) and self._binds else None
        suffix = "" if "no metadata at the path" in self.faults else "/mcp"
        where = f"http://{request.url.netloc}/.well-known/oauth-protected-resource{suffix}"
        return JSONResponse({}, 401, {"www-authenticate": f'Bearer resource_metadata="{where}", scope="notes.read"'})

    @property
    def _binds(self) -> bool:
        return "binds sessions to tokens" in self.faults

    def _with_session(self, request: Request, send: Callable[[Any], Awaitable[None]]) -> Any:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")

        async def sending(event: Any) -> None:
            if event["type"] == "http.response.start" and self._binds:
                event = {**event, "headers": [*event["headers"], (b"mcp-session-id", _digest(token).encode())]}
            await send(event)

        return sending

    async def _register(self, request: Request) -> Response:
        body = await request.json()
        uris = body.get("redirect_uris") if isinstance(body, dict) else None
        is_sound = isinstance(uris, list) and uris and all(isinstance(uri, str) and ":" in uri for uri in uris)
        if "422 on registration" in self.faults and (not is_sound or body.get("scope", "") is None):
            return JSONResponse({"detail": [{"type": "missing"}]}, 422)
        if not is_sound:
            raise Refused("invalid_redirect_uri")
        if "refuses unknown members" in self.faults and not set(body) <= KNOWN:
            raise Refused("invalid_client_metadata")
        if "knows two grants" in self.faults and not set(_texts(body.get("grant_types"))) <= {
            "authorization_code", "refresh_token",
        }:  # fmt: skip
            raise Refused("invalid_client_metadata")
        client = {
            "client_id": secrets.token_hex(8),
            "redirect_uris": uris,
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
            "scope": "notes.read",
        }
        self.clients[str(client["client_id"])] = client
        empty = {"client_uri": None} if "nulls in answers" in self.faults else {}
        return JSONResponse({**client, **empty}, 201)

    async def _client(self, client_id: str) -> dict[str, Any]:
        if client_id in self.clients:
            return self.clients[client_id]
        if not client_id.startswith("http://127.0.0.1:"):
            status = 500 if "500 for unknown clients" in self.faults else 401
            raise Refused("invalid_client" if status == 401 else "server_error", status)
        if "reads no loopback documents" in self.faults:
            raise Refused("invalid_client")
        async with httpx2.AsyncClient() as http:
            found = await http.get(client_id)
        document: dict[str, Any] = found.json() if found.is_success else {}
        if document.get("client_id") != client_id:
            raise Refused("invalid_client", 401)
        wants = document.get("token_endpoint_auth_method", "none")
        if "refuses private_key_jwt" in self.faults and wants == "private_key_jwt":
            raise Refused("invalid_client")
        return document

    def _is_registered(self, client: Mapping[str, Any], uri: str) -> bool:
        if "redirects by prefix" in self.faults and uri.startswith("https:"):
            return any(uri.startswith(known.split("?")[0][:20]) for known in client["redirect_uris"])
        if uri in client["redirect_uris"]:
            return True
        if "exact loopback ports" in self.faults or urlsplit(uri).hostname != "127.0.0.1":
            return False
        return _portless(uri) in map(_portless, client["redirect_uris"])

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        client = await self._client(asked.get("client_id", ""))
        uri = asked.get("redirect_uri", "")
        if not self._is_registered(client, uri):
            raise Refused("invalid_request")
        if "asks a person" in self.faults:
            return HTMLResponse("<html><form>Allow?</form></html>")
        if "needs scope" in self.faults and not asked.get("scope"):
            return _back(uri, {"error": "invalid_scope", "state": asked["state"]})
        if "needs resource" in self.faults and "resource" not in asked:
            return JSONResponse({"detail": [{"type": "missing", "loc": ["query", "resource"]}]}, 422)
        if request.query_params.get("approved") is None:
            response = RedirectResponse(f"/authorize?{request.url.query}&approved=1", 302)
            response.set_cookie("transaction", "7")
            return response
        assert request.cookies.get("transaction") == "7"
        code = secrets.token_hex(16)
        self._codes[code] = asked
        iss = {} if "drops iss" in self.faults else {"iss": f"http://{request.url.netloc}"}
        return _back(uri, {"code": code, "state": asked["state"], **iss})

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        client = await self._client(form.get("client_id", ""))
        if "client_assertion" in form:
            await self._prove(client, form, f"http://{request.url.netloc}/token")
        if form.get("grant_type") == "refresh_token":
            return JSONResponse(self._refreshed(form))
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or asked["client_id"] != form["client_id"] or asked["redirect_uri"] != form["redirect_uri"]:
            raise Refused("invalid_grant")
        verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() != asked["code_challenge"]:
            raise Refused("invalid_grant")
        return JSONResponse(self._issue(form["client_id"]))

    async def _prove(self, client: Mapping[str, Any], form: Mapping[str, str], audience: str) -> None:
        async with httpx2.AsyncClient() as http:
            keys = (await http.get(client["jwks_uri"])).json()["keys"]
        try:
            jwt.decode(
                form["client_assertion"],
                jwt.PyJWK(keys[0]).key,
                algorithms=["RS256"],
                audience=audience,
                issuer=form["client_id"],
                options={"require": ["exp", "jti", "sub"]},
            )
        except jwt.InvalidTokenError as problem:
            raise Refused("invalid_client", 401) from problem

    def _refreshed(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        token = form["refresh_token"]
        spent = self._spent.get(token)
        if spent is not None and time.monotonic() - spent.at < WINDOW and "rotates at once" not in self.faults:
            return spent.answer
        if self._refresh.pop(token, None) != form["client_id"]:
            raise Refused("invalid_grant")
        answer = self._issue(form["client_id"])
        self._spent[token] = Spent(time.monotonic(), answer)
        return answer

    def _issue(self, client_id: str) -> dict[str, Any]:
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._access[access] = time.monotonic() + self.lifetime
        if "no refresh tokens" not in self.faults:
            self._refresh[refresh] = client_id
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": self.lifetime, "scope": "notes.read"}
        return answer if "no refresh tokens" in self.faults else {**answer, "refresh_token": refresh}


def _back(uri: str, parameters: Mapping[str, str]) -> Response:
    return RedirectResponse(f"{uri}{'&' if '?' in uri else '?'}{urlencode(parameters)}", 302)


def _portless(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
