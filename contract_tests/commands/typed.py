"""What was typed, laid over what ballast.toml says: what is typed wins."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from ..configuration import Configuration, read_configuration

UNTYPED: Final[Mapping[str, Any]] = {
    "pace": None,
    "seed": None,
    "traces": False,
    "host_profile": None,
    "only": (),
    "sessions": (),
    "slow": False,
}
"""What a command that replays nothing has no options for."""


def configured(target: str | None, typed: Mapping[str, Any]) -> Configuration:
    """What the command is to work with.

    Raises:
        click.UsageError: Nothing names a target.
        BadConfiguration: The file cannot be used.
    """
    file = typed["config"] or Path("ballast.toml")
    found = read_configuration(file) if typed["config"] or file.is_file() else Configuration()
    options = found.options
    options = replace(
        options,
        headers=(*options.headers, *(_header(text) for text in typed["header"])),
        pace=typed["pace"] or options.pace,
        seed=options.seed if typed["seed"] is None else typed["seed"],
        is_traced=typed["traces"],
        is_slow=typed["slow"],
        named=tuple(typed["only"]) or found.only,
    )
    chosen = target or found.target
    if not chosen:
        raise click.UsageError("No target. Give an address, module:attribute or file.py, or [target] in ballast.toml.")
    return Configuration(
        target=chosen,
        path=typed["path"] or found.path,
        host_profile=typed["host_profile"] or found.host_profile,
        only=tuple(typed["only"]) or found.only,
        sessions=(*found.sessions, *typed["sessions"]),
        command=found.command if chosen == found.target else (),
        options=options,
    )


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"{name!r} is not 'Name: value'.", param_hint="--header")
    return name.strip(), value.strip()
