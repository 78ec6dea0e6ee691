"""What is remembered of past runs, who may write it, and what of it a page shows."""

import json
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contract_tests.outcome import MutationRun, RuleRun, Run, SessionRun, Verdict
from contract_tests.report import history_file
from contract_tests.report.history_file import past_runs, record_run
from contract_tests.report.html import page
from contract_tests.report.trend import Change, trend
from tests.reports.test_html_page import Outline

ORDER = ("chatgpt-create-modern", "chatgpt-slow-call", "chatgpt-retired-probe", "chatgpt-legacy-fallback")


def ago(run: Run, days: int, **verdicts: Verdict) -> Run:
    """The run as it was some days ago, with other verdicts of some sessions; one that holds has no findings."""

    def then(session: SessionRun) -> SessionRun:
        verdict = verdicts.get(session.id.replace("-", "_"), session.verdict)
        steps = session.steps if verdict is session.verdict else ()
        return replace(session, verdict=verdict, steps=steps)

    return replace(run, started=run.started - timedelta(days=days), sessions=tuple(map(then, run.sessions)))


def remember(file: Path, runs: Iterable[Run]) -> Path:
    for run in runs:
        record_run(run, file)
    return file


def told(run: Run, file: Path) -> list[tuple[str, str, str, str]]:
    """What became of every finding."""
    entries = trend(run, past_runs(file, run.target)).entries
    return [(one.what, one.change.value, one.first.strftime("%d"), one.last.strftime("%d")) for one in entries]


def test_a_line_says_what_held_and_where_it_broke_and_nothing_that_was_exchanged(run: Run, tmp_path: Path) -> None:
    """Ours: a history is kept for months, and read by whoever reads the repository's cache."""
    file = remember(tmp_path / "new" / "history.jsonl", [run])

    (line,) = file.read_text().splitlines()
    assert json.loads(line) == {
        "format": 1,
        "target": "examples/pydocs.py",
        "started": "2026-11-21T03:04:05.000+00:00",
        "duration": 17.25,
        "version": "0.1.0",
        "exit_code": 1,
        "held": ["chatgpt-create-modern", "chatgpt-slow-call", "chatgpt-retired-probe"],
        "broken": ["chatgpt-legacy-fallback"],
        "not_checked": ["chatgpt-write-twice"],
        "findings": [
            "chatgpt-legacy-fallback > initialize: status",
            "chatgpt-legacy-fallback > initialize: body $.error.code",
        ],
        "mutants_survived": None,
        "mutants_broken": None,
    }


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("https://user:s3cret@host.example:8443/mcp?key=s3cret#s3cret", "https://host.example:8443/mcp"),
        ("https://host.example/mcp", "https://host.example/mcp"),
        ("http://[::1]:8000/mcp?x", "http://[::1]:8000/mcp"),
        ("package.module:app", "package.module:app"),
        ("server.py", "server.py"),
    ],
)
def test_a_target_is_remembered_without_what_could_be_secret(run: Run, tmp_path: Path, target: str, kept: str) -> None:
    """Ours: and is found again by the name that people type."""
    file = remember(tmp_path / "history.jsonl", [replace(run, target=target), replace(run, target="other.py")])

    assert [one.target for one in past_runs(file, target).runs] == [kept]
    assert "s3cret" not in file.read_text()


def test_findings_are_new_come_back_stay_and_go(run: Run, tmp_path: Path) -> None:
    """Issue 6, item 6: which are new or went away since the last run, and since when each is known."""
    broke, held, unchecked = Verdict.FAILED, Verdict.PASSED, Verdict.NOT_CHECKED
    past = [
        ago(run, 4, chatgpt_create_modern=broke, chatgpt_legacy_fallback=broke),
        ago(run, 3, chatgpt_create_modern=broke, chatgpt_legacy_fallback=held, chatgpt_retired_probe=broke),
        ago(run, 2, chatgpt_create_modern=unchecked, chatgpt_legacy_fallback=held, chatgpt_retired_probe=broke),
    ]
    now = ago(run, 0, chatgpt_retired_probe=unchecked, chatgpt_slow_call=broke)
    file = remember(tmp_path / "history.jsonl", past)

    assert told(now, file) == [
        ("chatgpt-slow-call", "new", "21", "21"),
        ("chatgpt-legacy-fallback > initialize: status", "came back", "17", "21"),
        ("chatgpt-legacy-fallback > initialize: body $.error.code", "came back", "17", "21"),
        ("chatgpt-create-modern", "not found any more", "17", "18"),
        ("chatgpt-retired-probe", "not checked this time", "18", "19"),
    ]
    assert trend(now, past_runs(file, now.target)).text == (
        "since 2026-11-19 03:04 UTC: 1 finding is new, 2 came back, 0 still there, 1 not found any more, "
        "1 not checked this time"
    )
    assert {what: change for what, change, _, _ in told(run, remember(file, [ago(run, 1)]))} == {
        "chatgpt-legacy-fallback > initialize: status": "still there",
        "chatgpt-legacy-fallback > initialize: body $.error.code": "still there",
    }


