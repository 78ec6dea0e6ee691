"""Mutants as a matrix: a row for every rule, a column for every session, and in each cell what became of it.

Pure. A rule may have several mutants of one session: one that broke decides the cell.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..outcome import Difference, Fate, MutantRun, MutationRun, RuleRun

FATES = {Fate.SURVIVED: "holds", Fate.BROKE: "breaks", Fate.NOT_TRIED: "not tried"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What became of the mutants of one session by one rule; none if the rule found nothing to change."""

    session: str
    mutants: tuple[MutantRun, ...]

    @property
    def fate(self) -> Fate | None:
        """The worst of them; None without any."""
        fates = {mutant.fate for mutant in self.mutants}
        return next((fate for fate in (Fate.BROKE, Fate.SURVIVED, Fate.NOT_TRIED) if fate in fates), None)

    @property
    def word(self) -> str:
        """The fate in a word or two."""
        return FATES[self.fate] if self.fate else "nothing to change"

    @property
    def reason(self) -> str:
        """Why it was not tried; empty if it was."""
        return next((mutant.reason for mutant in self.mutants if mutant.fate is Fate.NOT_TRIED), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rule and its cells, in the order of the sessions."""

    rule: RuleRun
    cells: tuple[Cell, ...]

    @property
    def tried(self) -> int:
        """How many mutants were tried."""
        return self.rule.survived + self.rule.broke

    @property
    def rate(self) -> str:
        """The survivor rate in words: 19 of 21."""
        return f"{self.rule.survived} of {self.tried}" if self.tried else "none tried"


def rows(mutations: MutationRun) -> tuple[Row, ...]:
    """One row for every rule."""
    found: dict[tuple[str, str], list[MutantRun]] = {}
    for mutant in mutations.mutants:
        found.setdefault((mutant.rule, mutant.session), []).append(mutant)
    shown = sessions(mutations)
    return tuple(
        Row(
            rule=rule,
            cells=tuple(Cell(session=name, mutants=tuple(found.get((rule.id, name), ()))) for name in shown),
        )
        for rule in mutations.rules
    )


def sessions(mutations: MutationRun) -> tuple[str, ...]:
    """The sessions of which any mutant was tried: the others would be columns without an answer."""
    tried = {mutant.session for mutant in mutations.mutants if mutant.fate is not Fate.NOT_TRIED}
    return tuple(session for session in mutations.sessions if session in tried)


def untried(mutations: MutationRun) -> dict[str, str]:
    """Why the mutants of the other sessions were not tried."""
    shown = sessions(mutations)
    return {mutant.session: mutant.reason for mutant in mutations.mutants if mutant.session not in shown}


def broken(mutations: MutationRun) -> Iterator[tuple[RuleRun, tuple[MutantRun, ...]]]:
    """Every rule under which something broke, with its broken mutants."""
    for rule in mutations.rules:
        found = tuple(m for m in mutations.mutants if m.rule == rule.id and m.fate is Fate.BROKE)
        if found:
            yield rule, found


def in_words(difference: Difference) -> str:
    """One difference as a line: mac, body /params/_meta/x: added string "new"."""
    where = f"{difference.part} {difference.pointer}".rstrip()
    instead = f" instead of {difference.instead_of}" if difference.instead_of else ""
    beside = {"before": ", in a copy sent before", "after": ", in a copy sent after"} if difference.pointer else {}
    return f"{difference.step}, {where}: {difference.kind} {difference.value}{instead}" + beside.get(
        difference.position, ""
    )


def alike(mutants: tuple[MutantRun, ...]) -> Iterator[tuple[MutantRun, tuple[str, ...]]]:
    """The broken mutants of a rule by what is the same of them, each kind with the sessions it was found in."""
    groups: dict[tuple[object, ...], list[MutantRun]] = {}
    for mutant in mutants:
        groups.setdefault(_kind(mutant), []).append(mutant)
    for found in groups.values():
        yield found[0], tuple(mutant.session for mutant in found)


def _kind(mutant: MutantRun) -> tuple[object, ...]:
    places = tuple((d.part, d.pointer, d.kind, d.position) for d in mutant.differences)
    complaint = next(iter(mutant.findings), None)
    return (*places, complaint and complaint.where, mutant.reason)
