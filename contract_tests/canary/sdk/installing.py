"""Installs the newest client library into a folder that is thrown away, and runs a script with it.

The new code runs as a process of its own that knows no secret but the headers meant for the target. Without a network,
without pip or with a release that does not install, the answer is why it was not checked.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import anyio

from ...mark import marks
from ...report.words import first_line
from ..findings import Part, not_checked
from ..settings import SdkSettings
from .comparing import NAME, compared

_SCRIPT: Final = Path(__file__).with_name("client_script.py")
_PIP_FOR_OTHERS: Final = 23
_LIMIT_OF_SCRIPT: Final = 90.0  # seconds: it gives itself up after 60
_KEPT: Final = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY",
    "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
"""What a client's process is given of the environment. pip gets what begins with PIP_ too."""


class _Failed(Exception):
    """A step that did not work; the text says which and why."""


async def try_newest(
    settings: SdkSettings,
    url: str,
    tool: str,
    arguments: Mapping[str, Any],
    headers: Mapping[str, str],
) -> Part:
    """Install, run both clients against a URL, and compare."""
    words = [url, tool, json.dumps(dict(arguments))]
    environment = _environment() | {"BALLAST_CANARY_HEADERS": json.dumps({**headers, **dict(marks())})}
    try:
        with anyio.fail_after(settings.limit), TemporaryDirectory(prefix="ballast-canary-") as folder:
            python = await _installed(settings, Path(folder))
            newest = await _transcript([python, "-I", str(_SCRIPT), *words], environment)
            pinned = await _transcript([sys.executable, "-I", str(_SCRIPT), *words], environment)
    except TimeoutError:
        return not_checked(NAME, f"it took longer than {settings.limit:g} s to install and try it")
    except (_Failed, OSError) as problem:
        return not_checked(NAME, str(problem))
    return compared(pinned, newest)


async def _installed(settings: SdkSettings, folder: Path) -> str:
    """The interpreter of a fresh environment that has the library."""
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    borrowed = _has_pip()
    bare = ["--without-pip"] if borrowed else []
    await _run([sys.executable, "-m", "venv", *bare, str(folder)], _environment(), "no environment could be made")
    pip = [sys.executable, "-m", "pip", "--python", python] if borrowed else [python, "-m", "pip"]
    own = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    words = ["install", "--quiet", "--disable-pip-version-check", "--no-input", "--pre", "--upgrade"]
    await _run(
        [*pip, *words, *settings.pip, settings.package],
        _environment() | own,
        f"{settings.package} could not be installed",
    )
    return python


def _has_pip() -> bool:
    """Whether this interpreter has a pip that installs for others: putting one in takes longest of all."""
    try:
        return int(version("pip").partition(".")[0]) >= _PIP_FOR_OTHERS
    except (PackageNotFoundError, ValueError):
        return False


async def _transcript(command: Sequence[str], environment: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        with anyio.fail_after(_LIMIT_OF_SCRIPT):
            said = await _run(command, environment, "the client did not run")
    except TimeoutError:
        return {"failed": f"no end within {_LIMIT_OF_SCRIPT:g} s", "step": "close"}
    try:
        found = json.loads(said.splitlines()[-1])
    except (ValueError, IndexError):
        found = None
    if not isinstance(found, dict):
        raise _Failed("the client said nothing that can be read")
    return found


async def _run(command: Sequence[str], environment: Mapping[str, str], problem: str) -> str:
    done = await anyio.run_process(
        command, check=False, env=dict(environment), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        errors = [line for line in lines if "error" in line.lower()] or lines
        said = first_line(errors[-1], longest=200) if errors else f"exit code {done.returncode}"
        raise _Failed(f"{problem}: {said}")
    return done.stdout.decode("utf-8", "replace")


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ}
