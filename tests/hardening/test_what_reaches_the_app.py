"""What a hardened app gets to see: never what the door refuses, and what it tolerates in words the app takes."""

import http.client
import json
import socket
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from connector import LimitSettings, Settings, harden
from tests.hardening.scripts import ANSWERED, JSON, PATIENT, Script, head, part, saying
from tests.loopback import Serve, served
from tests.wire import call, headers, modern, post, request

CALL = call("look", {})
BOTH = "application/json, text/event-stream"


def answering() -> Script:
    return saying(head(), part(ANSWERED, more=False))


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", "text/event-stream", "text/html", "application/*;q=0.1"]
)
def test_the_app_is_told_that_both_kinds_of_reply_are_accepted(serve: Serve, accept: str) -> None:
    """Incident P-41: 406 for every Accept that does not name both. T-04: what is compressed cannot be passed on."""
    app = answering()
    said = headers(accept=accept, Accept_Encoding="gzip, br", X_Own="1") | {
        "Content-Type": "application/json; charset=utf-8"
    }
    reply = post(serve(harden(app, settings=PATIENT)), CALL, said)

    assert reply.status_code == 200
    assert {name: app.headers.get(name) for name in ("accept", "content-type", "accept-encoding", "x-own")} == {
        "accept": BOTH,
        "content-type": "application/json",
        "accept-encoding": None,
        "x-own": "1",
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 202), (b"{}", 202), (b"[]", 202), (b"nope", 400), (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400)],
)
def test_probes_and_what_is_no_message_never_reach_the_app(serve: Serve, body: bytes, status: int) -> None:
    """ChatGPT's probes of 2026-08-11 are answered by the door."""
    app = answering()
    reply = post(serve(harden(app, settings=PATIENT)), body)

    assert (reply.status_code, app.bodies) == (status, [])


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"MCP-Protocol-Version": "2099-01-01"}, 400),
    ],
)
def test_who_or_what_is_refused_never_reaches_the_app(serve: Serve, said: dict[str, str], status: int) -> None:
    """MCP, transports, "Security Warning": a page must not reach a local server by rebinding DNS."""
    app = answering()
    reply = post(serve(harden(app, settings=PATIENT, public_url="https://x.example")), CALL, headers() | said)

    assert (reply.status_code, app.bodies) == (status, [])
    assert reply.json()["error"]["message"]


@pytest.mark.parametrize("said", [{"Host": "x.example"}, {"Host": "x.example:443", "Origin": "https://chatgpt.com"}])
def test_the_public_name_and_the_platforms_origins_come_in(serve: Serve, said: dict[str, str]) -> None:
    """CT-19: configured names are served with and without a port."""
    app = answering()
    reply = post(serve(harden(app, settings=PATIENT, public_url="https://x.example")), CALL, headers() | said)

    assert reply.status_code == 200
    assert reply.headers.get("access-control-allow-origin") == said.get("Origin")


def test_an_app_that_sees_to_origins_itself_is_left_to_it(serve: Serve) -> None:
    """WHATWG Fetch: two Access-Control-Allow-Origin lines are none."""
    own = (b"Access-Control-Allow-Origin", b"*")
    app = saying(head(200, (*JSON, own)), part(ANSWERED, more=False))
    reply = post(serve(harden(app, settings=PATIENT)), CALL, headers(Origin="https://chatgpt.com"))

    assert reply.headers.get_list("access-control-allow-origin") == ["*"]


@pytest.mark.parametrize("knows", [True, False])
def test_a_browsers_preflight_is_answered_even_if_the_app_cannot(serve: Serve, knows: bool) -> None:
    """WHATWG Fetch, "CORS-preflight request"."""
    app = saying(head(200 if knows else 405, ((b"x-own", b"1"),)), part(b"", more=False))
    said = {"Origin": "https://chatgpt.com", "Access-Control-Request-Method": "POST"}
    reply = httpx2.options(f"{serve(harden(app, settings=PATIENT))}/mcp", headers=said)

    assert reply.status_code == (200 if knows else 204)
    assert reply.headers["access-control-allow-origin"] == "https://chatgpt.com"


def test_a_body_over_the_limit_never_reaches_the_app(serve: Serve) -> None:
    """CT-35d: the server's own limit, with a declared length and without."""
    app = answering()
    url = serve(harden(app, settings=Settings(limits=LimitSettings(max_body=2_000))))
    body = json.dumps(call("look", {"text": "x" * 2_000})).encode()
    declared = httpx2.post(f"{url}/mcp", content=body, headers=headers())
    chunked = httpx2.post(f"{url}/mcp", content=iter([body[:1_000], body[1_000:]]), headers=headers())

    assert [declared.status_code, chunked.status_code, app.bodies] == [413, 413, []]


def test_half_a_message_never_reaches_the_app() -> None:
    """T-11: the client goes away while its body is read."""
    app = answering()
    with served(harden(app, settings=PATIENT)) as url:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as line:
            line.sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n")
            line.sendall(json.dumps(CALL).encode()[:9])
        assert post(url, CALL).status_code == 200

    assert len(app.bodies) == 1


def test_a_message_reaches_the_app_byte_for_byte(serve: Serve) -> None:
    """Ours: nothing is parsed and written again that need not be."""
    app = answering()
    params = b'{"name":"look","arguments":{"n":1e2,"u":"\\u00e9"}}'
    body = b'{ "jsonrpc":"2.0", "id":1.0,"method":"tools/call","params":' + params + b" }"
    chunks = iter([body[:10], body[10:]])
    httpx2.post(f"{serve(harden(app, settings=PATIENT))}/mcp", content=chunks, headers=headers()).raise_for_status()

    assert app.bodies == [body]
    assert (app.headers["content-length"], app.headers.get("transfer-encoding")) == (str(len(body)), None)


def test_white_space_around_a_header_is_not_part_of_it(serve: Serve) -> None:
    """RFC 9110 section 5.5; httptools, which uvicorn prefers, leaves it there."""
    app = answering()
    url = serve(harden(app, settings=PATIENT))
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request("POST", "/mcp", json.dumps(CALL), headers() | {"MCP-Protocol-Version": " 2025-11-25\t"})

    assert connection.getresponse().status == 200
    assert app.headers["mcp-protocol-version"] == "2025-11-25"
    connection.close()


def test_what_the_door_mends_reaches_the_app_mended(serve: Serve) -> None:
    """Incident P-37: capability objects of any shape; explicit nulls say what leaving out says."""
    app = answering()
    params = {"protocolVersion": "2099-01-01", "capabilities": {"roots": 3}, "clientInfo": None, "_meta": None}
    said = headers(version="2026-07-28")
    post(serve(harden(app, settings=PATIENT)), request("initialize", params, id_="a"), said).raise_for_status()

    assert json.loads(app.bodies[0]) == {
        "jsonrpc": "2.0",
        "id": "a",
        "method": "initialize",
        "params": {
            "protocolVersion": "2099-01-01",
            "capabilities": {},
            "clientInfo": {"name": "unknown", "version": ""},
        },
    }
    assert app.headers["content-length"] == str(len(app.bodies[0]))
    assert "mcp-protocol-version" not in app.headers


@pytest.mark.parametrize(
    ("method", "params", "name"),
    [
        ("tools/call", {"name": "look", "arguments": {}}, "look"),
        ("resources/read", {"uri": "test://é"}, "=?base64?dGVzdDovL8Op?="),
        ("tools/list", {}, None),
    ],
)
def test_an_envelope_without_its_routing_headers_gets_them(
    serve: Serve, method: str, params: dict[str, Any], name: str | None
) -> None:
    """MCP 2026-07-28, transports, "Custom Headers"; a proxy may have dropped them."""
    app = answering()
    _, body = modern(method, params)
    post(serve(harden(app, settings=PATIENT)), body, headers(version=None)).raise_for_status()

    wanted = {"mcp-protocol-version": "2026-07-28", "mcp-method": method, "mcp-name": name}
    assert {line: app.headers.get(line) for line in wanted} == wanted


def test_an_envelope_that_asks_for_a_handshake_stays_one(serve: Serve) -> None:
    """MCP 2026-07-28 has no `initialize`: the app refuses it with 404, by the rules of that revision."""
    app = saying(head(404), part(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}', more=False))
    reply = post(serve(harden(app, settings=PATIENT)), *reversed(modern("initialize")))

    assert (reply.status_code, app.headers["mcp-protocol-version"]) == (404, "2026-07-28")


def test_a_clients_answer_to_the_server_reaches_the_app(serve: Serve) -> None:
    """2025-11-25: a response is posted like a request, and acknowledged with 202."""
    app = saying(head(202), part(b"null", more=False))
    body = b'{"jsonrpc":"2.0","id":3,"result":{"action":"accept"}}'
    reply = post(serve(harden(app, settings=PATIENT)), body, headers(Mcp_Session_Id="s1"))

    assert app.bodies == [body]
    assert app.headers["mcp-session-id"] == "s1"
    assert (reply.status_code, reply.content, reply.headers.get("content-type")) == (202, b"", None)


@pytest.mark.parametrize(("said", "told"), [(200, 202), (202, 202), (204, 202), (400, 202), (401, 401), (404, 404)])
def test_a_notification_is_acknowledged_whatever_the_app_thinks_of_it(serve: Serve, said: int, told: int) -> None:
    """Incident P-36: a body, or an error, after `notifications/initialized` made strict hosts abort."""
    app = saying(head(said), part(b'{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"no"}}', more=False))
    reply = post(serve(harden(app, settings=PATIENT)), {"jsonrpc": "2.0", "method": "notifications/initialized"})

    assert reply.status_code == told
    assert (reply.content == b"") is (told == 202)


@pytest.mark.parametrize(
    ("session", "said", "told"),
    [(None, 400, 405), (None, 404, 405), (None, 406, 405), (None, 401, 401), ("s1", 404, 404), ("s1", 409, 409)],
)
def test_a_stream_that_needs_a_session_is_refused_with_405_to_who_has_none(
    serve: Serve, session: str | None, said: int, told: int
) -> None:
    """Incident P-23: a client took 404 on GET for the end of its session. CT-14a: 405 with Allow."""
    app = saying(head(said), part(b"{}", more=False))
    lines = {"Accept": "text/event-stream"} | ({"Mcp-Session-Id": session} if session else {})
    reply = httpx2.get(f"{serve(harden(app, settings=PATIENT))}/mcp", headers=lines)

    assert (reply.status_code, reply.headers.get("allow")) == (told, "POST" if told == 405 else None)


@pytest.mark.parametrize("spelled", ["/mcp", "/mcp/"])
@pytest.mark.parametrize("asked", ["/mcp", "/mcp/"])
def test_both_spellings_reach_the_one_the_app_has(serve: Serve, spelled: str, asked: str) -> None:
    """Incident T-10: a redirect between the two drops Authorization."""
    app = Starlette(routes=[Route(spelled, _echo_path, methods=["POST"])])
    url = serve(harden(app, settings=PATIENT, path=spelled))
    reply = httpx2.post(f"{url}{asked}?q=1", json=CALL, headers={"Authorization": "Bearer t"})

    assert (reply.status_code, reply.json()) == (200, {"path": spelled, "query": "q=1", "has_token": True})


def test_a_hardened_app_can_be_mounted(serve: Serve) -> None:
    """Ours: the path of the mount stands before the app's own."""
    inner = Starlette(routes=[Route("/mcp", _echo_path, methods=["POST"])])
    url = serve(Starlette(routes=[Mount("/under", harden(inner, settings=PATIENT))]))

    assert httpx2.post(f"{url}/under/mcp/", json=CALL).json()["path"] == "/under/mcp"


async def _echo_path(request: Request) -> Response:
    has_token = request.headers.get("authorization") == "Bearer t"
    return JSONResponse({"path": request.url.path, "query": request.url.query, "has_token": has_token})


def test_other_routes_are_the_apps_own(serve: Serve) -> None:
    """DESIGN section 2: `harden` puts the door in front; what is not the endpoint is not its business."""

    async def page(request: Request) -> Response:
        return PlainTextResponse(f"{request.method} {request.headers['host']} {request.headers['accept']}")

    url = serve(harden(Starlette(routes=[Route("/page", page)]), settings=PATIENT))
    reply = httpx2.get(f"{url}/page", headers={"Host": "any.example", "Accept": "text/html"})
    missing = httpx2.get(f"{url}/nothing")

    assert reply.text == "GET any.example text/html"
    assert (missing.status_code, missing.text) == (404, "Not Found")


@pytest.mark.parametrize(
    "where", ["oauth-protected-resource", "oauth-authorization-server/mcp", "openid-configuration"]
)
def test_a_missing_oauth_document_is_a_json_404(serve: Serve, where: str) -> None:
    """Incidents O-13 and P-17: a page where a document was looked for made hosts think that OAuth is on. CT-20a."""

    async def page(_: Request, __: Exception) -> Response:
        return HTMLResponse("<h1>Oh</h1>", 404)

    reply = httpx2.get(
        f"{serve(harden(Starlette(exception_handlers={404: page}), settings=PATIENT))}/.well-known/{where}"
    )

    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/json")
    assert reply.json() == {"error": "not found", "endpoint": "/mcp"}


def test_an_oauth_document_of_the_app_is_served(serve: Serve) -> None:
    """Ours: only what is missing is replaced."""

    async def document(_: Request) -> Response:
        return JSONResponse({"resource": "https://x.example/mcp"})

    async def missing(_: Request) -> Response:
        return JSONResponse({"mine": True}, 404)

    routes = [Route("/.well-known/oauth-protected-resource", document), Route("/.well-known/other", missing)]
    url = serve(harden(Starlette(routes=routes), settings=PATIENT))

    assert httpx2.get(f"{url}/.well-known/oauth-protected-resource").json() == {"resource": "https://x.example/mcp"}
    assert httpx2.get(f"{url}/.well-known/other").json() == {"mine": True}


def test_the_apps_lifespan_runs(serve: Serve) -> None:
    """FastMCP's app serves nothing without its lifespan."""
    app = answering()
    post(serve(harden(app, settings=PATIENT)), CALL).raise_for_status()

    assert app.lived == ["lifespan.startup"]


def test_settings_come_from_the_environment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN section 2: each setting also from `BALLAST_*`."""
    monkeypatch.setenv("BALLAST_PATH", "/own")
    monkeypatch.setenv("BALLAST_PUBLIC_URL", "https://own.example")
    app = answering()
    url = serve(harden(app))

    assert httpx2.post(f"{url}/own", json=CALL, headers={"Host": "own.example"}).status_code == 200
    assert app.scopes[0]["path"] == "/own"
