"""The numbered contract tests that serving must meet are there, and the table in docs/serving.md says where."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "serving.md"

FOLDERS = ("serving", "load", "hardening", "leaving", "proxies")

WANTED = [1, 2, 3, *range(6, 20), 30, 31, 33, 34, 41, 42, 43]

_MARKERS = "<!-- contract: begin -->", "<!-- contract: end -->"


def _docstrings(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield ast.get_docstring(node) or ""


def _places() -> dict[int, list[str]]:
    found: dict[int, list[str]] = {number: [] for number in WANTED}
    for file in sorted(file for folder in FOLDERS for file in (TESTS / folder).glob("test_*.py")):
        said = {int(number) for text in _docstrings(file) for number in re.findall(r"CT-(\d+)", text)}
        for number in said & found.keys():
            found[number].append(f"`{file.relative_to(TESTS.parent)}`")
    return found


def test_every_numbered_contract_of_serving_is_tested() -> None:
    """Ours: the number stands in the docstring of the test that shows it, with the incident it comes from."""
    assert [number for number, places in _places().items() if not places] == []


def test_the_table_names_the_files_that_hold_them() -> None:
    """Ours: a stale table would be worse than none. On failure, the right-hand side is what belongs there."""
    begin, end = _MARKERS
    stated = PAGE.read_text().partition(begin)[2].partition(end)[0].strip()
    rows = [f"| CT-{number:02} | {', '.join(places)} |" for number, places in _places().items()]

    assert stated == "\n".join(["| contract | shown in |", "|---|---|", *rows])
