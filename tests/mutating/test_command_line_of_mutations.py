"""`mcp-ballast test --mutate`, as a person types it."""

import subprocess
import sys
from pathlib import Path

import pytest

SERVER = """
from tests.mutating.servers import Careful
from tests.mutating.test_deaf_servers import deaf_to_cookies
app = Careful(deaf_to_cookies)
"""


def typed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "server.py").write_text(SERVER, encoding="utf-8")
    program = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); "
    command = [sys.executable, "-c", f"{program}from contract_tests.cli import main; main()", "test", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=80, check=False)


@pytest.mark.timeout(180)  # processes of their own, on a busy machine
def test_a_broken_mutant_is_a_finding(tmp_path: Path) -> None:
    """DESIGN: exit code 1 is a finding; sessions that hold today do not hide one about tomorrow."""
    words = ("server.py:app", "--only", "call-model", "--pace", "none", "--seed", "3")

    without, broken = typed(tmp_path, *words), typed(tmp_path, *words, "--mutate", "--rule", "header-new")

    assert without.returncode == 0, without.stderr
    assert broken.returncode == 1, broken.stderr
    assert "trying 1 mutant" in broken.stdout
    assert "1 holds, 0 break, 0 not checked; 0 of 1 mutant survive" in broken.stdout
    assert 'header Cookie: added string "__cf_bm=new"' in broken.stdout


@pytest.mark.timeout(180)
def test_a_survivor_is_none_and_options_without_mutate_are_wrong_usage(tmp_path: Path) -> None:
    """Ours: exit code 2 is wrong usage, with the way out."""
    words = ("server.py:app", "--only", "call-model", "--pace", "none")

    survived = typed(tmp_path, *words, "--mutate", "--rule", "unknown-member-*", "--mutants", "3")
    alone = typed(tmp_path, *words, "--rule", "header-new")
    unknown = typed(tmp_path, *words, "--mutate", "--rule", "headers-new")

    assert survived.returncode == 0, survived.stdout
    assert "3 of 3 mutants survive" in survived.stdout
    assert "(3 of 5 by seed " in survived.stdout
    assert (alone.returncode, unknown.returncode) == (2, 2)
    assert "add --mutate" in alone.stderr
    assert "There is no rule 'headers-new'. Near: header-new" in unknown.stderr
