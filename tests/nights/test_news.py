"""Two nights side by side, and what is read out of the reports of their stages. Pure."""

from typing import Any

import pytest

from contract_tests.nightly.alerts.payload import as_json, as_slack, headline
from contract_tests.nightly.digest import of_canary, of_diagnosis, of_drift, of_suite, summary_of
from contract_tests.nightly.night import Item, News, Night, Stage, Standing, from_json, news
from contract_tests.nightly.night import as_json as night_as_json

TRIAL = {"fate": "breaks", "why": "status 400", "smallest": ["/_meta/x: string"]}
HOLDS, FINDING, BROKEN = Standing.HOLDS, Standing.FINDING, Standing.BROKEN


def item(key: str, **more: Any) -> Item:
    return Item(**{"key": key, "severity": "serious", "title": f"{key} breaks", **more})


def night(date: str, *items: Item, suite: Standing | None = None, canary: Standing = HOLDS) -> Night:
    standing = suite or (FINDING if items else HOLDS)
    stages = (
        Stage(name="canary", standing=canary, summary=""),
        Stage(name="suite", standing=standing, summary="", items=items),
    )
    return Night(date=date, target="https://notes.example/mcp", version="1", stages=stages)


def test_only_what_is_new_or_over_is_news() -> None:
    """Issue 7 item 6: quiet when nothing changed."""
    before = night("2026-11-20", item("relink"), item("CT-04", places=("a", "b")))
    same = news(night("2026-11-21", item("relink"), item("CT-04", places=("b",))), [before])
    changed = news(night("2026-11-21", item("CT-04", places=("b", "c")), item("CT-15")), [before])

    assert same.is_quiet
    assert [each.key for each in changed.new] == ["CT-04", "CT-15"]
    assert [each.key for each in changed.over] == ["relink"]


def test_what_was_said_once_does_not_end() -> None:
    """A canary compares with what it saw last: the next night is silent, and nothing was mended."""
    before = night("2026-11-20", item("client document", lasts=False))

    assert news(night("2026-11-21"), [before]).is_quiet


def test_the_first_night_says_what_it_found() -> None:
    """Everything is new to who has seen nothing."""
    first = news(night("2026-11-20", item("relink")), [])

    assert first.is_first
    assert [each.key for each in first.new] == ["relink"]
    assert news(night("2026-11-20"), []).is_quiet


def test_a_stage_that_broke_is_news_once_and_forgets_nothing() -> None:
    """A broken canary does not hide the rest, and what it could not ask is neither new nor over."""
    found = night("2026-11-19", item("relink"))
    broke = night("2026-11-20", suite=BROKEN)
    still = night("2026-11-21", suite=BROKEN)
    again = night("2026-11-22", item("relink"))

    assert news(broke, [found]).broken == ("suite",)
    assert news(still, [broke, found]).is_quiet
    back = news(again, [still, broke, found])
    assert (back.mended, back.new, back.over) == (("suite",), (), ())


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (night("2026-11-20"), 0),
        (night("2026-11-20", item("relink")), 1),
        (night("2026-11-20", item("relink"), canary=BROKEN), 1),
        (night("2026-11-20", canary=BROKEN), 2),
        (night("2026-11-20", suite=Standing.NOT_CONFIGURED, canary=Standing.NOT_CONFIGURED), 2),
    ],
)
def test_the_exit_code_says_what_a_schedule_needs(made: Night, code: int) -> None:
    """DESIGN, section 2: 0 holds, 1 a finding, 2 nothing to judge by."""
    assert made.exit_code == code


def test_a_night_survives_its_file() -> None:
    """What is read back is what was written; what is not a night of ours is refused."""
    made = night("2026-11-20", item("relink", places=("a",), advice="mend it"))

    assert from_json(night_as_json(made)) == made
    for damaged in ({}, {"format": 2}, {**night_as_json(made), "stages": [{}]}):
        with pytest.raises(ValueError, match=r"damaged|format"):
            from_json(damaged)


def test_the_reports_of_the_stages_become_items() -> None:
    """The public JSON of each command, with the members that are used."""
    finding = {"step": "call", "where": "status", "expected": "200", "actual": "406", "advice": "Answer it."}
    suite = {
        "sessions": [
            {"id": "relink", "title": "Links again", "verdict": "failed", "steps": [{"findings": [finding, finding]}]},
            {"id": "CT-04", "title": "Once", "verdict": "passed", "steps": []},
            {"id": "CT-15", "title": "Slow", "verdict": "not checked", "steps": []},
        ],
        "mutations": {"rules": [{"id": "new-header", "title": "A new header", "broke": 2, "survived": 5}]},
    }
    broken, mutated = of_suite(suite)
    assert (broken.key, broken.places, broken.detail) == ("relink", ("call: status",), "expected 200, got 406")
    assert (mutated.key, mutated.severity, mutated.detail) == ("mutation new-header", "minor", "2 of 7 tried")

    change = {"place": "/jwks", "sentence": "a key is gone", "severity": "critical", "before": "a", "after": ""}
    [said] = of_canary({"parts": [{"name": "keys", "changes": [change]}]})
    assert (said.key, said.severity, said.lasts) == ("keys > /jwks: a key is gone", "critical", False)

    drifted = {"kind": "member", "turn": "appeared", "name": "/_meta/x", "severity": "low", "trial": TRIAL}
    [grave] = of_drift({"findings": [drifted]})
    assert (grave.key, grave.severity) == ("member appeared /_meta/x", "critical")
    assert (grave.advice, grave.lasts) == ("Breaks with: /_meta/x: string", False)
    assert summary_of({"verdict": "drift", "waiting": [{}, {}]}) == "drift; 2 wait for a second sighting"

    fault = {"is_failure_seen": True, "culprit": "platform", "confidence": 0.9, "next_step": "Wait."}
    [named] = of_diagnosis({"verdict": fault})
    assert (named.key, named.detail, named.advice) == ("fault of platform", "confidence 0.90", "Wait.")
    assert list(of_diagnosis({"verdict": {"is_failure_seen": False}})) == []


@pytest.mark.parametrize("report", [{}, {"sessions": None}, {"sessions": [1]}, {"parts": {}}, {"findings": "no"}])
def test_a_report_that_lacks_something_says_nothing(report: dict[str, Any]) -> None:
    """A newer report must not break a night."""
    assert [*of_suite(report), *of_canary(report), *of_drift(report), *of_diagnosis(report)] == []


def test_an_alert_says_what_is_otherwise_and_mentions_nobody() -> None:
    """Slack, "Escaping text": what a server says must not call a channel; its length is bounded."""
    nasty = item("x", title="<!channel> & " + "x" * 4000, advice="<http://evil.example|click>")
    new = News(new=(nasty, *(item(f"n{number}") for number in range(60))), over=(item("old"),), mended=("canary",))
    tonight = night("2026-11-21", nasty)
    slack, plain = as_slack(tonight, new), as_json(tonight, new)

    assert headline(tonight, new) == (
        "https://notes.example/mcp, night of 2026-11-21: 61 new findings; 1 finding over; works again: canary"
    )
    texts = [block["text"]["text"] for block in slack["blocks"]]
    assert texts[0] == f"*{slack['text']}*"
    assert texts[1].startswith("*new* [serious] &lt;!channel&gt; &amp; xxx")
    assert texts[-1] == "... and 42 more in the report"
    assert len(texts) <= 50
    assert max(map(len, texts)) <= 3000
    assert (len(plain["new"]), plain["left_out"], plain["mended"]) == (20, 41, ["canary"])
