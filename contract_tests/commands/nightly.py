"""`mcp-ballast nightly`: canary, suite, mutations, drift and diagnosis, one report, and word of what is new."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from ..configuration import Configuration, read_configuration
from .exits import exit_codes

_FORM = "%Y-%m-%d"


@click.command()
@click.argument("target", required=False)
@click.option("--config", metavar="FILE", type=Path, help="Configuration; ./ballast.toml is read if it exists.")
@click.option("--date", metavar="YYYY-MM-DD", help="Which night it is (today, UTC).")
@click.option("--again", is_flag=True, help="Do a night anew that is over, or was begun.")
def nightly(target: str | None, config: Path | None, date: str | None, again: bool) -> None:
    """Ask TARGET and its platforms everything, write one report, and tell who wants to know what is new.

    Safe to run twice: a night that is over is shown, one that was interrupted goes on where it was.
    """
    with exit_codes():
        code = _night(*_configured(target, config), date=_day(date), again=again)
    sys.exit(code)


def _configured(target: str | None, config: Path | None) -> tuple[Configuration, Path | None, str]:
    file = config or Path("ballast.toml")
    found = read_configuration(file) if config or file.is_file() else Configuration()
    named = target or found.target
    if not named:
        raise click.UsageError("No target. Give an address, module:attribute or file.py, or [target] in ballast.toml.")
    return found, file if config or file.is_file() else None, named


def _day(date: str | None) -> str:
    if date is None:
        return datetime.now(UTC).strftime(_FORM)
    try:
        return datetime.strptime(date, _FORM).replace(tzinfo=UTC).strftime(_FORM)
    except ValueError:
        raise click.BadParameter(f"{date!r} is no day such as 2026-11-21.", param_hint="--date") from None


def _night(configuration: Configuration, file: Path | None, target: str, *, date: str, again: bool) -> int:
    from ..nightly.alerts.telling import tell  # noqa: PLC0415 - only this command needs it
    from ..nightly.folder import Nights  # noqa: PLC0415
    from ..nightly.night import Night, news  # noqa: PLC0415
    from ..nightly.page import write_page  # noqa: PLC0415
    from ..nightly.running import run_night  # noqa: PLC0415
    from ..nightly.settings import to_settings  # noqa: PLC0415
    from ..nightly.stages import Ground, plans  # noqa: PLC0415
    from ..report.history import redacted  # noqa: PLC0415

    settings = to_settings(configuration.nightly)
    nights = Nights(settings.folder)
    with nights.alone():
        if again:
            nights.clear(date)
        night: Any = nights.complete(date)
        before = tuple(nights.before(date))
        if night is None:
            ground = Ground(target=target, config=file, place=nights.of(date), has_canary=bool(configuration.canary))
            empty = Night(date=date, target=redacted(target), version=version("mcp-ballast"), stages=())
            planned = tuple(plans(ground, settings))
            night = run_night(empty, planned, nights, limit=settings.limit, announce=_announce)
        new = news(night, before)
        nights.finish(night)  # first of all: whoever is interrupted now must not ask everything again
        night = replace(night, told=tell(night, new, settings, before=night.told))
        nights.finish(night)
        page = nights.of(date) / "night.html"
        write_page(night, new, before, page)
        nights.forget(settings.nights)
    _say(night, new, page)
    code: int = night.exit_code
    return code


def _announce(said: str) -> None:
    click.echo(said, err=True)


def _say(night: Any, new: Any, page: Path) -> None:
    from ..nightly.alerts.payload import headline  # noqa: PLC0415 - as above

    click.echo(headline(night, new))
    for item in new.new:
        click.echo(f"  new   [{item.severity}] {item.title}")
    for item in new.over:
        click.echo(f"  over  {item.title}")
    for name, came_to in night.told.items():
        click.echo(f"  told  {name}: {came_to}")
    click.echo(f"written: {page}", err=True)
