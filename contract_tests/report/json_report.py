"""The run as JSON for machines, in the versioned form that run.schema.json publishes.

Within one format number members are only added, never renamed, removed or given another meaning.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..credentials import without_credentials
from ..outcome import Run, Verdict
from . import contracts
from .words import doubts, verdict_line

FORMAT = 1


def write_json(run: Run, path: Path) -> None:
    """Write the run as JSON (UTF-8, ASCII only), without credentials. An existing file is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # ASCII, because bodies may hold lone surrogates: they have an escape in JSON and no form in UTF-8.
    path.write_text(json.dumps(document(run), indent=2, ensure_ascii=True) + "\n", encoding="ascii")


def document(run: Run) -> dict[str, Any]:
    """The run as the data that `write_json` writes."""
    counts = {verdict: sum(s.verdict is verdict for s in run.sessions) for verdict in Verdict}
    summary = {
        "text": verdict_line(run),
        "hold": counts[Verdict.PASSED],
        "break": counts[Verdict.FAILED],
        "not_checked": counts[Verdict.NOT_CHECKED],
        "exit_code": run.exit_code,
    }
    if run.mutations:
        summary |= {"mutants_survived": run.mutations.survived, "mutants_broken": run.mutations.broke}
    clean = without_credentials(run)
    sessions = [{**_members(session), "doubts": list(doubts(session))} for session in clean.sessions]
    members = {**_members(clean), "sessions": sessions, "contracts": _contracts(clean)}
    return {"format": FORMAT, "summary": summary, **members}


def _contracts(run: Run) -> dict[str, Any]:
    found = contracts.accounts(run.sessions)
    counts = Counter(one.outcome for one in found)
    return {
        "text": contracts.text(found),
        "held": counts["held"],
        "broken": counts["broken"],
        "not_checked": counts["not checked"],
        "standings": [_members(one) for one in found],
    }


def _members(value: Any) -> dict[str, Any]:
    return {member.name: _plain(getattr(value, member.name)) for member in fields(value)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return _members(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, StrEnum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value
