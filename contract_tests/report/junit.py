"""The run as JUnit XML: one test case per session, so that a CI system lists and counts what people talk about.

Several findings of a session are one failure, because most readers of the format show only the first.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from ..credentials import without_credentials
from ..outcome import Fate, Finding, MutantRun, MutationRun, Run, SessionRun, StepRun, Verdict
from . import contracts, matrix
from .words import doubts, excerpt, first_line, plural, printable, status_line, timing

LONGEST_BODY = 2_000
"""Characters of a body in a failure: enough to recognise it. The HTML and JSON reports hold more."""

_OUTCOMES: Final = {Verdict.PASSED: "held", Verdict.FAILED: "broken", Verdict.NOT_CHECKED: "not checked"}


def write_junit(run: Run, path: Path) -> None:
    """Write the run as JUnit XML, without credentials. An existing file is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    root = _suites(without_credentials(run))
    indent(root)
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suites(run: Run) -> Element:
    counts = {
        "tests": str(len(run.sessions)),
        "failures": str(sum(s.verdict is Verdict.FAILED for s in run.sessions)),
        "errors": "0",
        "skipped": str(sum(s.verdict is Verdict.NOT_CHECKED for s in run.sessions)),
        "time": f"{run.duration:.3f}",
    }
    root = _element(None, "testsuites", name="mcp-ballast", **counts)
    suite = _element(root, "testsuite", name=run.target, timestamp=run.started.isoformat(timespec="seconds"), **counts)
    _properties(suite, [("url", run.url), ("mcp-ballast", run.version), *(("note", note) for note in run.notes)])
    for session in run.sessions:
        _case(suite, session)
    _contracts(root, run)
    if run.mutations:
        _mutations(root, run, run.mutations)
    return root


def _contracts(root: Element, run: Run) -> None:
    """A suite of its own: what no case of the sessions' suite says of a contract. None if there is nothing to add."""
    own = {session.id: _OUTCOMES[session.verdict] for session in run.sessions}
    found = [one for one in contracts.accounts(run.sessions) if one.is_in_run or one.by]
    more = [one for one in found if own.get(one.number) != one.outcome]
    if not more:
        return
    outcomes = Counter(one.outcome for one in more)
    counts = {"tests": len(more), "failures": outcomes["broken"], "errors": 0, "skipped": outcomes["not checked"]}
    suite = _further_suite(root, run, "contracts", counts, 0.0)
    left_out = [one.number for one in contracts.accounts(run.sessions) if one not in found]
    pairs = [("contracts", contracts.text(contracts.accounts(run.sessions)))]
    _properties(suite, [*pairs, *(("not part of this run", number) for number in left_out)])
    for one in more:
        _contract_case(suite, one)


def _contract_case(suite: Element, account: contracts.Account) -> None:
    case = _element(suite, "testcase", classname="contract", name=account.number, time="0.000")
    told = [("title", account.title), *(("shown by", one) for one in account.by)]
    _properties(case, [*told, *(("doubt", doubt) for doubt in account.doubts)])
    if account.outcome == "not checked":
        _element(case, "skipped", message=contracts.why(account.reason, account.remedy))
    elif account.outcome == "broken":
        message = f"{account.title}: broken, as {', '.join(account.by)} shows"
        _element(case, "failure", type="contract", message=first_line(message, longest=300))


def _further_suite(root: Element, run: Run, name: str, counts: dict[str, int], took: float) -> Element:
    """A suite beside that of the sessions, counted with it."""
    for count, number in counts.items():
        root.set(count, str(int(root.get(count, "0")) + number))
    texts = {count: str(number) for count, number in counts.items()}
    stamp = run.started.isoformat(timespec="seconds")
    return _element(root, "testsuite", name=f"{run.target}, {name}", timestamp=stamp, time=f"{took:.3f}", **texts)


def _mutations(root: Element, run: Run, mutations: MutationRun) -> None:
    """A suite of its own: one case for every rule and session that it applies to."""
    found = [(row, cell) for row in matrix.rows(mutations) for cell in row.cells if cell.fate]
    counts = {
        "tests": len(found),
        "failures": sum(cell.fate is Fate.BROKE for _, cell in found),
        "errors": 0,
        "skipped": sum(cell.fate is Fate.NOT_TRIED for _, cell in found),
    }
    suite = _further_suite(root, run, "mutations", counts, mutations.duration)
    _properties(suite, [("seed", str(mutations.seed)), ("budget", str(mutations.budget))])
    trust = {session.id: _trust(session) for session in run.sessions}
    for row, cell in found:
        _mutant_case(suite, row, cell, trust.get(cell.session, ""))


