"""Playing shipped or written sessions against a target, through the public names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import yaml

from contract_tests import Options, Run, SessionRun, choose, load_sessions, open_target, play_sessions


def play(target: object, *only: str, options: Options | None = None) -> Run:
    """Play shipped sessions without pauses."""
    chosen = choose(load_sessions(), only)

    async def run() -> Run:
        with open_target(target) as opened:
            return await play_sessions(chosen, opened, options=options or Options(pace="none", seed=1))

    return anyio.run(run)


def verdicts(run: Run) -> dict[str, str]:
    """The verdict of every session."""
    return {session.id: session.verdict.value for session in run.sessions}


HEAD: Mapping[str, Any] = {
    "format": 1,
    "id": "mine",
    "title": "A session of a test",
    "host": "test",
    "surface": "test",
    "build": "test/1",
    "seen": "2026-11-01",
    "provenance": "observed",
    "source": "this test",
    "expires": "2027-11-01",
}


def write(folder: Path, **members: Any) -> Path:
    """Write a session file; members replace those of `HEAD`."""
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump({**HEAD, **members}, sort_keys=False), encoding="utf-8")
    return file


def play_written(
    target: object, folder: Path, *steps: Mapping[str, Any], options: Options | None = None, **members: Any
) -> SessionRun:
    """Play a session written in the test."""
    sessions = load_sessions(write(folder, steps=list(steps), **members), shipped=False)

    async def run() -> Run:
        with open_target(target) as opened:
            return await play_sessions(sessions, opened, options=options or Options(pace="none", seed=1))

    return anyio.run(run).sessions[0]
