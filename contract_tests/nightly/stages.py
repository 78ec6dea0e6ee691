"""The stages of a night, and the words by which each is run. Pure.

Every stage is a command of this program, in a process of its own: one that hangs or crashes takes nothing with it, and
what a night says can be had again by hand. Secrets go by the environment, where other users do not see them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..mark import VARIABLE
from .settings import Settings

STORE: Final = "BALLAST_BOOK_STORE"
"""Not BALLAST_STORE: a target that is served here for the night must not open the connector's own store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One stage to run. `report` and `page` are files it writes; `why_not` says why it is left out."""

    name: str
    words: tuple[str, ...] = ()
    report: str = ""
    page: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all stages stand on: the target, the configuration file if there is one, and the night's folder."""

    target: str
    config: Path | None
    place: Path
    has_canary: bool


def plans(ground: Ground, settings: Settings) -> Iterator[Plan]:
    """Every stage, in order."""
    for plan in (_canary(ground), _suite(ground, settings), _drift(ground, settings), _diagnosis(ground, settings)):
        yield plan if plan.name in settings.stages else Plan(name=plan.name, why_not="left out by stages")


def _canary(ground: Ground) -> Plan:
    if not ground.has_canary:
        return Plan(name="canary", why_not="nothing to ask of the platform: name it under [canary]")
    state = ("--state", str(ground.place.parent / "canary.json"))
    return _plan("canary", ground, ("canary", ground.target, *state))


def _suite(ground: Ground, settings: Settings) -> Plan:
    words = ["test", ground.target, "--html", str(ground.place / "suite.html")]
    words += ["--history", str(ground.place.parent / "history.jsonl")]
    if settings.mutants:
        words += ["--mutate", "--mutants", str(settings.mutants)]
    for option, file in (("--baseline", settings.baseline), ("--surface", settings.surface)):
        words += [option, str(file)] if file is not None and file.exists() else []
    return _plan("suite", ground, tuple(words), page="suite.html")


def _drift(ground: Ground, settings: Settings) -> Plan:
    if settings.lock is None:
        return Plan(name="drift", why_not="no book to look into: name store and lock under [nightly]")
    words = ("drift", "--lock", str(settings.lock), "--try", ground.target, *_one_of(settings))
    return _plan("drift", ground, words, environment={STORE: settings.store})


def _diagnosis(ground: Ground, settings: Settings) -> Plan:
    words = ["diagnose", ground.target, "--history", str(ground.place.parent / "history.jsonl")]
    words += ["--canary", str(ground.place / "canary.report.json")] if ground.has_canary else []
    words += ["--drift", str(ground.place / "drift.report.json")] if settings.lock is not None else []
    words += ["--direct", settings.direct] if settings.direct else []
    words += _one_of(settings) if settings.store else ()
    return _plan("diagnosis", ground, tuple(words), environment={STORE: settings.store} if settings.store else {})


def _one_of(settings: Settings) -> tuple[str, ...]:
    return ("--connector", settings.connector) if settings.connector else ()


def _plan(
    name: str, ground: Ground, words: tuple[str, ...], page: str = "", environment: Mapping[str, str] | None = None
) -> Plan:
    report = f"{name}.report.json"
    config = ("--config", str(ground.config)) if ground.config is not None else ()
    return Plan(
        name=name,
        words=(*words, *config, "--json", str(ground.place / report)),
        report=report,
        page=page,
        environment={VARIABLE: "nightly", **(environment or {})},
    )
