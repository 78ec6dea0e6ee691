"""`python -m tests.compatibility`: judge every server of the page; `--write` writes it, `-v` tells every finding."""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Mapping

import click

from contract_tests import Run

from .contenders import CONTENDERS
from .judging import judge_all
from .page import FILE, page, table
from .typescript import NpmMissing, install


def main() -> int:
    """Judge and print; write the page only if nobody is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.compatibility", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/compatibility.md")
    parser.add_argument("--servers", choices=["python", "typescript"], help="judge only these")
    parser.add_argument("-v", action="store_true", help="every finding")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    os.environ.setdefault("BALLAST_STORE", "memory:")
    missing = "" if asked.servers == "python" else _missing()
    chosen = [one for one in CONTENDERS if asked.servers in {None, "python" if one.is_python else "typescript"}]
    runs = judge_all([one for one in chosen if one.is_python or not missing])
    click.echo(table(runs))
    if asked.v:
        _tell(runs)
    if missing:
        click.echo(f"not judged: the TypeScript SDK, because {missing}", err=True)
    elif asked.write and not asked.servers:
        FILE.write_text(page(runs))
        click.echo(f"written: {FILE}", err=True)
    return int(asked.write and bool(missing))


def _missing() -> str:
    try:
        install()
    except NpmMissing as problem:
        return str(problem)
    return ""


def _tell(runs: Mapping[str, Run]) -> None:
    for name, run in runs.items():
        for finding in run.findings:
            click.echo(f"{name}: {finding.step}: {finding.where}: {finding.expected[:90]}: {finding.actual[:120]}")


if __name__ == "__main__":
    sys.exit(main())
