"""Published documents: what is told of a change, and what a bad answer does not undo."""

import asyncio
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from starlette.responses import HTMLResponse, RedirectResponse, Response

from contract_tests.canary import Report, Settings, Severity, run_canary, to_settings
from contract_tests.canary.documents.differences import differences
from contract_tests.canary.documents.rules import changes_of
from contract_tests.canary.documents.status import concerns_connectors, incidents_of
from contract_tests.canary.settings import KNOWN
from contract_tests.canary.state import read_state, state_file, write_state
from contract_tests.cli import main
from contract_tests.errors import BadConfiguration
from tests.canaries.publisher import Publisher
from tests.loopback import Serve

CLIENT = {
    "client_id": "https://platform.example/client.json",
    "redirect_uris": ["https://platform.example/callback"],
    "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
    "grant_types": ["authorization_code", "refresh_token"],
    "client_name": "Platform",
    "jwks_uri": "https://platform.example/jwks.json",
}
KEYS = {"keys": [{"kid": "a", "kty": "RSA", "n": "AQAB", "alg": "RS256"}]}
EGRESS = {"creationTime": "2026-08-01", "prefixes": [{"ipv4Prefix": "192.0.2.0/28"}, {"ipv4Prefix": "192.0.2.64/28"}]}
QUIET = {"status": {"indicator": "none"}, "incidents": []}


def _without(content: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != name}


@pytest.mark.parametrize(
    ("kind", "before", "after", "severity", "place"),
    [
        (
            "client",
            CLIENT,
            {**CLIENT, "token_endpoint_auth_method": "private_key_jwt"},
            "critical",
            "token_endpoint_auth_method",
        ),
        (
            "client",
            CLIENT,
            {**CLIENT, "token_endpoint_auth_methods_supported": ["private_key_jwt"]},
            "critical",
            "token_endpoint_auth_methods_supported[]",
        ),
        (
            "client",
            CLIENT,
            {**CLIENT, "redirect_uris": [*CLIENT["redirect_uris"], "https://platform.example/callback/7"]},
            "serious",
            "redirect_uris[]",
        ),
        ("client", CLIENT, {**CLIENT, "jwks_uri": "https://elsewhere.example/jwks.json"}, "critical", "jwks_uri"),
        (
            "client",
            CLIENT,
            {**CLIENT, "grant_types": [*CLIENT["grant_types"], "urn:example:device"]},
            "serious",
            "grant_types[]",
        ),
        ("client", CLIENT, {**CLIENT, "software_statement": "x"}, "serious", "software_statement"),
        ("client", CLIENT, {**CLIENT, "client_name": "Another"}, "minor", "client_name"),
        ("client", CLIENT, _without(CLIENT, "redirect_uris"), "serious", "redirect_uris"),
        ("keys", KEYS, {"keys": [{**KEYS["keys"][0], "n": "AQAC"}]}, "critical", "keys[kid=a].n"),
        ("keys", KEYS, {"keys": [*KEYS["keys"], {"kid": "b"}]}, "serious", "keys[]"),
        ("keys", KEYS, {"keys": []}, "serious", "keys[]"),
        (
            "egress",
            EGRESS,
            {**EGRESS, "prefixes": [*EGRESS["prefixes"], {"ipv4Prefix": "198.51.100.0/24"}]},
            "serious",
            "prefixes[]",
        ),
        ("egress", EGRESS, {**EGRESS, "prefixes": EGRESS["prefixes"][:1]}, "minor", "prefixes[]"),
        ("egress", EGRESS, {"ranges": []}, "serious", "prefixes"),
        ("json", {"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "minor", "a[]"),
    ],
)
def test_a_change_is_told_with_its_severity(kind: str, before: Any, after: Any, severity: str, place: str) -> None:
    """Issue 7, item 3: a new auth method, a key rotated, a redirect added, an egress range added or removed."""
    (worst, *_) = changes_of(kind, differences(before, after))

    assert (worst.severity.value, worst.place) == (severity, place)


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("egress", EGRESS, {**EGRESS, "creationTime": "2026-09-01", "prefixes": EGRESS["prefixes"][::-1]}),
        ("client", CLIENT, dict(reversed(CLIENT.items()))),
        ("keys", KEYS, deepcopy(KEYS)),
    ],
)
def test_order_and_dates_are_no_change(kind: str, before: Any, after: Any) -> None:
    """Ours: a list that is published anew every night would cry wolf every night."""
    assert changes_of(kind, differences(before, after)) == ()


