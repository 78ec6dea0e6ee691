"""`mcp-ballast canary`: what has the platform changed."""

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import click

from ..configuration import Configuration, read_configuration
from ..target.opening import open_target
from .exits import exit_codes, quiet_target, write_file


@click.command()
@click.argument("target", required=False)
@click.option("--config", metavar="FILE", type=Path, help="Configuration; ./ballast.toml is read if it exists.")
@click.option("--json", "json_file", metavar="FILE", type=Path, help="Write the report as JSON.")
@click.option(
    "--state", metavar="PATH", type=Path, help="What was seen last: a file or a folder (.ballast/canary.json)."
)
def canary(target: str | None, config: Path | None, json_file: Path | None, state: Path | None) -> None:
    """Ask the platform itself: what it publishes, its API as a caller of TARGET, and the newest client library.

    Only what [canary] in ballast.toml names is asked.
    """
    from ..canary import as_lines, write_json  # noqa: PLC0415 - only this command needs it

    with exit_codes():
        with quiet_target():
            found = anyio.run(_canary, _configured(config), target, state)
        for line in as_lines(found):
            click.echo(line)
        if json_file is not None:
            write_file(write_json, found, json_file)
    sys.exit(found.exit_code)


def _configured(file: Path | None) -> Configuration:
    named = file or Path("ballast.toml")
    found = read_configuration(named) if file or named.is_file() else Configuration()
    if not found.canary:
        raise click.UsageError("Nothing to ask: name it under [canary] in ballast.toml, as docs/canary.md shows.")
    return found


async def _canary(configuration: Configuration, target: str | None, state: Path | None) -> Any:
    from ..canary import run_canary, to_settings  # noqa: PLC0415 - as above

    settings = to_settings(configuration.canary)
    if state is not None:
        settings = replace(settings, state=state)
    named = target or configuration.target
    with ExitStack() as stack:
        opened = stack.enter_context(open_target(named, path=configuration.path)) if named else None
        options = configuration.options
        return await run_canary(settings, opened, headers=options.headers, examples=options.examples)
