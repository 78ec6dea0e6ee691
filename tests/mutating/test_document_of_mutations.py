"""docs/sessions.md, the section about mutations: its rules are all the rules, its numbers are those of the code."""

import re
from pathlib import Path

from contract_tests.mutating.plan import BUDGET
from contract_tests.mutating.registry import RULES
from contract_tests.mutating.running import LONGEST

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "sessions.md").read_text()
SECTION = DOCUMENT.split("\n## Mutations\n")[1].split("\n## ")[0]


def test_the_document_names_every_rule_and_no_other() -> None:
    """Ours: a rule that is not explained is a riddle."""
    table = SECTION.split("\n| rule | what changes | what must hold |\n|---|---|---|\n")[1].split("\n\n")[0]
    named: list[str] = []
    for row in table.splitlines():
        names = re.findall(r"`([a-z-]+)`", row.split("|")[1])
        named += [f"unknown-member{name}" if name.startswith("-") else name for name in names]

    assert named == [rule.id for rule in RULES]


def test_the_document_gives_the_numbers_of_the_code() -> None:
    """Ours."""
    assert f"{BUDGET} at most" in SECTION
    assert f"each answer gets {LONGEST:g} s" in SECTION
