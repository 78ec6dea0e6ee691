"""`mcp-ballast record`: real traffic in, redacted sessions out."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from ..target.opening import open_target
from .exits import exit_codes, quiet_target


@click.command()
@click.argument("target", required=False)
@click.option("--port", default=8001, show_default=True, help="The port to listen on, on loopback; 0 for a free one.")
@click.option("--out", metavar="DIR", type=Path, default=Path(".ballast/recordings"), show_default=True)
@click.option("--allow-arguments", metavar="TOOL,...", default="", help="Tools whose arguments may be written.")
@click.option("--har", metavar="FILE", type=Path, help="Read a HAR file instead; TARGET says which server of it.")
@click.option("--path", metavar="PATH", default="/mcp", help="Where an object answers (/mcp).")
def record(target: str | None, **options: Any) -> None:
    """Pass real traffic on to TARGET and write it as sessions, without secrets, until interrupted."""
    from ..recording import running  # noqa: PLC0415 - only this command needs it

    with exit_codes():
        allowed = tuple(filter(None, (tool.strip() for tool in options["allow_arguments"].split(","))))
        recording = running.Recording(out=options["out"], allowed=allowed)
        announce = partial(click.echo, err=True)
        if options["har"] is not None:
            running.import_har(options["har"], target or "", recording, announce=announce)
            return
        if not target:
            raise click.UsageError("No target. Give an address, module:attribute or file.py, or a file with --har.")
        with quiet_target(), open_target(target, path=options["path"]) as opened:
            running.record(opened, recording, port=options["port"], announce=announce)
