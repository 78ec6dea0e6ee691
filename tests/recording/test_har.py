"""HAR files as they are exported, by Chromium and by recording proxies, with what each leaves out or spells its way."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from contract_tests import BallastTestError, load_sessions
from contract_tests.recording.har import read_har
from contract_tests.recording.running import Recording, import_har
from tests.recording.recorded import replayed, written
from tests.recording.traffic import EAGER, Archive
from tests.wire import headers, request

URL = "https://mcp.example.com/mcp"
TOKEN = "ya29.a0AfH6SMBx7Qk3vJ9dLw2Zr5Tn8Yp1Uc4Xe"


def entry(
    message: Any = None, answer: Any = None, *, url: str = URL, at: str = "08:00:00.000", **changes: Any
) -> dict[str, Any]:
    """An entry with what every exporter gives; `changes` replace its parts."""
    asked = {**headers(), "Authorization": f"Bearer {TOKEN}"}
    made: dict[str, Any] = {
        "startedDateTime": f"2026-11-20T{at}Z",
        "time": 12.5,
        "request": {
            "method": "POST",
            "url": url,
            "httpVersion": "HTTP/2",
            "headers": [{"name": name, "value": value} for name, value in asked.items()],
            "postData": {"mimeType": "application/json", "text": json.dumps(message)},
            "bodySize": -1,
        },
        "response": {
            "status": 200,
            "headers": [{"name": "content-type", "value": "application/json"}],
            "content": {"size": -1, "mimeType": "application/json", "text": json.dumps(answer)},
            "bodySize": -1,
        },
        "timings": {"blocked": -1, "dns": -1, "send": 0, "wait": 10, "receive": 2},
    }
    for name, change in changes.items():
        made[name] = {**made[name], **change} if isinstance(change, dict) else change
    return made


def file_of(folder: Path, *entries: Any, **log: Any) -> Path:
    file = folder / "recorded.har"
    document = {"log": {"version": "1.2", "creator": {"name": "any", "version": "1"}, "entries": entries, **log}}
    file.write_text("\ufeff" + json.dumps(document), encoding="utf-8")
    return file


def imported(folder: Path, *entries: Any, target: str = "") -> tuple[Path, list[str]]:
    """The folder of the sessions, and what was said."""
    said: list[str] = []
    import_har(file_of(folder, *entries), target, Recording(out=folder / "out"), announce=said.append)
    return folder / "out", said


LISTED = {"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "search"}]}}


def test_what_was_imported_can_be_played(tmp_path: Path) -> None:
    """Issue 6, item 5: HAR import to sessions."""
    listing = entry(request("tools/list", {}), LISTED)
    out, said = imported(tmp_path, listing)

    assert said == [f"written: {out}/chatgpt-2026-11-20-080000-1.yaml (1 step)"]
    assert TOKEN not in written(out)
    run = replayed(out, Archive(settings=EAGER))
    assert [session.verdict.value for session in run.sessions] == ["passed"], run.findings
    assert '"required":["name"]' in written(out)


def test_bodies_in_base64_are_read(tmp_path: Path) -> None:
    """HAR 1.2, content.encoding: as proxies export what is compressed or binary, also for requests."""
    text = base64.b64encode(json.dumps(LISTED).encode()).decode()
    asked = base64.b64encode(json.dumps(request("tools/list", {})).encode()).decode()
    coded = entry(
        request={"postData": {"mimeType": "application/json", "text": asked, "encoding": "base64"}},
        response={
            "content": {"size": 10, "text": text, "encoding": "base64"},
            "headers": [
                {"name": "content-type", "value": "application/json"},
                {"name": "content-encoding", "value": "br"},
            ],
        },
    )
    out, _ = imported(tmp_path, entry(request("tools/list", {}), LISTED) | coded)

    assert load_sessions(out, shipped=False)[0].steps[0].name == "tools-list"
    assert '"required":["name"]' in written(out)


def test_a_form_that_was_split_into_parameters_is_put_together(tmp_path: Path) -> None:
    """HAR 1.2, postData.params: instead of text."""
    parameters = [{"name": "grant_type", "value": "refresh_token"}, {"name": "refresh_token", "value": TOKEN}]
    data = {"mimeType": "application/x-www-form-urlencoded; charset=utf-8", "params": parameters, "text": ""}
    said = [{"name": "Content-Type", "value": data["mimeType"]}]
    out, _ = imported(tmp_path, entry(url="https://mcp.example.com/token", request={"postData": data, "headers": said}))

    text = written(out)
    assert '"grant_type":"refresh_token","refresh_token":"{refresh-token-1}"' in text
    assert TOKEN not in text


def test_a_body_that_was_not_exported_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    """Chromium leaves the text of event streams out."""
    out, _ = imported(tmp_path, entry(request("tools/list", {}), response={"content": {"size": 100}}))

    expect = load_sessions(out, shipped=False)[0].steps[0].expect
    assert (expect.status, expect.body, expect.json) == ((200,), "any", ())


def test_entries_are_sorted_and_those_without_a_reply_left_out(tmp_path: Path) -> None:
    """Exporters write in the order of completion; a status of 0 is a request that failed."""
    later = entry(request("tools/list", {}), LISTED, at="08:00:05.000")
    earlier = entry(request("ping", {}), {"jsonrpc": "2.0", "id": 1, "result": {}}, at="08:00:01.000")
    failed = entry(request("tools/list", {}), response={"status": 0}, at="08:00:02.000")
    out, said = imported(tmp_path, later, earlier, failed)

    assert [step.name for step in load_sessions(out, shipped=False)[0].steps] == ["ping", "tools-list"]
    assert said[0] == "left out: 1 entries without a reply"


def test_only_the_server_that_was_named_is_imported(tmp_path: Path) -> None:
    """Issue 6, item 5: several servers in one file. A default port and the case of a host say nothing."""
    mine = entry(request("tools/list", {}), LISTED, url="https://MCP.example.com:443/mcp")
    other = entry(request("tools/list", {}), LISTED, url="https://telemetry.example.net/mcp")
    out, _ = imported(tmp_path, other, mine, target=URL)

    assert [len(session.steps) for session in load_sessions(out, shipped=False)] == [1]
    assert "telemetry" not in written(out)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is no JSON. Export it again as HAR 1.2."),
        ("[]", "it has no log.entries. Export it again as HAR 1.2."),
        ('{"log":{"entries":{}}}', "it has no log.entries. Export it again as HAR 1.2."),
        ('{"log":{"entries":[]}}', "holds exchanges with 0 servers (none). Name one of them as TARGET."),
        ('{"log":{"entries":[1,null,{"request":7}]}}', "holds exchanges with 0 servers (none)"),
    ],
)
def test_what_is_no_har_file_is_refused_in_words(text: str, said: str, tmp_path: Path) -> None:
    """Ours: bad input."""
    file = tmp_path / "x.har"
    file.write_text(text)

    with pytest.raises(BallastTestError) as refused:
        read_har(file)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "broken",
    [
        {"request": {"headers": None}},
        {"request": {"headers": [None, {"name": 7}, {"name": ":authority", "value": "x"}]}},
        {"response": {"content": None}},
        {"response": {"content": {"text": "%%%", "encoding": "base64"}}},
        {"timings": None},
        {"time": None},
        {"startedDateTime": "yesterday"},
        {"request": {"postData": {"params": [None]}}},
    ],
)
def test_an_entry_that_lacks_something_is_imported_all_the_same(broken: dict[str, Any], tmp_path: Path) -> None:
    """Ours: exporters disagree about what is required."""
    out, said = imported(tmp_path, entry(request("tools/list", {}), LISTED, **broken))

    assert len(said) == 1
    assert len(load_sessions(out, shipped=False)) == 1
