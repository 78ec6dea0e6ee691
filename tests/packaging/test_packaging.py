"""What is shipped: the wheel's contents, the public names, and that it works without the working tree."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import connector
import contract_tests

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = "from hatchling.build import build_wheel; print(build_wheel(__import__('sys').argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return folder / done.stdout.split()[-1]


def test_the_wheel_ships_these_names_and_no_others(wheel: Path) -> None:
    """style.md section 6: a stray top-level name breaks other people's projects."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    assert {name.split("/")[0] for name in names} == {
        "_mcp_ballast_pytest.py",
        "connector",
        "contract_tests",
        "mcp_ballast-0.1.0.dist-info",
    }
    assert {"connector/py.typed", "contract_tests/py.typed"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".sqlite3")]


def test_the_wheel_replays_sessions_without_the_working_tree(wheel: Path, tmp_path: Path) -> None:
    """What is data in the packages must be in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    (tmp_path / "one.py").write_text(
        "from connector import Connector, tool\n"
        "class One(Connector):\n"
        "    name = 'one'\n"
        "    @tool(read_only=True)\n"
        "    def one(self) -> int:\n"
        "        return 1\n"
        "connector = One()\n"
    )
    command = "import connector, sys; print(connector.__file__); from contract_tests.cli import main; main()"
    arguments = ["test", "one.py", "--only", "create-noauth-modern", "--html", "page.html"]
    done = subprocess.run(
        [sys.executable, "-c", command, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert str(tmp_path / "installed" / "connector") in done.stdout
    assert "holds" in done.stdout
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("package", [connector, contract_tests], ids=lambda package: package.__name__)
def test_what_is_exported_is_what_is_public(package: object) -> None:
    """The root is a shop window: sorted, complete, nothing else."""
    exported = package.__all__  # type: ignore[attr-defined]
    public = {
        name for name, value in vars(package).items() if not name.startswith("_") and not hasattr(value, "__path__")
    }
    modules = {name for name in public if type(vars(package)[name]).__name__ == "module"}

    assert exported == sorted(exported)
    assert set(exported) == public - modules