def test_a_run_of_a_part_changes_nothing_for_the_rest(run: Run, tmp_path: Path) -> None:
    """Ours: `--only` neither mends nor breaks what it does not play."""
    part = replace(ago(run, 1), sessions=run.sessions[:1])
    file = remember(tmp_path / "history.jsonl", [ago(run, 2), part])

    assert {change for _, change, _, _ in told(run, file)} == {"still there"}
    assert {change for _, change, _, _ in told(replace(run, sessions=part.sessions), file)} == {"not checked this time"}


@pytest.mark.parametrize(("derived", "change"), [(9, "not found any more"), (700, "not checked this time")])
def test_a_platform_change_goes_only_if_all_of_it_was_tried(
    run: Run, tmp_path: Path, derived: int, change: str
) -> None:
    """Ours: another seed tries other mutants; that one did not break then says nothing."""
    rule = RuleRun(id="origin-new", title="", stands_for="", expected="", source="", incidents=(), advice="",
                   survived=8, broke=1, not_tried=0, not_applicable=0)  # fmt: skip
    mutations = MutationRun(seed=1, budget=0, derived=9, duration=1.0, sessions=(), rules=(rule,), mutants=())
    healed = replace(mutations, rules=(replace(rule, survived=9, broke=0),), derived=derived)
    file = remember(tmp_path / "history.jsonl", [replace(ago(run, 1), sessions=(), mutations=mutations)])

    assert [one[:2] for one in told(replace(run, sessions=(), mutations=healed), file)] == [
        ("mutation origin-new", change)
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"format":2,"anything":1}', "written by a newer version"),
        (b"nonsense", "damaged"),
        (b"[1]", "damaged"),
        (b'"format"', "damaged"),
        (b"null", "damaged"),
        (b'{"format":true}', "damaged"),
        (b'{"format":1}', "damaged"),
        (b'{"format":"1"}', "damaged"),
        (b"\xff\xfe\x00", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b'{"format":1,"target":"examples/pydocs.py","started":"yesterday"}', "damaged"),
    ],
)
def test_a_line_that_cannot_be_read_is_left_out_and_said(run: Run, tmp_path: Path, line: bytes, why: str) -> None:
    """Ours: a report is never lost to its history."""
    file = remember(tmp_path / "history.jsonl", [ago(run, 2)])
    file.write_bytes(file.read_bytes() + line + b"\n")
    remember(file, [ago(run, 1)])

    past = past_runs(file, run.target)

    assert len(past.runs) == 2
    assert past.remarks == (f"1 line of {file} left out: {why}",)
    assert f"1 line of {file} left out: {why}." in Outline(page(run, past=past)).text


@pytest.mark.parametrize("member", ["duration", "exit_code", "held", "findings", "started", "mutants_broken"])
def test_a_member_of_another_kind_is_damage(run: Run, tmp_path: Path, member: str) -> None:
    """Ours: JSON that looks like a run and is none."""
    file = remember(tmp_path / "history.jsonl", [run])
    line = json.loads(file.read_text())
    wrong = [{}, [[]], float("nan"), "x" if member != "exit_code" else None, {"a": 1}]
    file.write_text("".join(json.dumps(line | {member: value}) + "\n" for value in wrong))

    past = past_runs(file, run.target)

    assert past.runs == ()
    assert past.remarks == (f"5 lines of {file} left out: damaged",)


def test_half_a_line_of_a_writer_that_died_spoils_only_itself(run: Run, tmp_path: Path) -> None:
    """Ours: the next line begins on a line of its own."""
    file = remember(tmp_path / "history.jsonl", [ago(run, 2)])
    file.write_bytes(file.read_bytes() + b'{"format":1,"tar')
    remember(file, [ago(run, 1)])

    past = past_runs(file, run.target)

    assert (len(past.runs), past.remarks) == (2, (f"1 line of {file} left out: damaged",))


