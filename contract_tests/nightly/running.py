"""From the plan of a night to the night: run each stage, read its report, go on whatever becomes of it.

What a stage finished is written down at once, so that an interrupted night goes on where it was.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, Final

from ..credentials import clean
from .digest import DIGESTS, summary_of
from .folder import Nights
from .night import Night, Stage, Standing, as_json, from_json
from .stages import Plan

_PROGRAM: Final = (sys.executable, "-c", "from contract_tests.cli import main; main()")
_LAST_WORDS: Final = 400
"""Characters of a stage's output that say why it could not be carried out; all of it is in its log."""

_FINDING: Final = 1
_LONGEST_LEAVING: Final = 30.0
"""Seconds a stage has to end what it started: more than it waits for a target that is killed."""

Announce = Callable[[str], None]


def run_night(empty: Night, planned: Sequence[Plan], nights: Nights, *, limit: float, announce: Announce) -> Night:
    """Run every stage that is not finished yet, each for at most `limit` seconds."""
    place = nights.of(empty.date)
    stages: list[Stage] = []
    for plan in planned:
        stage = _finished(place, plan)
        if stage is not None:
            announce(f"{plan.name}: finished before")
        else:
            if not plan.why_not:
                announce(f"{plan.name} ...")
            stage = _run(plan, place, limit)
            if stage.standing in {Standing.HOLDS, Standing.FINDING}:
                nights.write(empty.date, _done(plan), as_json(replace(empty, stages=(stage,))))
            announce(f"{plan.name}: {stage.standing.value}. {stage.summary}")
        stages.append(stage)
    return replace(empty, stages=tuple(stages))


def _done(plan: Plan) -> str:
    """Where a finished stage is written down: another configuration is another stage."""
    asked = hashlib.sha256("\n".join(plan.words).encode()).hexdigest()[:8]
    return f"{plan.name}.{asked}.done.json"


def _finished(place: Path, plan: Plan) -> Stage | None:
    """The stage as an interrupted run of this very plan left it."""
    if plan.why_not:
        return None
    try:
        left = from_json(json.loads((place / _done(plan)).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    return left.stages[0] if left.stages and left.stages[0].name == plan.name else None


def _run(plan: Plan, place: Path, limit: float) -> Stage:
    if plan.why_not:
        return Stage(name=plan.name, standing=Standing.NOT_CONFIGURED, summary=plan.why_not)
    report = place / plan.report
    report.unlink(missing_ok=True)  # what an interrupted run left is not tonight's answer
    since, log = monotonic(), place / f"{plan.name}.log"
    code = _execute(plan, log, limit)
    seconds = round(monotonic() - since, 1)
    data = _read(report)
    if code is None or data is None:
        why = f"it took longer than {limit:g} s" if code is None else _last_words(log)
        return Stage(name=plan.name, standing=Standing.BROKEN, summary=why, seconds=seconds)
    items = tuple(DIGESTS[plan.name](data))
    is_finding = code == _FINDING or bool(items)
    standing = Standing.FINDING if is_finding else Standing.HOLDS if code == 0 else Standing.BROKEN
    page = plan.page if plan.page and (place / plan.page).exists() else ""
    return Stage(name=plan.name, standing=standing, summary=summary_of(data), seconds=seconds, items=items, page=page)


def _execute(plan: Plan, log: Path, limit: float) -> int | None:
    """The exit code; None if the stage had to be ended."""
    environment = {**os.environ, **plan.environment, "COLUMNS": "120", "NO_COLOR": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*_PROGRAM, *plan.words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        try:
            return process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it first: a target it started is in a group of its own, and only the stage knows of it."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_LONGEST_LEAVING)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _read(report: Path) -> Mapping[str, Any] | None:
    try:
        data = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, Mapping) else None


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return clean(said)[-_LAST_WORDS:]
