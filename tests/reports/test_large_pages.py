"""A page of a large run stays one that can be opened and sent."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from contract_tests.outcome import Chunk, Difference, Fate, MutationRun, Received, Run, SessionRun, StepRun, Verdict
from contract_tests.report.html import write_html

TOOLS = json.dumps(
    {"result": {"tools": [{"name": f"tool_{n}", "description": "Looks it up. " * 20} for n in range(60)]}}
)


def large(run: Run, mutations: MutationRun, *, broken: bool) -> Run:
    """Seventy sessions of five exchanges, forty-three contracts of two, four hundred mutants; long lists of tools."""
    call = run.sessions[1].steps[2]
    failing = run.sessions[3].steps[1]
    assert call.received
    assert failing.received
    stream = replace(
        call.received,
        chunks=tuple(Chunk(at=number / 40, size=9, is_heartbeat=number % 7 == 0) for number in range(500)),
    )
    steps = (
        replace(call, received=replace(call.received, body=TOOLS), spans=()),
        replace(call, received=stream, spans=()),
        replace(failing, received=replace(failing.received, body=TOOLS), findings=failing.findings if broken else ()),
        call,
        replace(call, received=replace(call.received, body=TOOLS), spans=()),
    )
    verdict = Verdict.FAILED if broken else Verdict.PASSED
    base = run.sessions[3]
    sessions = [replace(base, id=f"session-{n}", steps=steps, verdict=verdict) for n in range(70)]
    contracts = [
        replace(base, id=f"CT-{n:02}", severity="minor", host="any", steps=steps[1:3], verdict=verdict)
        for n in range(1, 44)
    ]
    return replace(run, sessions=(*sessions, *contracts), mutations=many(mutations, sessions, failing, broken=broken))


def many(mutations: MutationRun, sessions: list[SessionRun], step: StepRun, *, broken: bool) -> MutationRun:
    def mutant(number: int) -> Difference:
        return Difference(step="discover", part="body", pointer=f"/{number}", kind="added", value="null")

    mutants = tuple(
        replace(
            mutations.mutants[0],
            session=sessions[number % 70].id,
            differences=(mutant(number),) if broken else (),
            fate=Fate.BROKE if broken else Fate.SURVIVED,
            steps=(replace(step, received=stretched(step.received)),) if broken else (),
        )
        for number in range(400)
    )
    names = tuple(session.id for session in sessions)
    rules = tuple(replace(mutations.rules[0], id=f"rule-{number}") for number in range(27))
    spread = tuple(replace(one, rule=f"rule-{number % 27}") for number, one in enumerate(mutants))
    return replace(mutations, sessions=names, rules=rules, mutants=spread)


def stretched(received: Received | None) -> Received:
    assert received
    return replace(received, body=TOOLS)


@pytest.mark.parametrize("broken", [True, False], ids=["all of it breaks", "all of it holds"])
def test_seventy_sessions_and_four_hundred_mutants_are_a_page_of_three_megabytes_at_most(
    run: Run, mutations: MutationRun, tmp_path: Path, broken: bool
) -> None:
    """Ours: it is attached to mails, and opened on telephones. What is left out is said, and kept in the JSON."""
    write_html(large(run, mutations, broken=broken), tmp_path / "run.html")

    text = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 3_000_000
    assert "Shortened: the beginning; the body has" in text
    assert "What is shortened here stands in full in the JSON report" in text
    assert text.count('class="session"') == 113
    assert ("The exchanges of 210 mutants more are in the JSON report." in text) is broken
    assert ("5 more ways in which it breaks: the JSON report has them." in text) is broken
    assert text.count('class="beat"') > 113, "heartbeats are still drawn"
