"""A session's failure in words: what was sent, what came back, what was expected, why it matters, what to do. Pure."""

import textwrap
from collections.abc import Iterator

from ..credentials import clean
from ..outcome import Finding, Received, Sent, SessionRun, StepRun
from ..report.words import excerpt, printable, status_line, timing, trust

_LONGEST_BODY = 400
_WIDTH = 100


def failure_text(session: SessionRun) -> str:
    """The account of a session that broke, in lines of at most a hundred characters where words allow it."""
    return "\n".join(printable(clean(line)) for line in _lines(session))


def _lines(session: SessionRun) -> Iterator[str]:
    yield f"{session.id}: {session.title}"
    yield f"  {session.host}, {session.surface}; {trust(session)}"
    if session.reason:
        yield f"  {session.reason}"
    for step in session.steps:
        if step.findings:
            yield ""
            yield from _step(step)


def _step(step: StepRun) -> Iterator[str]:
    yield f"step {step.name}"
    if step.skipped:
        yield f"  not sent  {step.skipped}"
    if step.sent:
        yield from _sent(step.sent)
    if step.received:
        yield from _received(step.received)
    for finding in step.findings:
        yield from _finding(finding)


def _sent(sent: Sent) -> Iterator[str]:
    yield f"  sent      {sent.method} {sent.url}"
    yield from _body(sent.body)


def _received(received: Received) -> Iterator[str]:
    yield f"  received  {status_line(received)}; {timing(received)}"
    yield from _body(received.body)


def _finding(finding: Finding) -> Iterator[str]:
    yield f"  finding   {finding.where}"
    yield from _wrapped("expected", finding.expected)
    yield from _wrapped("got", finding.actual)
    if finding.incidents:
        yield from _wrapped("guards", ", ".join(finding.incidents))
    if finding.advice:
        yield from _wrapped("next", " ".join(finding.advice.split()))


def _wrapped(label: str, text: str) -> list[str]:
    start = f"    {label.ljust(10)}"
    return textwrap.wrap(text, _WIDTH, initial_indent=start, subsequent_indent=" " * len(start)) or [start]


def _body(body: str) -> Iterator[str]:
    shown = excerpt(body, longest=_LONGEST_BODY)
    if shown.text:
        yield textwrap.indent(shown.text.rstrip(), " " * 12)
    if shown.omission:
        yield f"            ({shown.omission})"
