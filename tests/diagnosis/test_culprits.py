"""Whole diagnoses of real servers on loopback: who is named, and for what."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from connector import Connector, tool
from contract_tests.diagnosis import Culprit, Diagnosis, Observations, Place, Question, diagnose
from contract_tests.diagnosis.outside.answers import signs_of
from contract_tests.outcome import Ending, Received
from contract_tests.target.target import Target
from tests.loopback import Serve, served
from tests.proxies.front import Site
from tests.proxies.nginx import nginx
from tests.proxies.processes import free_ports, installed

QUICK = 0.5


class Ledger(Connector):
    """One tool that works, and one that crashes."""

    name = "ledger"

    @tool(read_only=True)
    async def total(self) -> int:
        """The total."""
        return 42


class Broken(Connector):
    """A tool that crashes."""

    name = "broken"

    @tool(read_only=True)
    async def total(self) -> int:
        """The total."""
        raise RuntimeError("the ledger is on fire")


def _diagnosed(url: str, **options: Any) -> Diagnosis:
    return asyncio.run(diagnose(Target(name=url, url=url), patience=QUICK, **options))


def _answers(found: Diagnosis) -> dict[str, str]:
    return {each.sign.question: each.sign.answer for each in found.verdict.weighed}


@pytest.fixture(scope="module")
def own() -> Iterator[str]:
    """The connector's own address."""
    with served(Ledger().app()) as origin:
        yield f"{origin}/mcp"


