"""The official conformance suite: installed once, run against a server, read back.

Knows npm, the suite's command line and the files it writes. Decides nothing about what should pass.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

PACKAGE: Final = "@modelcontextprotocol/conformance"
VERSION: Final = "0.2.0-alpha.12"
NODE: Final = "node@22"
"""The suite needs Node 22 (20 lacks `fs.globSync`); npm's package of that name brings it, whatever runs npm."""

_ROOT: Final = Path(__file__).resolve().parents[2]
_STAMPED: Final = re.compile(r"server-(?P<scenario>.+)-\d{4}-\d\d-\d\dT[\d-]+Z")
_SCENARIO_MS: Final = "120000"
"""Longest time for one scenario. A healthy one takes under 5 s; a machine under load must not decide a check."""


class SuiteMissing(Exception):
    """The suite cannot be installed here. The sentence says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing the suite looked at. `status` is SUCCESS, FAILURE, WARNING, SKIPPED or INFO."""

    scenario: str
    id: str
    status: str
    message: str = ""
    details: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """The server scenarios of a revision, in the suite's own words."""

    scored: tuple[str, ...]
    unscored: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The suite in its folder."""

    folder: Path

    @property
    def _package(self) -> Path:
        return self.folder / "node_modules" / PACKAGE

    @property
    def _node(self) -> Path:
        return self.folder / "node_modules" / "node" / "bin" / "node"

    def requirements(self, revision: str) -> Requirements:
        """What the suite demands of a server of `revision`, and what it only reports."""
        read = yaml.safe_load((self._package / "requirements" / f"{revision}.yaml").read_text())
        unscored = tuple(entry["scenario"] for entry in read["not_scored"] if entry["leg"] == "server")
        return Requirements(scored=tuple(read["server"]), unscored=unscored)

    def run(self, origin: str, revision: str, output: Path) -> tuple[Check, ...]:
        """Run every server scenario of `revision` against the endpoint at `origin`."""
        command = [
            *(str(self._node), str(self._package / "dist" / "index.js"), "server", "--url", f"{origin}/mcp"),
            *("--requirements", revision, "--timeout", _SCENARIO_MS, "-o", str(output)),
        ]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
        checks = tuple(read_checks(output))
        assert checks, f"the suite wrote no checks:\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}"
        return checks


def read_checks(output: Path) -> Iterator[Check]:
    """Every check that the suite wrote below `output`."""
    for file in sorted(output.glob("*/checks.json")):
        named = _STAMPED.fullmatch(file.parent.name)
        assert named, f"the suite names its folders differently now: {file.parent.name}"
        for check in json.loads(file.read_text()):
            yield Check(
                scenario=named["scenario"],
                id=check["id"],
                status=check["status"],
                message=check.get("errorMessage") or "",
                details=check.get("details"),
            )


def install() -> Suite:
    """The suite from the user's cache, installed there by npm if need be.

    Raises:
        SuiteMissing: There is no npm, or npm could not install it.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcp-ballast"
    folder = cache / f"conformance-{VERSION}"
    if not folder.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise SuiteMissing("the conformance suite needs npm, which is not on PATH: install Node.js")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="conformance-") as fresh:
            _install_into(Path(fresh) / "suite", npm)
            if not folder.exists():  # another run may have been quicker
                (Path(fresh) / "suite").rename(folder)
    return Suite(folder=folder)


def _install_into(folder: Path, npm: str) -> None:
    folder.mkdir()
    (folder / "package.json").write_text('{"private": true}')
    quick = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")
    command = [npm, "install", "--no-audit", "--no-fund", *quick, f"{PACKAGE}@{VERSION}", NODE]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    if ended.returncode != 0:
        said = [line for line in ended.stderr.splitlines() if line.lower().startswith("npm err")][:4]
        raise SuiteMissing(f"npm could not install {PACKAGE}@{VERSION} (is there a network?): {' '.join(said)}")
    node = folder / "node_modules" / "node" / "bin" / "node"
    if not node.exists():
        raise SuiteMissing(
            f"npm installed {NODE} without its program (are install scripts off?): {node.name} is missing"
        )


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """Serve the fixture connector in a process of its own; yields its origin."""
    command = [sys.executable, "-m", "tests.conformance.everything", *arguments]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            origin = process.stdout.readline().strip()
            assert origin.startswith("http://"), f"the fixture connector did not start: {command}"
            yield origin
        finally:
            process.stdin.close()  # it serves until its input ends
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
