"""The run as JUnit XML: one test case per session, so that a CI system lists and counts what people talk about.

Several findings of a session are one failure, because most readers of the format show only the first.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from ..credentials import without_credentials
from ..outcome import Fate, Finding, MutantRun, MutationRun, Run, SessionRun, StepRun, Verdict
from . import matrix
from .words import doubts, excerpt, first_line, plural, printable, status_line, timing

LONGEST_BODY = 2_000
"""Characters of a body in a failure: enough to recognise it. The HTML and JSON reports hold more."""


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
    if run.mutations:
        _mutations(root, run, run.mutations)
    return root


def _mutations(root: Element, run: Run, mutations: MutationRun) -> None:
    """A suite of its own: one case for every rule and session that it applies to."""
    found = [(row, cell) for row in matrix.rows(mutations) for cell in row.cells if cell.fate]
    counts = {
        "tests": len(found),
        "failures": sum(cell.fate is Fate.BROKE for _, cell in found),
        "errors": 0,
        "skipped": sum(cell.fate is Fate.NOT_TRIED for _, cell in found),
    }
    for name, count in counts.items():
        root.set(name, str(int(root.get(name, "0")) + count))
    texts = {name: str(count) for name, count in counts.items()}
    suite = _element(
        root,
        "testsuite",
        name=f"{run.target}, mutations",
        timestamp=run.started.isoformat(timespec="seconds"),
        time=f"{mutations.duration:.3f}",
        **texts,
    )
    _properties(suite, [("seed", str(mutations.seed)), ("budget", str(mutations.budget))])
    for row, cell in found:
        _mutant_case(suite, row, cell)


def _mutant_case(suite: Element, row: matrix.Row, cell: matrix.Cell) -> None:
    case = _element(suite, "testcase", classname=f"mutation.{row.rule.id}", name=cell.session, time="0.000")
    if cell.fate is Fate.NOT_TRIED:
        _element(case, "skipped", message=cell.reason or "not tried")
    for mutant in cell.mutants if cell.fate is Fate.BROKE else ():
        if mutant.fate is Fate.BROKE:
            failure = _element(case, "failure", type="mutation", message=_first_words(mutant))
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
        _element(case, "skipped", message=session.reason or "not checked")
    elif session.verdict is Verdict.FAILED:
        failure = _element(case, "failure", type="finding", message=_message(session))
        failure.text = printable("\n\n".join(_account(session)))


def _provenance(session: SessionRun) -> Iterator[tuple[str, str]]:
    yield "title", session.title
    yield "provenance", session.provenance
    yield "seen", session.seen.isoformat()
    yield "expires", session.expires.isoformat()
    yield from (("doubt", doubt) for doubt in doubts(session))
    yield from (("incident", incident) for incident in session.incidents)


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
