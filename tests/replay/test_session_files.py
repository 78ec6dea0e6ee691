"""Session files: what is read, and how a malformed one is explained."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contract_tests import BallastTestError, choose, load_sessions
from tests.replay.replaying import write

STEP: Mapping[str, Any] = {"name": "one", "send": {"method": "GET"}}


def test_every_shipped_session_says_where_it_comes_from_and_how_long_it_is_good() -> None:
    """Design, section 7: provenance and expiry; recipes 1 to 10, 12 and 13 of the facts."""
    sessions = {session.id: session for session in load_sessions()}

    assert {
        "create-noauth-modern", "create-noauth-modern-sse", "create-noauth-legacy", "create-fail-404",
        "create-bad-discover", "probe-methodless", "get-after-idle", "oauth-dcr", "oauth-cimd-iss",
        "oauth-cimd-callback-id", "oauth-predefined", "call-model", "call-widget", "call-minimal-meta",
        "call-absent-meta", "call-slow-119", "responses-slow-60x2", "serial-3", "refresh-actions", "relink",
        "scan-tools-aiohttp",
    } <= set(sessions)  # fmt: skip
    for session in sessions.values():
        assert session.source
        assert session.seen < session.expires
        assert session.incidents
        assert all(step.advice or step.name in {"discover", "tools-list"} for step in session.steps), session.id


def test_words_that_yaml_1_1_would_change_go_on_the_wire_as_written(tmp_path: Path) -> None:
    """Ours: 2026-07-28 is no date there, `on` is not true, 010 is not eight, and 1:30 is not ninety."""
    file = write(tmp_path, steps=[STEP])
    body = "{v: 2026-07-28, a: on, b: no, c: 010, d: 1:30, e: 1_000, f: 0x1F, g: true, h: 1.50, i: null, j: .5, k: ~}"
    text = file.read_text().replace("method: GET", f"method: POST\n    json: {body}")
    file.write_text(text)

    (session,) = load_sessions(file, shipped=False)
    value = session.steps[0].send.body.value  # type: ignore[union-attr]
    assert value == {
        "v": "2026-07-28", "a": "on", "b": "no", "c": "010", "d": "1:30", "e": "1_000", "f": "0x1F", "g": True,
        "h": 1.5, "i": None, "j": ".5", "k": None,
    }  # fmt: skip


def complaint(folder: Path, text: str) -> str:
    file = folder / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BallastTestError) as caught:
        load_sessions(file, shipped=False)
    return str(caught.value).removeprefix(str(file))


GOOD = """\
format: 1
id: mine
title: A session of a test
host: test
surface: test
build: test/1
seen: 2026-11-01
provenance: observed
source: this test
expires: 2027-11-01
steps:
  - name: one
    send:
      method: POST
      path: /x
    expect:
      status: [200]
    capture:
      found: {json: result.found}
  - name: two
    send: {method: GET, path: "/${found}"}