def test_a_history_that_is_no_file_is_said_too(run: Run, tmp_path: Path) -> None:
    """Ours."""
    past = past_runs(tmp_path, run.target)

    assert (past.runs, len(past.remarks)) == ((), 1)
    assert "cannot be read: Is a directory" in past.remarks[0]
    assert past_runs(tmp_path / "none.jsonl", run.target).remarks == ()


def test_runs_that_end_together_do_not_lose_each_other(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: also while old lines are dropped. Every line is whole, and the newest are there."""
    monkeypatch.setattr(history_file, "MOST_RUNS", 60)
    file = tmp_path / "history.jsonl"
    together = threading.Barrier(8)

    def write(writer: int) -> None:
        together.wait()
        for number in range(10):
            record_run(replace(run, version=f"{writer}.{number}"), file)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    past = past_runs(file, run.target)
    assert past.remarks == ()
    assert len({one.version for one in past.runs}) == len(past.runs) == 60
    record_run(replace(run, version="last"), file)
    assert [json.loads(line)["version"] for line in file.read_text().splitlines()][-1] == "last"
    assert len(file.read_text().splitlines()) == 60
    assert {other.name for other in tmp_path.iterdir()} == {"history.jsonl", "history.jsonl.lock"}


def test_only_the_end_of_a_very_large_file_is_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours: whatever somebody put there, a report does not wait for it; and it shrinks."""
    monkeypatch.setattr(history_file, "_MOST_BYTES", 2_000)
    file = tmp_path / "history.jsonl"
    file.write_text("x" * 100_000 + "\n")
    remember(file, [ago(run, 3), ago(run, 2), ago(run, 1)])

    past = past_runs(file, run.target)

    assert (len(past.runs), past.remarks) == (3, ())
    assert file.stat().st_size < 2_500


def test_the_page_draws_the_last_thirty_runs_and_tells_the_rest(run: Run, tmp_path: Path) -> None:
    """Issue 6, item 6: the trend of past runs, as a drawing, in words and as a table."""
    healthy = dict.fromkeys(("chatgpt_legacy_fallback",), Verdict.PASSED)
    file = remember(tmp_path / "history.jsonl", [ago(run, days, **healthy) for days in range(40, 0, -1)])

    text = page(run, past=past_runs(file, run.target))

    section = text.partition('id="trend"')[2].partition("</section>")[0]
    words = Outline(text).text
    assert section.count('<rect class="t-failed" x="97.0%" width="2.67%" y="80.0%" height="20.0%"/>') == 1
    assert section.count('class="t-passed"') == 31  # thirty runs and the legend
    assert 'aria-label="30 runs, oldest first. Broken: 0, 0, ' in section
    assert "11 older runs not drawn." in words
    assert "chatgpt-legacy-fallback > initialize: status new 2026-11-21 03:04 2026-11-21 03:04" in words
    assert "2026-11-21 03:04, this run 3 1 1 none tried 17.2 s 0.1.0" in words
    assert "2026-11-20 03:04 4 0 1 none tried 17.2 s 0.1.0" in words
    assert "Since 2026-11-20 03:04 UTC: 2 findings are new, 0 still there, 0 not found any more" in words
    assert "In past runs new Where status" in words


def test_a_page_without_a_history_says_nothing_of_a_trend(run: Run, tmp_path: Path) -> None:
    """Ours: a first run has no trend, a run without a history has no section of it."""
    assert "Trend" not in Outline(page(run)).text
    first = Outline(page(run, past=past_runs(tmp_path / "none.jsonl", run.target))).text
    assert "Trend No earlier run of this target is known. Sessions" in first


def test_what_a_past_line_says_is_text_on_the_page(run: Run, tmp_path: Path) -> None:
    """Ours: a history file may come from a cache that others write."""
    file = remember(tmp_path / "history.jsonl", [ago(run, 1)])
    evil = '"</td><script>alert(1)</script>\\u001b[2J"'
    file.write_text(file.read_text().replace('"chatgpt-legacy-fallback"', evil))

    text = page(run, past=past_runs(file, run.target))

    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[2J" in text
    assert "<script>alert" not in text
    assert "\x1b" not in text


def test_every_change_has_its_word() -> None:
    """Ours: nothing on the page rests on colour alone."""
    assert len({change.value for change in Change}) == len(Change) == 5
