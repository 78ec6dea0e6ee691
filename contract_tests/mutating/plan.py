"""`Plan`: what a run of mutations is asked to do. Values only."""

from dataclasses import dataclass
from typing import Final

from .rule import Rule

BUDGET: Final = 400
"""Mutants tried by default: a local target answers so many well within a minute, and every rule gets its turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which rules, and how many mutants at most (0: all of them)."""

    rules: tuple[Rule, ...]
    budget: int = BUDGET