@pytest.fixture(scope="module")
def behind(own: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of nginx before it, told in different ways."""
    installed("nginx")
    port = int(own.rsplit(":", 1)[1].split("/", maxsplit=1)[0])
    bots = 'if ($http_user_agent ~* "openai|claude|python") { return 403 "<html>Are you human?</html>"; }'
    sites = {
        "guarded": Site(lines=("default_type text/html;", "add_header CF-Ray 8f00-FRA always;", bots), behind=port),
        "challenging": Site(lines=("default_type text/html;", bots.replace("403", "200")), behind=port),
        "moving": Site(lines=("return 307 http://localhost:9$request_uri;",), behind=port),
        "down": Site(lines=(), behind=free_ports(1)[0]),
        "good": Site(lines=("proxy_http_version 1.1;",), behind=port),
    }
    with nginx(sites, tmp_path_factory.mktemp("nginx")) as ports:
        yield {name: f"http://127.0.0.1:{port}/mcp" for name, port in ports.items()}


def test_rules_against_bots_are_the_edges(behind: dict[str, str], own: str) -> None:
    """P-19: the platforms' clients get a page with 403, a browser gets an answer."""
    found = _diagnosed(behind["guarded"], direct=own)

    assert found.verdict.culprit is Culprit.EDGE
    assert _answers(found)["agents"] == "platforms-refused"
    assert "Let POSTs of the platforms' servers through" in found.verdict.next_step


def test_a_page_in_place_of_the_answer_is_a_refusal_too(behind: dict[str, str]) -> None:
    """P-19: the status is 200; what came is meant for people."""
    found = _diagnosed(behind["challenging"])

    assert (_answers(found)["reach"], _answers(found)["agents"]) == ("page", "platforms-refused")
    assert found.verdict.culprit is Culprit.EDGE


@pytest.mark.parametrize(
    ("url", "location", "answer"),
    [
        ("http://a.example/mcp", "https://a.example/mcp", "to-https"),
        ("https://a.example/mcp", "http://a.example/mcp/", "leaves-origin"),
        ("https://a.example/mcp", "https://www.a.example/mcp", "leaves-origin"),
        ("https://a.example/mcp", "/mcp/", "other-path"),
        ("https://a.example/mcp", "https://a.example/login", "other-path"),
    ],
)
def test_redirects_are_told_apart(url: str, location: str, answer: str) -> None:
    """T-10, P-24, P-25: pure."""
    reply = Received(
        status=307, headers=(("Location", location),), body="", chunks=(), ending=Ending.COMPLETE, duration=0.1
    )
    seen = Observations(url=url, patience=1.0, answers={(Place.TARGET, Question.SMALL): reply})

    assert {sign.question: sign.answer for sign in signs_of(seen)} == {"reach": "redirected", "redirect": answer}


@pytest.mark.parametrize(
    ("status", "headers", "body", "reach", "answerer"),
    [
        (403, {"CF-Ray": "8f-FRA", "Content-Type": "text/html"}, "<html>", "forbidden", "edge"),
        (403, {"Server": "AkamaiGHost", "Content-Type": "text/html"}, "<html>", "forbidden", "edge"),
        (403, {"Content-Type": "application/json"}, '{"error":"no"}', "forbidden", "server"),
        (429, {"x-amzn-waf-action": "captcha"}, "", "throttled", "edge"),
        (421, {"Content-Type": "text/plain"}, "Invalid Host header", "wrong-host", None),
        (500, {"Content-Type": "text/plain"}, "Internal Server Error", "own-error", None),
        (502, {"Server": "nginx"}, "<html>", "gateway-error", None),
        (503, {"Content-Type": "application/json"}, '{"error":"drain"}', "own-error", "server"),
        (504, {}, "", "gateway-timeout", None),
        (522, {"CF-Ray": "8f-FRA"}, "", "gateway-error", "edge"),
        (404, {}, "", "missing", None),
        (422, {"Content-Type": "application/json"}, "{}", "unacceptable", "server"),
        (200, {"Content-Type": "text/html"}, "<html>parked</html>", "page", None),
        (204, {}, "", "something-else", None),
    ],
)
def test_a_failing_answer_is_read_with_who_wrote_it(
    status: int, headers: dict[str, str], body: str, reach: str, answerer: str | None
) -> None:
    """P-19, G-02, P-37: statuses, and the headers that edges sign with."""
    reply = Received(
        status=status, headers=tuple(headers.items()), body=body, chunks=(), ending=Ending.COMPLETE, duration=0.1
    )
    seen = Observations(url="https://a.example/mcp", patience=1.0, answers={(Place.TARGET, Question.SMALL): reply})
    answers = {sign.question: sign.answer for sign in signs_of(seen)}

    assert (answers["reach"], answers.get("answerer")) == (reach, answerer)


def test_a_redirect_that_loses_the_token_is_the_proxys(behind: dict[str, str], own: str) -> None:
    """T-10, P-25: a call is sent to another origin, where no Authorization goes."""
    found = _diagnosed(behind["moving"], direct=own)

    assert found.verdict.culprit is Culprit.PROXY
    assert _answers(found)["redirect"] == "leaves-origin"


def test_a_connector_that_is_down_behind_a_living_proxy_is_the_connectors(behind: dict[str, str]) -> None:
    """G-01: the proxy says 502; its own address answers no better."""
    found = _diagnosed(behind["down"], direct=f"http://127.0.0.1:{free_ports(1)[0]}/mcp")

    assert found.verdict.culprit is Culprit.CONNECTOR
    assert (_answers(found)["reach"], _answers(found)["direct"]) == ("gateway-error", "neither")


def test_a_proxy_that_looks_for_it_in_the_wrong_place_is_the_proxys(behind: dict[str, str], own: str) -> None:
    """Ours: the same 502, but the connector answers at its own address."""
    assert _diagnosed(behind["down"], direct=own).verdict.culprit is Culprit.PROXY


def test_a_crashed_tool_is_the_tools(serve: Serve) -> None:
    """Ours: all else is well."""
    found = _diagnosed(f"{serve(Broken())}/mcp")

    assert (found.verdict.culprit, found.exit_code) == (Culprit.TOOL, 1)
    assert "total: " in next(each.sign.fact for each in found.verdict.weighed if each.sign.question == "tool")


def test_a_good_one_has_no_fault(behind: dict[str, str], own: str) -> None:
    """Ours: nobody is blamed for nothing."""
    found = _diagnosed(behind["good"], direct=own)

    assert (found.exit_code, found.verdict.is_failure_seen) == (0, False)
    assert _answers(found)["tool"] == "works"


def test_what_a_person_sees_is_weighed_with_the_rest(own: str) -> None:
    """P-05: with nothing else to go by, nobody is blamed, and it is said what to look at."""
    found = asyncio.run(diagnose(Target(name=own, url=own), patience=QUICK, inside=[_says("Error in message stream")]))

    assert (found.verdict.culprit, found.exit_code) == (Culprit.UNKNOWN, 1)
    assert found.verdict.look


def _says(text: str) -> Any:
    from contract_tests.diagnosis.inside.words import says_sign

    return says_sign(text)


RESOURCE = "/.well-known/oauth-protected-resource/mcp"
SERVER = "/.well-known/oauth-authorization-server"


def _guarded(fault: str) -> Starlette:
    """A server that wants a token and publishes the way to one, with one fault in it."""
    app = Starlette()
    origin = ""

    async def everything(request: Request) -> Response:
        nonlocal origin
        origin = f"{request.url.scheme}://{request.url.netloc}"
        if fault == "page" and request.url.path.startswith("/.well-known"):
            return HTMLResponse("<html>our app</html>")
        if fault == "locked" or request.url.path == "/mcp":
            return JSONResponse({"error": "invalid_token"}, 401, {"WWW-Authenticate": "Bearer"})
        known = {RESOURCE: _resource, SERVER: _server, "/jwks": _keys}.get(request.url.path)
        content = known(origin, fault) if known else None
        return JSONResponse(content, 200) if content else JSONResponse({"error": "not found"}, 404)

    app.add_route("/{path:path}", everything, methods=["GET", "POST", "DELETE"])
    return app


def _resource(origin: str, fault: str) -> dict[str, Any] | None:
    if fault == "no-resource-metadata":
        return None
    resource = "http://localhost:1/mcp" if fault == "resource-differs" else f"{origin}/mcp"
    issuer = f"http://127.0.0.1:{free_ports(1)[0]}" if fault == "unreachable" else origin
    return {"resource": resource, "authorization_servers": [issuer]}


def _server(origin: str, fault: str) -> dict[str, Any] | None:
    if fault == "no-server-metadata":
        return None
    return {
        "issuer": f"{origin}/" if fault == "issuer-differs" else origin,
        "token_endpoint": f"{origin}/token",
        "jwks_uri": f"{origin}/jwks",
        "code_challenge_methods_supported": ["plain"] if fault == "no-pkce" else ["S256"],
    }


def _keys(_: str, fault: str) -> dict[str, Any] | None:
    return None if fault == "no-keys" else {"keys": []}


@pytest.mark.parametrize(
    ("fault", "culprit"),
    [
        ("issuer-differs", Culprit.AUTHORIZATION),
        ("no-server-metadata", Culprit.AUTHORIZATION),
        ("unreachable", Culprit.AUTHORIZATION),
        ("no-keys", Culprit.AUTHORIZATION),
        ("no-pkce", Culprit.AUTHORIZATION),
        ("resource-differs", Culprit.CONNECTOR),
        ("no-resource-metadata", Culprit.CONNECTOR),
        ("locked", Culprit.CONNECTOR),
        ("page", Culprit.CONNECTOR),
    ],
)
def test_each_fault_in_what_leads_to_a_sign_in_is_found(serve: Serve, fault: str, culprit: Culprit) -> None:
    """P-33, O-07, O-13, O-14: resource metadata, issuer equality, keys, PKCE."""
    found = _diagnosed(f"{serve(_guarded(fault))}/mcp")

    assert (_answers(found)["oauth"], found.verdict.culprit, found.exit_code) == (fault, culprit, 1)


def test_a_token_that_is_refused_though_it_is_fresh_is_told(serve: Serve) -> None:
    """O-06: the documents agree, and the given token is refused all the same."""
    found = _diagnosed(f"{serve(_guarded(''))}/mcp", headers=(("Authorization", "Bearer not-a-good-one"),))

    assert (_answers(found)["oauth"], _answers(found)["bearer"]) == ("consistent", "refused")


def test_nothing_is_asked_of_other_machines_on_behalf_of_a_local_target() -> None:
    """Ours: documents name addresses, and not every address is meant for us."""
    from contract_tests.diagnosis.outside.documents import may_ask

    assert may_ask("http://localhost:9/x", "http://127.0.0.1:8000/mcp")
    assert not may_ask("https://sign-in.example/x", "http://127.0.0.1:8000/mcp")
    assert may_ask("https://sign-in.example/x", "https://connector.example/mcp")
    assert not may_ask("http://127.0.0.1:8500/x", "https://connector.example/mcp")
    assert not may_ask("http://sign-in.example/x", "https://connector.example/mcp")


def test_diagnose_writes_what_it_weighed(own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 7, item 4: the model is shown, not hidden; by the command, with a canary's report and a person's words."""
    import json

    from click.testing import CliRunner

    from contract_tests.cli import main

    monkeypatch.chdir(tmp_path)
    status = {"question": "status", "answer": "incident", "fact": "connectors fail"}
    answers = [status, {"question": "of a newer canary", "answer": "x"}]
    (tmp_path / "canary.json").write_text(json.dumps({"format": 1, "answers": answers}))
    words = [
        own,
        "--says",
        "Error in message stream",
        "--canary",
        "canary.json",
        "--drift",
        "none.json",
        "--json",
        "found.json",
        "--patience",
        "0.5",
    ]
    done = CliRunner().invoke(main, ["diagnose", *words])
    verdict = json.loads((tmp_path / "found.json").read_text())["verdict"]

    assert done.exit_code == 1, done.output
    assert "status feed has an open incident that names its connectors or tools: platform +3.5" in done.output
    assert "none.json is not used: " in done.output
    assert verdict["culprit"] == "platform"
    assert status.items() <= next(each.items() for each in verdict["weighed"] if each["question"] == "status")