"""


def test_a_good_file_has_no_complaint(tmp_path: Path) -> None:
    """Ours: or else the complaints below would prove nothing."""
    file = tmp_path / "good.yaml"
    file.write_text(GOOD)

    assert [session.id for session in load_sessions(file, shipped=False)] == ["mine"]


@pytest.mark.parametrize(
    ("wrong", "right", "expected"),
    [
        ("title: A", "titel: A", ":3, titel: The member 'titel' is unknown. Did you mean 'title'?"),
        ("host: test\n", "", ":1: The member 'host' is missing. Add it. Who speaks; `--host-profile` selects by it."),
        ("observed", "guessed", ':8, provenance: "guessed" is not possible here. Use documented, observed, inferred.'),
        ("format: 1", "format: 2", ":1, format: 2 is not possible here. Use 1."),
        ("title: A session of a test", "title: 7", ":3, title: 7 is not text. Write text here. Put it in quotes."),
        ("status: [200]", "status: 200", ":17, steps[0].expect.status: 200 is not a list. Write a list here."),
        (
            "status: [200]",
            "stauts: [200]",
            ":17, steps[0].expect.stauts: The member 'stauts' is unknown. Did you mean 'status'?",
        ),
        (
            "expires: 2027-11-01",
            "expires: 2025-11-01",
            (
                ":10, expires: It expires on 2025-11-01, before it was seen on 2026-11-01. A recording is good "
                "for some time after it was seen: set a later date."
            ),
        ),
        ("seen: 2026-11-01", "seen: 2026-02-30", ":7, seen: 2026-02-30 is not a date. Write YYYY-MM-DD."),
        (
            "name: two",
            "name: one",
            ":20, steps[1].name: Two steps are called 'one'. Give every step a name of its own.",
        ),
        (
            "${found}",
            "${fuond}",
            ":21, steps[1].send.path: The variable 'fuond' has no value here. Did you mean 'found'?",
        ),
        (
            "path: /x",
            "path: /${tool.name}",
            (
                ":15, steps[0].send.path: The variable 'tool.name' has no value here. It exists in a session "
                "that needs it: add 'tool' to needs."
            ),
        ),
        (
            "path: /x",
            "path: /x\n      json: {}\n      raw: a",
            ":14, steps[0].send: There are both json and raw. A request has one body: keep one of json, raw and form.",
        ),
        (
            "{json: result.found}",
            "{json: a, header: b}",
            (
                ":19, steps[0].capture.found: There are 2 of them: json, header. Give exactly one of json, "
                "header, location."
            ),
        ),
        (
            "found: {",
            "target.url: {",
            ":19, steps[0].capture.target.url: 'target.url' is a variable of the format. Choose another name.",
        ),
        (
            "path: /x",
            "path: /x\n    when: {cut: two}",
            ":16, steps[0].when.cut: No earlier step with cut_after is called 'two'. Such steps so far: none.",
        ),
        (
            "status: [200]",
            "headers: {Allow: {matches: '('}}",
            (
                ":17, steps[0].expect.headers.Allow.matches: '(' is not a regular expression: missing ), "
                "unterminated subpattern at position 0. Correct it."
            ),
        ),
        (
            "path: /x",
            "path: /x\n    parallel: 1",
            ":16, steps[0].parallel: 1 does not fit here: 1 is less than the minimum of 2. See docs/sessions.md.",
        ),
        (
            "path: /x",
            "path: /${token}\n    parallel: {token: '${tokens}'}",
            (
                ":16, steps[0].parallel.token: The variable 'tokens' has no value here. Capture it in an earlier step, "
                "or use one of {known}."
            ),
        ),
        (
            "steps:",
            "needs: [client_document]\nsteps:",
            (
                ":1, client_document: A client document is needed and not given, or given and not needed. Write both: "
                "needs: [client_document], and the document itself under client_document."
            ),
        ),
        ("host: test", "host: test\nid: again", ":5, id: The member 'id' appears twice. Remove one."),
        (
            "steps:",
            "begins_with: nobody\nsteps:",
            ":11, begins_with: There is no other session 'nobody'. Name the id of another session.",
        ),
    ],
)
def test_a_malformed_file_is_explained_with_its_line_and_what_to_do(
    wrong: str, right: str, expected: str, tmp_path: Path
) -> None:
    """Issue 2, item 4: names line and field."""
    assert wrong in GOOD
    found = complaint(tmp_path, GOOD.replace(wrong, right, 1))
    start, known, end = expected.partition("{known}")
    assert found == expected or (known and found.startswith(start) and found.endswith(end))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ":1: The file is empty. Write one session in it, or delete it."),
        ("a: [1\nb: 2", ":2: This is not YAML:"),
        ("- 1", ":1: [1] is not a mapping. Write a mapping here."),
        ("a: b: c", ":1: This is not YAML:"),
    ],
)
def test_a_file_that_is_no_session_at_all_is_explained_too(text: str, expected: str, tmp_path: Path) -> None:
    """Ours: bad input."""
    assert complaint(tmp_path, text).startswith(expected)


def test_a_file_that_is_no_text_is_explained(tmp_path: Path) -> None:
    """Ours: bad input."""
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BallastTestError, match=r"It cannot be read: .* Write it as UTF-8 text"):
        load_sessions(tmp_path)


def test_two_files_cannot_have_one_id(tmp_path: Path) -> None:
    """Ours: --only must mean one session."""
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD)
    with pytest.raises(BallastTestError, match=r"b\.yaml:2, id: The id 'mine' is taken by .*a\.yaml\."):
        load_sessions(tmp_path, shipped=False)


def test_a_users_own_sessions_stand_beside_the_shipped_ones(tmp_path: Path) -> None:
    """Ours: the format is documented so that people write their own."""
    known = load_sessions(write(tmp_path, steps=[STEP]))

    assert {"mine", "create-noauth-modern"} <= {session.id for session in known}
    assert [session.id for session in choose(known, host="test")] == ["mine"]


def test_an_unknown_id_names_the_near_ones() -> None:
    """Ours: a typing error is no riddle."""
    with pytest.raises(BallastTestError) as caught:
        choose(load_sessions(), ["create-noauth-moder"])

    assert str(caught.value).startswith("There is no session 'create-noauth-moder'. Near: create-noauth-modern")


def test_a_session_can_begin_with_the_steps_of_another() -> None:
    """Ours: every OAuth session opens with the discovery."""
    sessions = {session.id: session for session in load_sessions()}

    opening = [step.name for step in sessions["oauth-discovery"].steps]
    assert [step.name for step in sessions["oauth-dcr"].steps][: len(opening)] == opening
