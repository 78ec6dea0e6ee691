"""Every code block of the README and the documents is run, and every link in them leads somewhere."""

import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from connector import Connector
from tests.environment import uncovered
from tests.loopback import Serve, await_health

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def _blocks(language: str) -> Iterator[Any]:
    for document in DOCUMENTS:
        for number, match in enumerate(BLOCK.finditer(document.read_text()), 1):
            if match[1] == language:
                yield pytest.param(match[2], id=f"{document.name}-{number}")


def _commands(document: Path) -> Iterator[str]:
    for match in BLOCK.finditer(document.read_text()):
        for line in match[2].splitlines() if match[1] == "console" else ():
            if line.startswith("$ "):
                yield line.removeprefix("$ ").partition("  #")[0].strip()


def _of_readme() -> str:
    first = next(match[2] for match in BLOCK.finditer((ROOT / "README.md").read_text()) if match[1] == "python")
    return str(first)


@pytest.mark.parametrize("code", list(_blocks("python")))
def test_a_python_block_runs(code: str, serve: Serve) -> None:
    """Done means, README: every code block is run by a test."""
    namespace: dict[str, Any] = {"__name__": "block"}
    exec(compile(code, "block", "exec"), namespace)
    for made in [value for value in namespace.values() if isinstance(value, Connector)]:
        assert serve(namespace.get("app", made)).startswith("http://127.0.0.1:")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_a_link_leads_to_a_file(document: Path) -> None:
    """A document that points nowhere is no document."""
    assert [target for target in LINK.findall(document.read_text()) if not (document.parent / target).exists()] == []


def _split(command: str) -> tuple[dict[str, str], list[str]]:
    """Environment assignments before the command, and the command with the program that stands for it here."""
    words = shlex.split(command)
    assignments = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
    rest = [word for word in words if not re.match(r"[A-Z_]+=", word)]
    program = {"mcp-ballast": [str(Path(sys.executable).with_name("mcp-ballast"))], "python": [sys.executable]}
    return assignments, [*program.get(rest[0], [rest[0]]), *rest[1:]]


@contextmanager
def _serving(command: str, folder: Path) -> Iterator[str]:
    """Run a `serve` command of a document on a free port until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assignments, words = _split(command)
    environment = {**uncovered(), **assignments}
    with subprocess.Popen(
        [*words, "--port", str(port)], cwd=folder, env=environment, stderr=subprocess.DEVNULL
    ) as served:
        try:
            await_health(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            served.terminate()


def _run(command: str, folder: Path, url: str) -> None:
    assignments, words = _split(command.replace("http://127.0.0.1:8000", url))
    done = subprocess.run(
        words, cwd=folder, env={**uncovered(), **assignments}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


RUN_ELSEWHERE = {
    "make demo": ".ci/run",
    "make test": ".ci/run",
    "make bench": "by hand: figures are taken on a machine that does nothing else",
    "pip install mcp-ballast": "tests/packaging builds the wheel and installs it",
}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_commands_of_a_document_do_what_it_says(document: Path, tmp_path: Path) -> None:
    """Done means: README and docs are true; each command ends with 0, servers serve until the end of the document."""
    (tmp_path / "invoices.py").write_text(_of_readme())
    (tmp_path / "server.py").write_text(_of_readme())
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    url = "http://127.0.0.1:8000"
    with ExitStack() as stack:
        for command in _commands(document):
            if command in RUN_ELSEWHERE or command.startswith("python -m tests.bench"):
                continue
            if " serve " in command:
                url = stack.enter_context(_serving(command, tmp_path))
            else:
                _run(command, tmp_path, url)
