"""All rules, in the order of reports."""

import difflib
from collections.abc import Sequence
from typing import Final

from ..errors import UnknownRule
from .rule import Rule
from .rules import additions, clients, headers, members, oauth, versions

RULES: Final[tuple[Rule, ...]] = (
    *members.RULES,
    *headers.RULES,
    *versions.RULES,
    *additions.RULES,
    *clients.RULES,
    *oauth.RULES,
)


def choose_rules(only: Sequence[str] = ()) -> tuple[Rule, ...]:
    """The rules with these ids; all by default. An id may end in `*`.

    Raises:
        UnknownRule: nothing has that id; near matches are named.
    """
    for wanted in only:
        if not any(_fits(rule, wanted) for rule in RULES):
            known = [rule.id for rule in RULES]
            near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5) or known
            raise UnknownRule(f"There is no rule {wanted!r}. Near: {', '.join(near)}.")
    return tuple(rule for rule in RULES if not only or any(_fits(rule, wanted) for wanted in only))


def _fits(rule: Rule, wanted: str) -> bool:
    return rule.id.startswith(wanted[:-1]) if wanted.endswith("*") else rule.id == wanted