def test_open_incidents_are_told_and_those_of_connectors_known() -> None:
    """P-32: what a status feed says; resolved and planned ones are not open."""
    feed = {
        "incidents": [
            {"name": "Elevated errors in MCP connectors", "status": "investigating", "impact": "major"},
            {"name": "Slow images", "status": "monitoring", "impact": "minor", "components": [{"name": "Sora"}]},
            {"name": "Old", "status": "resolved", "impact": "critical"},
        ]
    }
    found = incidents_of(feed)

    assert found is not None
    assert [(each.severity, concerns_connectors(each)) for each in found] == [
        (Severity.CRITICAL, True),
        (Severity.SERIOUS, False),
    ]
    assert incidents_of({"page": 1}) is None


@pytest.fixture
def platform() -> Publisher:
    """A platform with all four documents."""
    return Publisher({"/client": CLIENT, "/keys": KEYS, "/egress": EGRESS, "/status": QUIET})


@pytest.fixture
def watch(serve: Serve, platform: Publisher, tmp_path: Path) -> Callable[[], Report]:
    """Runs a canary over the platform's documents, night after night on one state."""
    origin = serve(platform.app())
    sources = {kind: f"{origin}/{kind}" for kind in ("client", "keys", "egress", "status")}
    settings = to_settings({"documents": sources, "state": str(tmp_path / "state")})
    return lambda: asyncio.run(run_canary(settings))


def _standings(report: Report) -> dict[str, str]:
    return {part.name.removeprefix("document "): part.standing.value for part in report.parts}


def test_nights_without_a_change_are_quiet_and_cheap(watch: Callable[[], Report], platform: Publisher) -> None:
    """Issue 7, items 3 and 6: a first sight is no change, and the second asks conditionally."""
    first, second, third = watch(), watch(), watch()

    assert [report.exit_code for report in (first, second, third)] == [0, 0, 0]
    assert {status for _, status in platform.asked[4:]} == {304}


def test_a_change_is_told_once(watch: Callable[[], Report], platform: Publisher) -> None:
    """Issue 7, item 3: the night it happens; afterwards it is as it was, and says since when."""
    watch()
    platform.documents["/keys"] = {"keys": [{"kid": "b", "kty": "RSA", "n": "AQAB"}]}
    changed, after = watch(), watch()

    assert (changed.exit_code, [change.place for change in changed.changes]) == (1, ["keys[]", "keys[]"])
    assert after.exit_code == 0
    assert "its last change was seen on " in next(part.sentence for part in after.parts if part.name == "document keys")


def test_an_incident_is_told_as_long_as_it_is_open(watch: Callable[[], Report], platform: Publisher) -> None:
    """P-32."""
    platform.documents["/status"] = {"incidents": [{"name": "API errors", "status": "identified", "impact": "minor"}]}

    assert [watch().exit_code, watch().exit_code] == [1, 1]
    platform.documents["/status"] = QUIET
    assert watch().exit_code == 0


def _moved() -> Response:
    return RedirectResponse("http://elsewhere.example/keys")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda: Response(status_code=403), "status 403"),
        (lambda: HTMLResponse("<html>checking your browser</html>"), "no JSON (text/html"),
        (lambda: Response(b'"text"', media_type="application/json"), "neither an object nor a list"),
        (lambda: Response(b"[" * 3_000_000, media_type="application/json"), "more than 2097152 bytes"),
        (_moved, "it redirects to http://elsewhere.example: not followed"),
        (lambda: RedirectResponse("/keys"), "more than 3 redirects"),
    ],
)
def test_what_cannot_be_read_changes_nothing_and_hides_nothing(
    watch: Callable[[], Report], platform: Publisher, answer: Callable[[], Response], reason: str
) -> None:
    """Issue 7, item 3: a broken one does not hide the rest; bounded size; redirects that lead away are not followed."""
    watch()
    platform.documents |= {"/keys": answer, "/client": {**CLIENT, "jwks_uri": "https://other.example/"}}
    bad = watch()
    platform.documents["/keys"] = KEYS
    good = watch()

    assert _standings(bad) == {"client": "finding", "keys": "not checked", "egress": "holds", "status": "holds"}
    assert reason in next(part.sentence for part in bad.parts if part.name == "document keys")
    assert _standings(good)["keys"] == "holds"


