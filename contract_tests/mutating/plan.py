"""`Plan`: what a run of mutations is asked to do. Values only."""

from dataclasses import dataclass
from typing import Final

from .rule import Rule

BUDGET: Final = 600
"""Mutants tried by default: all that an open target has, within a minute on this kind of network (loopback)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which rules, and how many mutants at most (0: all of them)."""

    rules: tuple[Rule, ...]
    budget: int = BUDGET
