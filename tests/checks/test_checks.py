"""The numbered contracts against a connector that keeps all of them, and against one broken promise each."""

import pytest

from contract_tests import Options, Verdict
from contract_tests.checks import fuzz
from contract_tests.checks.means import Means
from tests.checks.broken import Broken, Notes
from tests.checks.judging import WIRE, ids, judged, told

UNASKED = {"CT-03", "CT-04", "CT-05", "CT-15", "CT-30", "CT-36", "CT-37", "CT-38", "CT-39"}
"""What nobody configured here, what may do harm, and what no target can be asked."""


@pytest.fixture(autouse=True)
def fewer_mutants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred mutated bodies for every broken server would take minutes."""
    monkeypatch.setattr(fuzz, "_COUNT", 30)


def test_a_connector_keeps_every_contract_that_it_can_be_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours: all that holds is told as held, all that was not asked as not checked, with the reason."""
    monkeypatch.setattr(fuzz, "_COUNT", 200)
    run = judged(Notes())

    assert told(run) == []
    assert ids(run, Verdict.NOT_CHECKED) == UNASKED
    assert all(session.reason for session in run.sessions if session.verdict is Verdict.NOT_CHECKED)
    assert run.duration < 60


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ("", set()),
        ("needs a session id", {"CT-01"}),
        ("400 for unknown sessions", {"CT-02"}),
        ("refuses new versions", {"CT-07"}),
        ("422 for unknown members", {"CT-08"}),
        ("strict params", {"CT-09"}),
        ("a body for notifications", {"CT-10"}),
        ("no prompts", {"CT-11"}),
        ("forgets id zero", {"CT-12"}),
        ("406 without JSON", {"CT-13"}),
        ("404 on GET", {"CT-13", "CT-14", "CT-33"}),
        ("lets proxies buffer", {"CT-16"}),
        ("redirects", {"CT-18"}),
        ("refuses an origin", {"CT-19"}),
        ("dies of a disconnect", {"CT-31"}),
        ("a bad tool name", {"CT-32"}),
        ("members of tomorrow", {"CT-34"}),
        ("results of 9 KB", {"CT-35"}),
        ("a hint that is not said", {"CT-32"}),
        ("a widget that is gone", {"CT-36"}),
        ("a firewall", {"CT-40"}),
        ("events say something else", {"CT-41"}),
        ("closes after a ping", {"CT-42"}),
        ("nothing at /sse", {"CT-43"}),
    ],
)
def test_one_broken_promise_breaks_what_guards_it_and_nothing_else(fault: str, broken: set[str]) -> None:
    """CT-01 to CT-43; GET is looked at from three sides, by what hosts do with it."""
    run = judged(Broken(fault))

    assert ids(run, Verdict.FAILED) == broken, told(run)
    for session in run.sessions:
        for finding in session.findings:
            assert finding.incidents, finding
            assert finding.advice, finding


def test_abandoned_sessions_that_bring_a_server_down_are_found_when_asked_for() -> None:
    """CT-03, incident P-03; without being named it is not checked, for it floods."""
    assert ids(judged(Broken(), "CT-03"), Verdict.PASSED) == {"CT-03"}
    assert ids(judged(Broken("falls over after fifty sessions"), "CT-03"), Verdict.FAILED) == {"CT-03"}


def test_what_was_published_or_removed_is_asked_for_when_it_is_named() -> None:
    """CT-32b and CT-36b, incidents P-21 and P-15."""
    means = Means(removed_tools=("gone_tool",), published_ui=("ui://old",))
    run = judged(Notes(), "CT-36", options=Options(pace="none", seed=1, means=means))

    assert [(found.step, found.incidents[0]) for found in run.findings] == [("ui://old, published before", "P-15")]


def test_every_contract_says_what_it_guards_where_it_comes_from_and_what_to_do() -> None:
    """Issue 6, item 2."""
    for contract in WIRE:
        assert contract.id in contract.incidents
        assert contract.title
        assert contract.about
        assert contract.advice
        assert contract.source
        assert contract.seen < contract.expires
