"""What is replayed, checked and mutated, in words: the lists, and each session, contract and rule in full. Pure."""

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .checks.contract import Contract
from .judging.operators import show
from .mutating.rule import Rule
from .notation.document import dotted
from .notation.session import Check, Expect, FormBody, JsonBody, RawBody, Send, Session, Step

_WIDTH = 100


def listed(sessions: Iterable[Session]) -> str:
    """One line per session: id, host and surface, provenance and date, title."""
    known = tuple(sessions)
    widths = [max((len(cell) for cell in column), default=0) for column in zip(*map(_cells, known), strict=True)]
    rows = (
        "  ".join(cell.ljust(width) for cell, width in zip(_cells(session), widths, strict=True)) for session in known
    )
    return "\n".join(row.rstrip() for row in rows)


def explained(session: Session) -> str:
    """A session in full: what it is, what each step sends, and what is expected."""
    return "\n".join(_lines(session))


def contracts_listed(contracts: Iterable[Contract]) -> str:
    """One line per contract: id, surface, severity, title."""
    return "\n".join(
        f"{contract.id}  {contract.surface}  {contract.severity.ljust(8)}  {contract.title}" for contract in contracts
    )


def contract_explained(contract: Contract) -> str:
    """A contract in full: what it promises, why, and what checking it leaves behind."""
    return "\n".join(
        [
            f"{contract.id}: {contract.title}",
            "",
            *textwrap.wrap(contract.about, _WIDTH),
            "",
            f"severity    {contract.severity}",
            f"known       last seen {contract.seen}, to be trusted until {contract.expires}",
            f"source      {contract.source}",
            f"guards      {', '.join(contract.incidents)}",
            f"leaves      {contract.residue or 'nothing behind'}",
            *textwrap.wrap(contract.advice, _WIDTH, initial_indent="advice      ", subsequent_indent=" " * 12),
        ]
    )


def rules_listed(rules: Iterable[Rule]) -> str:
    """One line per rule of `--mutate`: id, title."""
    known = tuple(rules)
    width = max((len(rule.id) for rule in known), default=0)
    return "\n".join(f"{rule.id.ljust(width)}  {_RULE}  {rule.title}" for rule in known)


_RULE = "platform change, with --mutate"


def rule_explained(rule: Rule, sessions: Iterable[Session]) -> str:
    """A rule in full: what it stands for, what must hold, and how many mutants it makes of which sessions."""
    made = {session.id: len(rule.mutants(session)) for session in sessions}
    changed = sum(map(bool, made.values()))
    known = {
        "stands for": rule.stands_for,
        "must hold": rule.expected,
        "because": rule.source,
        "guards": ", ".join(rule.incidents),
        "makes": f"{sum(made.values())} mutants of {changed} sessions; of {len(made) - changed} it changes nothing",
        "try it": f"mcp-ballast test TARGET --mutate --rule {rule.id}",
        "advice": rule.advice,
    }
    lines = [textwrap.wrap(f"{label:<12}{text}", _WIDTH, subsequent_indent=" " * 12) for label, text in known.items()]
    return "\n".join([f"{rule.id}: {rule.title}", "", *(line for wrapped in lines for line in wrapped)])


def _cells(session: Session) -> tuple[str, ...]:
    known = f"{session.provenance.value} {session.seen}"
    return session.id, f"{session.host}/{session.surface}", known, session.title


def _lines(session: Session) -> Iterator[str]:
    yield f"{session.id}: {session.title}"
    yield ""
    if session.about:
        yield from textwrap.wrap(session.about, _WIDTH)
        yield ""
    yield f"speaks      {session.build} ({session.host}, {session.surface})"
    yield f"known       {session.provenance.value}, last seen {session.seen}, to be trusted until {session.expires}"
    yield f"source      {session.source}"
    yield f"guards      {', '.join(session.incidents) or 'nothing in particular'}"
    yield f"needs       {', '.join(session.needs) or 'nothing'}"
    if session.client_document is not None:
        yield f"known by    {_compact(session.client_document)}"
    for step in session.steps:
        yield ""
        yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    yield f"* {step.name}" + (f" (after {step.pause:g} s)" if step.pause else "")
    yield from _manner(step)
    if step.when.known or step.when.unknown or step.when.cut:
        yield f"    only if   {'; '.join(_condition(step))}"
    yield from _sent(step.send)
    if step.send_over:
        yield f"    slowly    over {step.send_over:g} s, in pieces"
    if step.cut_after:
        yield f"    leaves    after {step.cut_after:g} s"
    for line in _expected(step.expect):
        yield f"    expects   {line}"
    if step.advice:
        yield from textwrap.wrap(
            " ".join(step.advice.split()), _WIDTH, initial_indent="    advice    ", subsequent_indent=" " * 14
        )


def _manner(step: Step) -> Iterator[str]:
    if step.idle:
        yield f"    waits     {step.idle} s, which must really pass: played with --slow only"
    if isinstance(step.parallel, int) and step.parallel > 1:
        yield f"    at once   {step.parallel} equal requests"
    elif isinstance(step.parallel, Mapping):
        yield from (f"    at once   one request for every {name} of {items}" for name, items in step.parallel.items())
    for name, claims in step.signs.items():
        yield f"    signs     {name}: {_compact(claims)}"
    if step.follow_until:
        yield f"    follows   redirects until one leads to {step.follow_until}"


def _condition(step: Step) -> Iterator[str]:
    if step.when.known:
        yield f"{', '.join(step.when.known)} is known"
    if step.when.unknown:
        yield f"{', '.join(step.when.unknown)} is not known"
    if step.when.cut:
        yield f"{step.when.cut} was cut"


def _sent(send: Send) -> Iterator[str]:
    query = "&".join(f"{name}={value}" for name, value in send.query.items())
    yield f"    sends     {send.method} {send.path}" + (f"?{query}" if query else "")
    for name, value in send.headers.items():
        yield f"              {name}: {value}"
    match send.body:
        case JsonBody(value=value):
            yield f"              {_compact(value)}"
        case RawBody(text=text):
            yield f"              {text or '(an empty body)'}"
        case FormBody(fields=fields):
            yield from (f"              {name}={value}" for name, value in fields.items())


def _expected(expect: Expect) -> Iterator[str]:
    if expect.status:
        yield f"status {' or '.join(map(str, expect.status))}"
    if expect.media:
        yield f"{' or '.join(expect.media)}"
    if expect.body != "any":
        yield f"a body that is {expect.body}"
    for name, limit in (
        ("the first byte within", expect.first_byte_within),
        ("silence of at most", expect.longest_gap),
        ("all of it within", expect.within),
    ):
        if limit is not None:
            yield f"{name} {limit:g} s"
    yield from (f"header {_check(check)}" for check in expect.headers)
    yield from (f"Location's {_check(check)}" for check in expect.redirect)
    yield from (_check(check) for check in expect.json)
    if expect.events_carry_messages:
        yield "every event carries a message"
    for number, option in enumerate(expect.any_of):
        yield f"{'either' if not number else 'or'} {option.name or '; '.join(_expected(option))}"


def _check(check: Check) -> str:
    place = dotted(check.at) or "the whole"
    if isinstance(check.operand, Check):
        return f"every item of {place}: {_check(check.operand)}"
    return f"{place} {check.operator} {show(check.operand)}"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
