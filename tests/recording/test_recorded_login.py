"""A login recorded and played again: codes, tokens and clients are captured anew, and none is written."""

import re
from pathlib import Path
from typing import Any

import anyio
import pytest

from contract_tests import Options, choose, load_sessions, open_target, play_sessions
from tests.loopback import served
from tests.recording.recorded import proxied, replayed
from tests.replay.authorization import protected


async def play(url: str, *only: str) -> list[str]:
    """Play shipped sessions against an address; the verdicts."""
    with open_target(url) as target:
        run = await play_sessions(choose(load_sessions(), only), target, options=Options(pace="none", seed=7))
    return [session.verdict.value for session in run.sessions]


PUBLIC = "https://public.example.com"


def server(**options: Any) -> Any:
    """A server that logs everybody in, and calls itself by a public address."""
    return protected(PUBLIC, **options).streamable_http_app(stateless_http=True)


@pytest.fixture
def login(tmp_path: Path) -> tuple[Path, str]:
    """The folder and the file of a recorded login."""
    with served(server()) as origin, proxied(origin, tmp_path) as url:
        assert anyio.run(play, f"{url}/mcp", "oauth-dcr") == ["passed"]
    return tmp_path, max(tmp_path.iterdir()).read_text()


def test_what_a_login_gave_is_captured_and_never_written(login: tuple[Path, str]) -> None:
    """Issue 6, item 5: OAuth endpoints and well-known documents beside the MCP path; captured codes and tokens."""
    _, text = login

    assert '"code":"${code}"' in text
    assert '"code_verifier":"${pkce.verifier}"' in text
    assert '"client_id":"${client_id}"' in text
    assert 'Authorization: "Bearer ${access_token}"' in text
    assert '"refresh_token":"${refresh_token}"' in text
    assert "path: /.well-known/oauth-authorization-server" in text
    assert '"https://chatgpt.com/connector/oauth/${callback_id}"' in text
    assert not re.search("[0-9a-f]{32}", text), "that is how this server's codes and tokens look"


def test_a_recorded_login_is_played_again_with_its_own_codes_and_tokens(login: tuple[Path, str]) -> None:
    """Issue 6, item 5: sessions that `mcp-ballast test` can replay."""
    run = replayed(login[0], server())

    assert {session.verdict.value for session in run.sessions} == {"passed"}, run.findings
    assert [step.name for step in run.sessions[-1].steps if step.sent] == [
        "initialize", "get-mcp", "get-oauth-authorization-server", "post-register", "post-register-2", "get-authorize",
        "post-token", "initialize-2", "post-token-2",
    ]  # fmt: skip


def test_a_server_that_registers_nobody_any_more_breaks_the_recording(login: tuple[Path, str]) -> None:
    """The counterpart: found where it is, and what rests on it is left out instead of found again."""
    run = replayed(login[0], server(registers=False))

    found = [(finding.step, finding.where) for finding in run.sessions[-1].findings]
    assert found[:2] == [("get-oauth-authorization-server", "message"), ("post-register", "status")]
    skipped = {step.name: step.skipped for step in run.sessions[-1].steps if step.skipped}
    assert skipped["post-token"] == "no earlier reply gave what it sends"
