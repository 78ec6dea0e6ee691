"""Credentials that slipped into a run do not reach a report."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from contract_tests.credentials import clean, clean_header
from contract_tests.outcome import Run
from contract_tests.report.html import write_html
from contract_tests.report.json_report import write_json
from contract_tests.report.junit import write_junit
from contract_tests.report.terminal import Progress


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Bearer s3cret", "Bearer <withheld>"),
        ("Authorization", "Bearer <access token A>", "Bearer <access token A>"),
        ("authorization", "s3cret", "<withheld>"),
        ("Set-Cookie", "sid=s3cret; Path=/", "<withheld>"),
        ("Cookie", "sid=<cookie A>", "sid=<cookie A>"),
        ("X-Api-Key", "s3cret", "<withheld>"),
        ("WWW-Authenticate", 'Bearer resource_metadata="https://a/b"', 'Bearer resource_metadata="https://a/b"'),
        ("Location", "https://c/cb?code=s3cret&state=x", "https://c/cb?code=<withheld>&state=x"),
    ],
)
def test_a_header_that_is_a_credential_is_withheld(name: str, value: str, shown: str) -> None:
    """Ours: `Authorization`, cookies, tokens, codes and client secrets never reach a report."""
    assert clean_header(name, value) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"access_token":"s3\\"cret","expires_in":60}', '{"access_token":"<withheld>","expires_in":60}'),
        ('{"refresh_token": "<token B>"}', '{"refresh_token": "<token B>"}'),
        ('{"text":"{\\"client_secret\\":\\"s3cret\\"}"}', '{"text":"{\\"client_secret\\":\\"<withheld>\\"}"}'),
        ('{"id_token":"s3cr', '{"id_token":"<withheld>"'),
        ("grant_type=x&code=s3cret&code_verifier=s3cret", "grant_type=x&code=<withheld>&code_verifier=<withheld>"),
        ("sent Bearer eyJhbGciOiJub25lIn0.e30.", "sent Bearer <withheld>"),
        ("https://user:s3cret@host/mcp", "https://<withheld>@host/mcp"),
        ('{"code":"EUR","error":{"code":-32601}}', '{"code":"EUR","error":{"code":-32601}}'),
        ("the answer had error code=404, Basic authentication", "the answer had error code=404, Basic authentication"),
    ],
)
def test_a_body_keeps_all_but_its_credentials(text: str, shown: str) -> None:
    """Ours: a report with the evidence removed would be of no use either."""
    assert clean(text) == shown
    assert clean(shown) == shown


def test_no_report_shows_a_credential(run: Run, tmp_path: Path) -> None:
    """Ours: every report is written from the run without credentials, whoever recorded it."""
    session = run.sessions[3]
    step = session.steps[1]
    assert step.sent
    assert step.received
    leaking = replace(
        step,
        sent=replace(step.sent, headers=(("Authorization", "Bearer s3cret"),), body="code=s3cret"),
        received=replace(step.received, body='{"access_token":"s3cret"}', trouble="password=s3cret"),
        findings=(replace(step.findings[0], actual='{"refresh_token":"s3cret"}'),),
    )
    steps = (session.steps[0], leaking)
    run = replace(run, sessions=(replace(session, steps=steps, reason="client_secret=s3cret"),))

    write_json(run, tmp_path / "run.json")
    write_junit(run, tmp_path / "run.xml")
    write_html(run, tmp_path / "run.html")
    console = Console(record=True, file=(tmp_path / "run.txt").open("w"))
    with Progress(console) as progress:
        progress.session_ended(run.sessions[0])
        progress.run_ended(run)
    console.file.close()

    for report in sorted(tmp_path.iterdir()):
        text = report.read_text()
        assert "s3cret" not in text, report.name
        assert "withheld" in text, report.name
    assert json.loads((tmp_path / "run.json").read_text())["summary"]["break"] == 1
