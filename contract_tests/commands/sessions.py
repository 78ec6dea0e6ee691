"""`mcp-ballast sessions`: what is known and would be played."""

from collections.abc import Sequence
from pathlib import Path

import click

from ..checks.registry import EVIDENCE, choose_contracts
from ..checks.standings import evidence_listed
from ..explaining import contract_explained, contracts_listed, explained, listed, rule_explained, rules_listed
from ..mutating.registry import RULES, choose_rules
from ..notation.corpus import choose, load_sessions
from .exits import exit_codes


@click.command()
@click.argument("id", required=False)
@click.option("--sessions", metavar="PATH", multiple=True, type=Path, help="More sessions: a file or a folder.")
def sessions(id: str | None, sessions: Sequence[Path]) -> None:  # noqa: A002 - the word people type
    """List the sessions, the numbered contracts and the rules of --mutate, or show one: what is sent and expected."""
    with exit_codes():
        known = load_sessions(*sessions)
        if not id:
            click.echo(f"{listed(known)}\n{contracts_listed(choose_contracts())}\n{evidence_listed()}")
            click.echo(rules_listed(RULES))
        elif id in {rule.id for rule in RULES}:
            click.echo(rule_explained(choose_rules([id])[0], known))
        elif id in EVIDENCE or choose_contracts([id]):
            for contract in choose_contracts([id]):
                click.echo(contract_explained(contract))
            if id in EVIDENCE:
                click.echo(f"{id} is shown by sessions: {', '.join(EVIDENCE[id])}")
        else:
            click.echo(explained(choose(known, [id])[0]))
