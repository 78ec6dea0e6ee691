"""The OAuth recipes and contracts against a server that keeps every promise, and against one broken promise each."""

import json
from pathlib import Path

import anyio
import pytest

from contract_tests import Options, Run, Verdict, load_sessions, open_target, play_sessions
from contract_tests.checks.registry import OAUTH
from contract_tests.login.signing_in import Tokens
from contract_tests.report.html import page
from contract_tests.report.json_report import document
from tests.replay.lenient import Lenient

RECIPES = tuple(session for session in load_sessions() if session.surface == "oauth" or "login" in session.needs)
IDLE = next(session for session in load_sessions() if session.id == "get-after-idle")
SLOW = {"oauth-refresh-late", "oauth-refresh-after-expiry"}
ELSEWHERE = {"oauth-predefined", "oauth-relink", "CT-29"}
"""What this server cannot show: it has no client of the user's, no tools without a token, and is not killed."""


def judged(server: Lenient, *only: str, options: Options | None = None) -> Run:
    """Play every recipe and check every contract, or those in `only`."""
    sessions = [session for session in (*RECIPES, IDLE) if not only or session.id in only]
    contracts = [contract for contract in OAUTH if not only or contract.id in only]

    async def run() -> Run:
        with open_target(server) as target:
            options_ = options or Options(pace="none", seed=1)
            return await play_sessions(sessions, target, options=options_, contracts=contracts)

    return anyio.run(run)


def ids(run: Run, verdict: Verdict) -> set[str]:
    return {session.id for session in run.sessions if session.verdict is verdict}


def test_a_server_that_keeps_every_promise_passes_every_recipe() -> None:
    """Ours: a suite that cries wolf is switched off."""
    run = judged(Lenient())

    assert run.findings == ()
    assert ids(run, Verdict.NOT_CHECKED) == SLOW | ELSEWHERE
    assert {"oauth-cimd-iss", "oauth-codex-loopback", "oauth-reconnect", "CT-22", "CT-25"} <= ids(run, Verdict.PASSED)


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ("refuses unknown members", {"CT-22", "oauth-vscode-dcr"}),
        ("422 on registration", {"CT-22"}),
        ("knows two grants", {"CT-22", "oauth-vscode-dcr"}),
        ("nulls in answers", {"CT-22"}),
        ("drops iss", {"oauth-cimd-iss", "CT-21"}),
        ("refuses private_key_jwt", {"oauth-cimd-iss", "oauth-cimd-callback-id"}),
        ("rotates at once", {"oauth-refresh-parallel"}),
        ("issuer with a slash", {"oauth-discovery", "CT-21"}),
        ("resource with a slash", {"CT-21"}),
        ("no metadata at the path", {"oauth-well-known"}),
        ("pages everywhere", {"oauth-well-known"}),
        ("no challenge on GET", {"get-after-idle"}),
        ("needs scope", {"oauth-reconnect"}),
        ("needs resource", {"CT-25"}),
        ("exact loopback ports", {"oauth-codex-loopback"}),
        ("redirects by prefix", {"CT-23"}),
        ("500 for unknown clients", {"CT-24", "CT-26"}),
        ("binds sessions to tokens", {"CT-28", "oauth-session-rotated"}),
    ],
)
def test_one_broken_promise_breaks_what_guards_it_and_nothing_else(fault: str, broken: set[str]) -> None:
    """CT-20 to CT-28; each fault is an incident of classes O and P."""
    run = judged(Lenient(frozenset({fault})))

    assert ids(run, Verdict.FAILED) == broken
    for finding in run.findings:
        assert finding.incidents, finding
        assert finding.advice, finding


def test_what_a_person_has_to_approve_is_not_checked_and_says_what_to_do() -> None:
    """Issue 5, item 6: never passed, never a finding."""
    run = judged(Lenient(frozenset({"asks a person"})))

    assert ids(run, Verdict.FAILED) == set()
    reasons = {session.id: session.reason for session in run.sessions}
    assert reasons["oauth-dcr"].startswith("a person has to sign in or consent there: let an instance for tests")
    assert 'access_token = "${MY_TOKEN}"' in reasons["oauth-refresh-parallel"]
    assert {"oauth-dcr", "oauth-cimd-plural", "oauth-reconnect", "CT-25"} <= ids(run, Verdict.NOT_CHECKED)


def test_a_client_document_nobody_looked_at_is_not_checked() -> None:
    """Ours: a server may refuse addresses of this machine, and be right (SSRF)."""
    run = judged(Lenient(frozenset({"reads no loopback documents"})), "oauth-cimd-plural", "oauth-cimd-iss")

    assert ids(run, Verdict.NOT_CHECKED) == {"oauth-cimd-plural", "oauth-cimd-iss"}
    for session in run.sessions:
        assert "without having asked for the client document" in session.reason
        assert 'client_documents = "https://..."' in session.reason


def test_without_registration_the_login_is_made_with_a_client_document() -> None:
    """Facts, section 3.2: registration is optional."""
    run = judged(Lenient(frozenset({"no registration"})), "oauth-refresh-parallel", "oauth-dcr", "CT-22", "CT-23")

    assert ids(run, Verdict.PASSED) == {"oauth-refresh-parallel"}
    assert ids(run, Verdict.NOT_CHECKED) == {"oauth-dcr", "CT-22", "CT-23"}