def _mutant_case(suite: Element, row: matrix.Row, cell: matrix.Cell, trust: str) -> None:
    case = _element(suite, "testcase", classname=f"mutation.{row.rule.id}", name=cell.session, time="0.000")
    if cell.fate is Fate.NOT_TRIED:
        _element(case, "skipped", message=cell.reason or "not tried")
    for mutant in cell.mutants if cell.fate is Fate.BROKE else ():
        if mutant.fate is Fate.BROKE:
            failure = _element(case, "failure", type="mutation", message=_first_words(mutant) + trust)
            failure.text = printable("\n\n".join(_mutant_account(row, mutant)))
            return


def _first_words(mutant: MutantRun) -> str:
    words = "; ".join(matrix.in_words(difference) for difference in mutant.differences)
    return first_line(f"breaks with {words}", longest=300)


def _mutant_account(row: matrix.Row, mutant: MutantRun) -> Iterator[str]:
    yield f"{row.rule.title}. {row.rule.stands_for}"
    yield "\n".join(matrix.in_words(difference) for difference in mutant.differences)
    if mutant.reason:
        yield mutant.reason
    yield from ("\n".join(_step(step)) for step in mutant.steps)


def _case(suite: Element, session: SessionRun) -> None:
    case = _element(
        suite,
        "testcase",
        classname=f"{session.host}.{session.surface}",
        name=session.id,
        time=f"{session.duration:.3f}",
    )
    _properties(case, _provenance(session))
    if session.verdict is Verdict.NOT_CHECKED:
        advice = contracts.remedy(session.id, session.reason) if session.severity else ""
        reason = contracts.why(session.reason or "not checked", advice)
        _element(case, "skipped", message=reason + _trust(session))
    elif session.verdict is Verdict.FAILED:
        failure = _element(case, "failure", type="finding", message=_message(session) + _trust(session))
        failure.text = printable("\n\n".join(_account(session)))


def _provenance(session: SessionRun) -> Iterator[tuple[str, str]]:
    yield "title", session.title
    yield "provenance", session.provenance
    yield "seen", session.seen.isoformat()
    yield "expires", session.expires.isoformat()
    yield from (("doubt", doubt) for doubt in doubts(session))
    yield from (("incident", incident) for incident in session.incidents)


def _trust(session: SessionRun) -> str:
    """Doubts in the message too: most readers of the format show no properties."""
    return f" [{', '.join(doubts(session))}]" if doubts(session) else ""


def _message(session: SessionRun) -> str:
    if not session.findings:
        return session.reason or "the session broke without a finding"
    first, *others = session.findings
    more = f" (and {plural(len(others), 'more finding')})" if others else ""
    return first_line(f"{first.step}, {first.where}: expected {first.expected}, got {first.actual}", longest=300) + more


def _account(session: SessionRun) -> Iterator[str]:
    if session.reason:
        yield session.reason
    for step in session.steps:
        if step.findings:
            yield "\n".join(_step(step))


def _step(step: StepRun) -> Iterator[str]:
    yield f"step {step.name}"
    for finding in step.findings:
        yield from _finding(finding)
    if step.skipped:
        yield f"not sent: {step.skipped}"
    if step.sent:
        yield f"sent: {step.sent.method} {step.sent.url}"
        yield from _body(step.sent.body)
    if step.received:
        yield f"received: {status_line(step.received)}; {timing(step.received)}"
        yield from _body(step.received.body)


def _finding(finding: Finding) -> Iterator[str]:
    yield f"  {finding.where}: expected {finding.expected}"
    yield f"  {finding.where}: got {finding.actual}"
    if finding.incidents:
        yield f"  guards against: {', '.join(finding.incidents)}"
    if finding.advice:
        yield f"  next: {finding.advice}"


def _body(body: str) -> Iterator[str]:
    shown = excerpt(body, longest=LONGEST_BODY)
    if shown.text:
        yield shown.text
    if shown.omission:
        yield f"({shown.omission})"


def _properties(parent: Element, pairs: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> None:
    properties = _element(parent, "properties")
    for name, value in pairs:
        _element(properties, "property", name=name, value=value)


def _element(parent: Element | None, tag: str, **attributes: str) -> Element:
    clean = {name: printable(value) for name, value in attributes.items()}
    return Element(tag, clean) if parent is None else SubElement(parent, tag, clean)
