"""Private notes, behind the login that a browser shows."""

import base64
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from connector.oauth.issuing import password_hash
from examples.private_notes import PrivateNotes, lock
from tests import wire
from tests.chrome import Tab, chromium
from tests.loopback import served
from tests.proxies.processes import free_ports

VERIFIER = "a-verifier-that-is-long-enough-for-rfc-7636-to-take-it"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


class Callback(BaseHTTPRequestHandler):
    """Where a host waits for the code."""

    def do_GET(self) -> None:
        if self.path.startswith("/callback"):  # and not for the icon
            self.server.queries.append(parse_qs(urlsplit(self.path).query))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<title>connected</title>You can close this page.")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def callback() -> Iterator[tuple[str, list[dict[str, list[str]]]]]:
    """A host's redirect address, and the queries that came there."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    server.queries = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/callback", server.queries  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[str]:
    """The example for two people, at its public address."""
    people = tmp_path / "people"
    people.write_text(
        f"anna {password_hash('correct horse', cost=16)}\nbert {password_hash('battery staple', cost=16)}\n"
    )
    port = free_ports(1)[0]
    made = PrivateNotes(
        public_url=f"http://127.0.0.1:{port}", auth=lock(str(people)), path=tmp_path / "notes.sqlite3", store="memory:"
    )
    with served(made.app(), port=port) as url:
        yield url


def log_in(tab: Tab, url: str, name: str, password: str, pictures: Path | None = None) -> str:
    """Connect as a host does, through the page; the access token."""
    with callback() as (redirect, queries):
        registration = {"client_name": "ChatGPT", "redirect_uris": [redirect], "token_endpoint_auth_method": "none"}
        client = httpx2.post(f"{url}/register", json=registration).json()["client_id"]
        wish = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": redirect,
            "state": "s",
            "scope": "notes.read notes.write",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        tab.open(f"{url}/authorize?{urlencode(wish)}")
        tab.fill("#name", name)
        tab.fill("#password", password)
        if pictures is not None:
            for scheme in ("light", "dark"):
                tab.prefer(scheme)
                (pictures / f"consent-{scheme}.png").write_bytes(tab.picture())
        tab.press_enter()
        tab.wait_for("document.title === 'connected'")
        said = queries[-1]
    assert (said["state"], said["iss"]) == (["s"], [url])
    form = {
        "grant_type": "authorization_code",
        "code": said["code"][0],
        "client_id": client,
        "redirect_uri": redirect,
        "code_verifier": VERIFIER,
    }
    token: str = httpx2.post(f"{url}/token", data=form).json()["access_token"]
    return token


def ask(url: str, token: str, name: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool with a token; the result."""
    reply = wire.post(url, wire.call(name, arguments), wire.headers(Authorization=f"Bearer {token}"))
    assert reply.status_code == 200, reply.text
    result: dict[str, Any] = reply.json()["result"]
    return result


@pytest.mark.timeout(180)
def test_two_people_log_in_with_a_browser_and_see_their_own_notes_only(notes: str, tmp_path: Path) -> None:
    """Issue 5 item 8: the flow through the consent page, by keyboard. `PICTURES` keeps what was seen."""
    pictures = Path(os.environ.get("PICTURES", tmp_path))
    with chromium() as tab:
        anna = log_in(tab, notes, "anna", "correct horse", pictures)
    with chromium() as tab:
        bert = log_in(tab, notes, "bert", "battery staple")

    ask(notes, anna, "add_note", text="camomile for the cough")
    ask(notes, bert, "add_note", text="buy strings")

    assert ask(notes, anna, "search_notes", words="COUGH")["structuredContent"]["notes"] == [
        {"number": 1, "text": "camomile for the cough"}
    ]
    assert [n["text"] for n in ask(notes, bert, "search_notes")["structuredContent"]["notes"]] == ["buy strings"]
    foreign = ask(notes, bert, "delete_note", number=1)
    assert foreign["isError"] is True
    assert "There is no note 1 of yours" in foreign["content"][0]["text"]


def test_nobody_gets_in_without_a_token(notes: str) -> None:
    """CT-14b: the challenge names the metadata."""
    reply = wire.post(notes, wire.call("search_notes", {}), wire.headers(User_Agent="claude-code/2.1"))

    assert reply.status_code == 401
    assert f'resource_metadata="{notes}/.well-known/oauth-protected-resource' in reply.headers["www-authenticate"]