def test_a_document_that_is_gone_is_told_once(watch: Callable[[], Report], platform: Publisher) -> None:
    """Ours: 404 where there was one; and when it comes back it is compared with what it was."""
    watch()
    del platform.documents["/egress"]
    gone, still = watch(), watch()
    platform.documents["/egress"] = {**EGRESS, "prefixes": []}

    assert [_standings(each)["egress"] for each in (gone, still, watch())] == ["finding", "not checked", "finding"]


def test_the_state_survives_a_write_that_fails(tmp_path: Path) -> None:
    """Issue 7, item 3: state kept in a file, atomic."""
    file = tmp_path / "canary.json"
    write_state({"keys": {"url": "u", "content": [1]}}, file)
    with pytest.raises(TypeError):
        write_state({"keys": {"content": {1, 2}}}, file)

    assert read_state(file).parts == {"keys": {"url": "u", "content": [1]}}
    assert [each.name for each in tmp_path.iterdir()] == ["canary.json"]


@pytest.mark.parametrize("text", ["{half", "[]", '{"format": 99, "parts": {}}'])
def test_a_state_that_cannot_be_read_is_put_aside(tmp_path: Path, text: str) -> None:
    """Ours: begun anew, with a remark, and nothing is lost for good."""
    file = tmp_path / "canary.json"
    file.write_text(text)
    found = read_state(file)

    assert (dict(found.parts), len(found.remarks)) == ({}, 1)
    assert (tmp_path / "canary.json.unreadable").read_text() == text


def test_a_state_is_named_by_a_file_or_a_folder(tmp_path: Path) -> None:
    """`--state FILE/DIR`."""
    assert state_file(tmp_path) == tmp_path / "canary.json"
    assert state_file(tmp_path / "new") == tmp_path / "new" / "canary.json"
    assert state_file(tmp_path / "own.json") == tmp_path / "own.json"


def test_nobody_is_asked_who_is_not_named() -> None:
    """Issue 7, item 3: known addresses are switched on by the configuration only."""
    assert to_settings({}) == Settings()
    assert {source.url for source in to_settings({"documents": {"known": True}}).sources} == set(KNOWN.values())
    assert [source.url for source in to_settings({"documents": {"keys": "known"}}).sources] == [KNOWN["keys"]]


@pytest.mark.parametrize(
    "data",
    [
        {"document": {}},
        {"documents": {"keys": "chatgpt.com"}},
        {"documents": {"keys": 7}},
        {"documents": {"keys": {"url": "https://x.example", "kind": "key"}}},
        {"documents": {"terms": "known"}},
        {"api": {}},
        {"api": {"model": "m", "key": "sk-1"}},
        {"api": {"model": "m", "limit": 0}},
        {"sdk": "yes"},
        {"sdk": {"version": "3"}},
    ],
)
def test_a_configuration_that_is_wrong_is_refused_with_a_way_out(data: dict[str, Any]) -> None:
    """DESIGN section 2: exit code 2 for wrong usage; a key in a file is refused as well."""
    with pytest.raises(BadConfiguration, match=r"Write|Known here|Put it"):
        to_settings(data)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, ["canary", *words])


def test_the_command_exits_as_its_findings_say(
    command: Callable[..., Result], serve: Serve, platform: Publisher, tmp_path: Path
) -> None:
    """`mcp-ballast canary [--config F] [--json F] [--state PATH]`: 0, then 1 with the change in words and as data."""
    (tmp_path / "ballast.toml").write_text(f'[canary.documents]\nclient = "{serve(platform.app())}/client"\n')
    words = ("--json", "out.json", "--state", "seen")
    first = command(*words)
    platform.documents["/client"] = {**CLIENT, "token_endpoint_auth_method": "none"}
    second = command(*words)
    data = json.loads((tmp_path / "out.json").read_text())

    assert (first.exit_code, second.exit_code) == (0, 1), first.output + second.output
    assert "  FINDING      document client: 1 change in http://127.0.0.1" in second.output
    assert data["answers"][0]["answer"] == "changed"
    assert (tmp_path / "seen" / "canary.json").is_file()


@pytest.mark.parametrize(
    "text", ["", "[canary]\nstate = 'x'\n", "[canary.documents]\nkeys = 'http://127.0.0.1:1/'\n", "[canary]\nx = 1\n"]
)
def test_with_nothing_to_ask_the_command_exits_with_2(
    command: Callable[..., Result], tmp_path: Path, text: str
) -> None:
    """DESIGN section 2: 2 for usage, or if nothing could be checked."""
    (tmp_path / "ballast.toml").write_text(text)

    assert command().exit_code == 2
