"""`mcp-ballast diagnose`: whose fault is it."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import click

from ..configuration import Configuration
from ..target.opening import open_target
from .exits import exit_codes, quiet_target, write_file
from .typed import UNTYPED, configured


@click.command()
@click.argument("target", required=False)
@click.option("--direct", metavar="URL", default="", help="The connector's own address, past everything before it.")
@click.option("--config", metavar="FILE", type=Path, help="Configuration; ./ballast.toml is read if it exists.")
@click.option("--header", metavar="'NAME: VALUE'", multiple=True, help="A header for the target; can be repeated.")
@click.option("--path", metavar="PATH", help="Where an object answers (/mcp).")
@click.option("--says", metavar="TEXT", default="", help="What the host shows, e.g. 'Error in message stream'.")
@click.option(
    "--store",
    metavar="URL",
    default="",
    envvar="BALLAST_BOOK_STORE",
    help="Read the visitors' book of the fleet in this store.",
)
@click.option("--connector", metavar="NAME", default="", help="With --store: which connector of the book fails.")
@click.option("--history", metavar="FILE", type=Path, help="Compare the last two runs of TARGET in a history of runs.")
@click.option("--canary", metavar="FILE", type=Path, help="Use what mcp-ballast canary --json FILE found.")
@click.option("--drift", metavar="FILE", type=Path, help="Use what mcp-ballast drift --json FILE found.")
@click.option("--patience", default=8.0, type=click.FloatRange(min=0.1), help="Seconds to listen to a stream (8).")
@click.option("--json", "json_file", metavar="FILE", type=Path, help="Write the diagnosis as JSON.")
def diagnose(target: str | None, **options: Any) -> None:
    """Ask TARGET as hosts do, weigh what is seen, and say whose fault a failure is."""
    from ..diagnosis.report import as_lines, write_json  # noqa: PLC0415 - only this command needs it

    with exit_codes():
        with quiet_target():
            found = anyio.run(_diagnose, configured(target, {**UNTYPED, **options}), options)
        for line in as_lines(found):
            click.echo(line)
        if options["json_file"] is not None:
            write_file(write_json, found, options["json_file"])
    sys.exit(found.exit_code)


async def _diagnose(configuration: Configuration, typed: Mapping[str, Any]) -> Any:
    from ..diagnosis import diagnose  # noqa: PLC0415 - as above
    from .evidence import gathered  # noqa: PLC0415

    direct = typed["direct"]
    if direct and "://" not in direct:
        raise click.BadParameter(f"{direct!r} is no address such as http://127.0.0.1:8000/mcp.", param_hint="--direct")
    options = configuration.options
    with ExitStack() as stack:
        inside = await gathered(configuration.target, typed)
        target = stack.enter_context(open_target(configuration.target, path=configuration.path))
        own = stack.enter_context(open_target(direct, path=configuration.path)).addresses[-1] if direct else ""
        return await diagnose(
            target,
            headers=options.headers,
            examples=options.examples,
            direct=own,
            patience=typed["patience"],
            inside=inside,
        )
