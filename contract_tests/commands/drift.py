"""`mcp-ballast drift`: what callers send tonight against what was approved."""

import logging
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import anyio
import click

from ..target.opening import open_target
from .exits import exit_codes, quiet_target, write_file
from .typed import UNTYPED, configured

_UNITS: Final = {"m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


@click.command()
@click.option(
    "--store",
    metavar="URL",
    required=True,
    envvar=["BALLAST_BOOK_STORE", "BALLAST_STORE"],
    help="The store with the visitors' book, as in BALLAST_BOOK_STORE or BALLAST_STORE.",
)
@click.option("--lock", "lock_file", metavar="FILE", type=Path, default=Path("ballast.lock.yaml"), show_default=True)
@click.option("--approve", is_flag=True, help="Write what was found into the lock file.")
@click.option("--try", "target", metavar="TARGET", help="Rebuild what is new as sessions and play them against TARGET.")
@click.option("--since", metavar="WHEN", default="24h", show_default=True, help="Tonight: 24h, or a date.")
@click.option("--connector", metavar="NAME", default="", help="One connector of a store that several share.")
@click.option("--json", "json_file", metavar="FILE", type=Path, help="Write the findings as JSON.")
@click.option("--config", metavar="FILE", type=Path, help="For --try; ./ballast.toml is read if it exists.")
@click.option("--header", metavar="'NAME: VALUE'", multiple=True, help="A header for TARGET; can be repeated.")
@click.option("--path", metavar="PATH", help="Where an object answers (/mcp).")
def drift(target: str | None, **options: Any) -> None:
    """Compare what callers send with what was approved, and say what is new. 0: nothing; 1: drift; 2: cannot say."""
    with exit_codes():
        exit_code = anyio.run(_drift, target, options)
    sys.exit(exit_code)


async def _drift(target: str | None, options: dict[str, Any]) -> int:
    from ..drift.lockfile import read_lock_file  # noqa: PLC0415 - only this command needs it
    from ..drift.report import approval_lines, as_lines, write_json  # noqa: PLC0415
    from ..drift.running import approved, contents_of, decided, night_of, tried  # noqa: PLC0415

    now = time.time()
    since = _since(options["since"], now)
    file = read_lock_file(options["lock_file"])
    contents = await contents_of(options["store"])
    night = night_of(contents, connector=options["connector"], now=now, since=since)
    decision = decided(night, file.lock, contents, connector=options["connector"])
    if target and file.lock.places:
        configuration = configured(target, {**UNTYPED, **options})
        with quiet_target(logging.WARNING), open_target(configuration.target, path=configuration.path) as opened:
            decision = await tried(decision, file.lock, opened, configuration.options)
    if not file.exists and not options["approve"]:
        click.echo(f"there is no {file.path} yet: everything is new. Begin with --approve.", err=True)
    for line in as_lines(decision, approved=options["approve"]):
        click.echo(line)
    if options["json_file"] is not None:
        write_file(write_json, decision, options["json_file"])
    if not options["approve"]:
        return decision.exit_code
    approval = approved(file, decision, night)
    for line in approval_lines(decision, is_first=approval.is_first, places=approval.places):
        click.echo(line)
    for comment in approval.moved:
        click.echo(f"kept, but its line is gone: {comment}", err=True)
    click.echo(f"written: {file.path}", err=True)
    return 0


def _since(text: str, now: float) -> float:
    """A moment: so long ago, or a date with or without a time (UTC unless it says otherwise)."""
    if found := re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", text.strip()):
        return now - float(found[1]) * _UNITS[found[2]]
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        problem = f"{text!r} is no time: write 24h, 7d or 2026-11-21T22:00."
        raise click.BadParameter(problem, param_hint="--since") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
