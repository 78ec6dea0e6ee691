"""Where `mcp-ballast diagnose` gets evidence from inside: a visitors' book, a history, a canary, a person.

Reads files and a store, and hands on values; what they say is decided in the diagnosis room.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import time
from typing import Any

import click

from ..diagnosis.inside.book import Book
from ..diagnosis.inside.fleet import fleet_signs
from ..diagnosis.inside.pace import pace_signs
from ..diagnosis.inside.past import canary_signs, drift_sign, history_sign
from ..diagnosis.inside.words import says_sign
from ..diagnosis.weighing.verdict import Sign
from ..drift.running import contents_of
from ..report.history_file import past_runs


async def gathered(target: str, typed: Mapping[str, Any]) -> tuple[Sign, ...]:
    """All evidence that the options of the command name."""
    is_failing_now = bool(typed["says"].strip())
    return (
        *said(typed["says"]),
        *of_history(typed["history"], target),
        *of_canary(typed["canary"]),
        *of_drift(typed["drift"]),
        *await of_store(typed["store"], typed["connector"], is_failing_now=is_failing_now),
    )


def said(words: str) -> Iterator[Sign]:
    """What a person sees in the host; nothing if nobody says anything."""
    if words.strip():
        yield says_sign(words.strip())


def of_history(file: Path | None, target: str) -> Iterator[Sign]:
    """What the last two runs of the contract tests against a target say."""
    if file is not None:
        past = past_runs(file, target)
        for remark in past.remarks:
            click.echo(remark, err=True)
        sign = history_sign(past.runs)
        if sign is not None:
            yield sign


def of_canary(file: Path | None) -> tuple[Sign, ...]:
    """What `mcp-ballast canary --json FILE` found."""
    return canary_signs(_report(file))


def of_drift(file: Path | None) -> Iterator[Sign]:
    """What `mcp-ballast drift --json FILE` found."""
    sign = drift_sign(_report(file))
    if sign is not None:
        yield sign


def _report(file: Path | None) -> Mapping[str, Any]:
    """A report of another command. Without one the diagnosis goes on: what broke that night must not hide the rest."""
    if file is None:
        return {}
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        click.echo(f"{file} is not used: {problem}", err=True)
        return {}
    return report if isinstance(report, dict) else {}


async def of_store(url: str, connector: str, *, is_failing_now: bool) -> tuple[Sign, ...]:
    """What the visitors' book of a fleet says of one of its connectors."""
    if not url:
        return ()
    read = await contents_of(url)
    book = Book(failures=read.failures, deploys=read.deploys, cadences=read.cadences, sightings=read.sightings)
    names = _names(book)
    if not names:
        click.echo("the store has no visitors' book yet, so it says nothing", err=True)
        return ()
    name, now = _chosen(names, connector), time()
    return (*fleet_signs(book, name, now), *pace_signs(book, name, now, is_failing_now=is_failing_now))


def _names(book: Book) -> list[str]:
    known = {row.connector for row in book.failures} | {row.connector for row in book.cadences}
    return sorted(known | {row.connector for row in book.sightings} | {row.connector for row in book.deploys})


def _chosen(names: list[str], connector: str) -> str:
    if connector in names:
        return connector
    if not connector and len(names) == 1:
        return names[0]
    raise click.BadParameter(f"the book knows {', '.join(names)}. Name the one that fails.", param_hint="--connector")
