"""The command `python -m tests.proxies [--write]`: runs the matrix and prints its tables, or writes them into
docs/proxies.md. Takes about a minute and a half, which is the longest call and the start of a dozen processes.
"""

import asyncio
import platform
import re
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import click

from tests.bench.report import write_between_markers
from tests.proxies.matrix import FRONTS, available, call_all, cells, proxied
from tests.proxies.processes import ROOT, found
from tests.proxies.table import connector_table, plain_table

_PAGE = ROOT / "docs" / "proxies.md"
_ASKED = {"varnish": "-V", "caddy": "version"}
"""Where `-v` does not ask for the version."""


@click.command()
@click.option("--write", is_flag=True, help="Put the tables into docs/proxies.md.")
def main(*, write: bool) -> None:
    """Run every quiet call through every proxy that is installed."""
    rows = available()
    with tempfile.TemporaryDirectory(prefix="ballast-proxies-") as folder, proxied(rows, Path(folder)) as ports:
        seen = asyncio.run(call_all(cells(rows), ports))
    text = "\n\n".join([_setting(len(seen)), connector_table(rows, seen)])
    before = plain_table(rows, seen)
    sys.stdout.write(f"{text}\n\n{before}\n")
    if write:
        write_between_markers(_PAGE, "matrix", text)
        write_between_markers(_PAGE, "before", before)


def _setting(calls: int) -> str:
    versions = [*map(_version, FRONTS), f"mcp {version('mcp')}"]
    return "\n".join(
        [
            "* command: `python -m tests.proxies --write`",
            f"* {', '.join(versions)}, uvicorn {version('uvicorn')}, Python {platform.python_version()}",
            f"* {calls} calls within {calls / 100:g} s on loopback; figures in seconds",
        ]
    )


def _version(family: str) -> str:
    place = found(FRONTS[family].program)
    if place is None:
        return f"{family} missing"
    said = subprocess.run([place, _ASKED.get(family, "-v")], capture_output=True, text=True, check=True)
    numbers = re.search(r"\d+\.\d[\w.+~-]*", said.stdout + said.stderr)
    return f"{family} {numbers.group() if numbers else '?'}"


if __name__ == "__main__":
    main()
