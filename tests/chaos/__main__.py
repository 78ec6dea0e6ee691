"""`python -m tests.chaos --store postgres --calls 10000 --seed 7` says what happened; exits 1 if a rule was broken."""

import asyncio
import sys
from pathlib import Path

import click
import pytest

from tests.chaos.checking import violations
from tests.chaos.plans import FAULTS, Plans
from tests.chaos.recording import write
from tests.chaos.run import run
from tests.chaos.stores import SHELVES
from tests.chaos.table import shown, table

_MOST_SHOWN = 10


@click.command()
@click.option(
    "--store", "stores", type=click.Choice(list(SHELVES)), multiple=True, help="Default: one after the other."
)
@click.option("--calls", default=10_000, show_default=True, help="Requests of clients for each store, at least.")
@click.option("--seed", default=7, show_default=True)
@click.option("--faults", default=",".join(FAULTS), show_default=True, help="Which kinds, with commas between them.")
@click.option("--strikes", default=4.0, show_default=True, help="Of a hundred stories, those struck at a commit point.")
@click.option("--history", type=click.Path(path_type=Path), help="A folder for the histories, as lines of JSON.")
def main(stores: tuple[str, ...], calls: int, seed: int, faults: str, strikes: float, history: Path | None) -> None:
    """Break everything around calls that run once, and check what was promised."""
    is_broken = False
    for store in stores or tuple(SHELVES):
        plans = Plans(store=store, calls=calls, seed=seed, faults=faults.split(","), strikes=strikes)
        try:
            ran = asyncio.run(run(plans))
        except pytest.skip.Exception as skipped:
            raise click.UsageError(str(skipped)) from None
        found = violations(ran.history)
        if history is not None:
            history.mkdir(parents=True, exist_ok=True)
            write(ran.history, history / f"{store}-{seed}.jsonl")
        click.echo(table(ran, found))
        for violation in found[:_MOST_SHOWN]:
            click.echo(shown(violation, ran.history))
        is_broken = is_broken or bool(found)
    sys.exit(1 if is_broken else 0)


if __name__ == "__main__":
    main()