def test_a_token_that_was_given_opens_what_needs_no_client() -> None:
    """Issue 5, item 6: or a token from the environment."""
    server = Lenient(frozenset({"asks a person"}))
    token = server._issue("somebody")["access_token"]
    options = Options(pace="none", seed=1, tokens=Tokens(access=token))
    run = judged(server, "oauth-session-rotated", "oauth-reconnect", options=options)

    session = {run.id: run for run in run.sessions}["oauth-session-rotated"]
    assert [step.name for step in session.steps if step.sent] == ["initialize"]
    assert session.reason.startswith("no refresh token came with the login")
    assert token not in json.dumps(document(run))


def test_a_token_is_waited_for_until_it_expires_when_asked() -> None:
    """P-08: the recipe waits as long as the target says its tokens live, with --slow only."""
    options = Options(pace="none", seed=1, is_slow=True)
    run = judged(Lenient(lifetime=1), "oauth-refresh-after-expiry", options=options)

    (session,) = run.sessions
    assert session.verdict is Verdict.PASSED, (session.reason, session.findings)
    assert [step.name for step in session.steps] == ["post-expired", "refresh", "initialize-with-new-token"]


def test_eight_refreshes_are_told_apart_and_every_token_is_tried() -> None:
    """CT-27: all of them 200, all access tokens valid."""
    (session,) = judged(Lenient(), "oauth-refresh-parallel").sessions

    names = [step.name for step in session.steps]
    assert names[0] == "refresh-at-once (1 of 8)"
    assert names[-1] == "every-token-opens (8 of 8)"
    assert len(names) == 16


def test_a_redirect_on_the_way_is_followed_with_its_cookies_and_the_last_one_is_not_requested() -> None:
    """Ours: consent often takes a detour; nothing may be sent to the client's own address."""
    (session,) = judged(Lenient(), "oauth-dcr").sessions

    played = {step.name: step for step in session.steps}
    assert played["authorize"].received is not None
    assert played["authorize"].received.status == 302
    hop = played["authorize, redirect 1"]
    assert hop.sent is not None
    assert ("Cookie", "<withheld>") in hop.sent.headers
    assert not any(step.sent and "chatgpt.com/connector" in step.sent.url.partition("?")[0] for step in session.steps)


def test_no_credential_of_any_recipe_reaches_a_report() -> None:
    """Issue 5: codes, tokens, verifiers and assertions; here every value the server ever issued is looked for."""
    server = Lenient()
    issued: list[str] = []
    issue = server._issue

    def noted(client_id: str) -> dict[str, object]:
        answer = issue(client_id)
        issued.extend([answer["access_token"], answer["refresh_token"]])
        return answer

    server._issue = noted  # type: ignore[method-assign]  # to know what must not be found
    run = judged(server)
    texts = json.dumps(document(run)) + page(run)

    assert len(issued) > 40
    assert [token for token in issued if token in texts] == []
    assert "eyJhbGciOiJSUzI1NiI" not in texts
    assert "client_assertion=<withheld>" in texts


def test_contracts_stand_in_every_report_beside_the_sessions() -> None:
    """Issue 6, item 2: id, title, incident, severity, what to do."""
    run = judged(Lenient(frozenset({"nulls in answers"})), "oauth-discovery", "CT-22")

    found = {session["id"]: session for session in document(run)["sessions"]}
    assert found["oauth-discovery"]["severity"] == ""
    assert found["CT-22"]["severity"] == "critical"
    assert len([step for step in found["CT-22"]["steps"] if step["sent"]]) >= 60
    assert "CT-22" in page(run)


def test_documents_for_a_target_elsewhere_are_written_with_a_key_of_their_own(tmp_path: Path) -> None:
    """Ours: a server on the internet cannot read what stands on loopback."""
    from click.testing import CliRunner

    from contract_tests.cli import main
    from contract_tests.configuration import read_configuration

    done = CliRunner().invoke(
        main, ["client-documents", str(tmp_path / "public"), "--base", "https://docs.example.com/b/"]
    )

    assert done.exit_code == 0, done.output
    one = json.loads((tmp_path / "public" / "oauth-cimd-plural" / "client.json").read_text())
    assert one["client_id"] == "https://docs.example.com/b/oauth-cimd-plural/client.json"
    assert one["jwks_uri"] == "https://docs.example.com/b/jwks.json"
    assert json.loads((tmp_path / "public" / "jwks.json").read_text())["keys"][0].keys() >= {"kid", "n", "e"}
    assert (tmp_path / "public.key.pem").stat().st_mode & 0o077 == 0
    (tmp_path / "ballast.toml").write_text(done.stdout[done.stdout.index("[oauth]") :])
    options = read_configuration(tmp_path / "ballast.toml").options
    assert options.client_documents == "https://docs.example.com/b"
    assert options.client_key is not None


def test_contracts_are_named_like_sessions_on_the_command_line(tmp_path: Path) -> None:
    """Ours: --only means both, and an id that is neither is explained."""
    from click.testing import CliRunner

    from contract_tests.cli import main

    file = tmp_path / "kept.py"
    file.write_text("from tests.replay.lenient import Lenient\n\napp = Lenient()\n")
    run = CliRunner()
    done = run.invoke(main, ["test", str(file), "--pace", "none", "--only", "CT-26", "--only", "oauth-discovery"])

    assert done.exit_code == 0, done.output
    assert "2 hold, 0 break, 0 not checked" in done.output
    assert "CT-26  oauth  serious" in run.invoke(main, ["sessions"]).output
    assert "leaves      up to sixty registered clients" in run.invoke(main, ["sessions", "CT-22"]).output
    assert "There is no session 'CT-99'" in run.invoke(main, ["test", str(file), "--only", "CT-99"]).output
