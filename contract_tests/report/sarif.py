"""The run as SARIF 2.1.0: one rule for each session and contract, one result for each finding, for code scanning.

A finding is about a server that runs, so its place is the session file that asked, or the target's own file where the
target is one. A fingerprint names session, step and place, so that a finding stays the same while its words change.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, unquote

from ..credentials import without_credentials
from ..outcome import Finding, Run, SessionRun, Verdict
from .words import doubts, first_line, printable

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT: Final = "ballast/v1"
"""The name of the fingerprint: another way to make it gets another one."""

_LEVELS: Final = {"critical": "error", "serious": "error", "minor": "warning", "": "error"}
_BASE: Final = "MCP-BALLAST"
_LONGEST = 1000  # characters of a message: code scanning shows the first lines


def write_sarif(run: Run, path: Path, *, files: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write the run as SARIF 2.1.0, without credentials. An existing file is replaced.

    Args:
        run: what was found.
        path: the file to write.
        files: the file of each session by its id; those below the current folder become places of findings.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(run, files), indent=2, ensure_ascii=True) + "\n", encoding="ascii")


def document(run: Run, files: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """The run as the data that `write_sarif` writes."""
    clean = without_credentials(run)
    places = _Places(clean.target, files)
    rules = {session.id: number for number, session in enumerate(clean.sessions)}
    results = [
        _result(session, finding, number, rules[session.id]) | {"locations": [places.of(session, finding)]}
        for session in clean.sessions
        for number, finding in _numbered(session.findings)
    ]
    driver = {
        "name": "mcp-ballast",
        "semanticVersion": clean.version,
        "rules": [_rule(session) for session in clean.sessions],
    }
    one = {
        "tool": {"driver": driver},
        "originalUriBaseIds": {_BASE: {"description": {"text": "where the package mcp-ballast is installed"}}},
        "automationDetails": {"id": f"mcp-ballast/{_text(clean.target)}/"},
        "invocations": [_invocation(clean)],
        "results": results,
        "columnKind": "utf16CodeUnits",
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [one]}


def _rule(session: SessionRun) -> dict[str, Any]:
    advice = next((finding.advice for finding in session.findings if finding.advice), "")
    guards = f" Guards against {', '.join(session.incidents)}." if session.incidents else ""
    doubt = f" Trust: {', '.join(doubts(session))}." if doubts(session) else ""
    help_text = f"{session.title}.{guards}{doubt} {advice}".strip()
    return {
        "id": session.id,
        "name": "".join(part.title() for part in session.id.replace(".", "-").split("-")),
        "shortDescription": {"text": _text(session.title)},
        "fullDescription": {"text": _text(f"{session.title} ({session.host}, {session.surface}).{doubt}")},
        "help": {"text": _text(help_text), "markdown": _text(help_text)},
        "defaultConfiguration": {"level": _LEVELS.get(session.severity, "error")},
        "properties": {
            "tags": ["mcp", session.host, session.surface, *session.incidents],
            "precision": "medium" if doubts(session) else "high",
            "problem.severity": _LEVELS.get(session.severity, "error"),
            "provenance": session.provenance,
            "seen": session.seen.isoformat(),
            "expires": session.expires.isoformat(),
        },
    }


def _result(session: SessionRun, finding: Finding, number: int, rule: int) -> dict[str, Any]:
    said = f"{finding.step}, {finding.where}: expected {finding.expected}, got {finding.actual}"
    advice = f" Next: {finding.advice}" if finding.advice else ""
    return {
        "ruleId": session.id,
        "ruleIndex": rule,
        "level": _LEVELS.get(session.severity, "error"),
        "message": {"text": _text(f"{said}.{advice}")},
        "partialFingerprints": {FINGERPRINT: fingerprint(session.id, finding, number)},
        "properties": {"incidents": list(finding.incidents)},
    }


def fingerprint(session: str, finding: Finding, number: int = 0) -> str:
    """The same for the same expectation of the same step, whatever came instead; `number` tells equal places apart."""
    parts = json.dumps([session, finding.step, finding.where, number])
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def _numbered(findings: Iterable[Finding]) -> list[tuple[int, Finding]]:
    """Every finding with how many came before it from the same place."""
    seen: dict[tuple[str, str], int] = {}
    numbered = []
    for finding in findings:
        place = (finding.step, finding.where)
        numbered.append((seen.get(place, 0), finding))
        seen[place] = seen.get(place, 0) + 1
    return numbered


class _Places:
    """Where findings are shown: the connector's own file, a session file of the user's, or one of this package."""

    def __init__(self, target: str, files: Mapping[str, str]) -> None:
        name = f"{target.partition('.py')[0]}.py" if ".py" in target and "://" not in target else ""
        self._connector = _relative(name)
        self._files = files

    def of(self, session: SessionRun, finding: Finding) -> dict[str, Any]:
        """The place of one finding."""
        file = _relative(self._files.get(session.id, ""))
        line = _line_of(file, finding.step) if file else 1
        if file or self._connector:
            artifact = {"uri": file or self._connector}
        else:
            artifact = {"uri": f"contract_tests/sessions/{quote(session.id)}.yaml", "uriBaseId": _BASE}
        return {
            "physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}},
            "logicalLocations": [{"fullyQualifiedName": _text(f"{session.id}/{finding.step}"), "kind": "function"}],
        }


def _relative(name: str) -> str:
    """A file below the current folder as a relative URI; empty for any other."""
    path = Path(name).absolute()
    is_below = bool(name) and path.is_file() and path.is_relative_to(Path.cwd())
    return quote(path.relative_to(Path.cwd()).as_posix()) if is_below else ""


def _line_of(uri: str, step: str) -> int:
    """The line where a session file names a step; 1 if it does not."""
    name = step.partition(",")[0].partition(" (")[0]
    lines = Path(unquote(uri)).read_text(encoding="utf-8", errors="replace").splitlines()
    words = {f"- name: {name}", f'- name: "{name}"'}
    return next((number for number, line in enumerate(lines, start=1) if line.strip() in words), 1)


def _invocation(run: Run) -> dict[str, Any]:
    not_checked = [session for session in run.sessions if session.verdict is Verdict.NOT_CHECKED]
    return {
        "executionSuccessful": True,
        "startTimeUtc": run.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "exitCode": run.exit_code,
        "toolExecutionNotifications": [
            {
                "level": "note",
                "message": {"text": _text(f"{session.id} was not checked: {session.reason or 'no reason given'}")},
                "descriptor": {"id": session.id},
            }
            for session in not_checked
        ],
    }


def _text(text: str) -> str:
    return first_line(printable(text), longest=_LONGEST)
