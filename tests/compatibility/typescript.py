"""The TypeScript SDK's server, installed by npm into the user's cache folder and served by node for the time being.

Knows npm and one program beside this file. Nothing that npm writes comes near the repository.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGE = "@modelcontextprotocol/sdk"
VERSION = "1.32.2"
_PROGRAM = Path(__file__).with_name("typescript_server.mjs")


class NpmMissing(Exception):
    """The SDK is not there and cannot be installed. Nothing was judged."""


def install() -> Path:
    """The folder with the SDK in it, installed there by npm if need be.

    Raises:
        NpmMissing: there is no npm or node, or npm could not install it.
    """
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise NpmMissing("the TypeScript SDK needs npm and node, which are not on PATH: install Node.js 20 or later")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcp-ballast"
    folder = cache / f"typescript-sdk-{VERSION}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="typescript-") as fresh:
            _install_into(Path(fresh) / "sdk", npm)
            if not folder.exists():  # another run may have been quicker
                (Path(fresh) / "sdk").rename(folder)
    shutil.copy(_PROGRAM, folder)  # node looks for modules beside the program
    return folder


def _install_into(folder: Path, npm: str) -> None:
    folder.mkdir()
    (folder / "package.json").write_text('{"private": true}')
    quick = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *quick, f"{PACKAGE}@{VERSION}"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if ended.returncode != 0:
        said = [line for line in ended.stderr.splitlines() if line.lower().startswith("npm err")][:4]
        raise NpmMissing(f"npm could not install {PACKAGE}@{VERSION} (is there a network?): {' '.join(said)}")


@contextmanager
def serving(manner: str) -> Iterator[str]:
    """Serve it with `sessions` or `stateless`; yields its MCP address.

    Raises:
        NpmMissing: as `install`.
    """
    command = ["node", _PROGRAM.name, manner]
    pipe, silent = subprocess.PIPE, subprocess.DEVNULL  # the SDK writes a stack for every request it refuses
    folder = install()
    with subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, stderr=silent, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            origin = process.stdout.readline().strip()
            assert origin.startswith("http://"), f"the TypeScript server did not start: {command}"
            yield f"{origin}/mcp"
        finally:
            process.stdin.close()  # it serves until its input ends
