"""The run as SARIF 2.1.0: a rule for each session, contract and platform change, a result for each finding.

What was not checked is a notification, because code scanning would show a result of any kind as an alert.
A finding is about a server that runs, so its place is the session file that asked, or the target's own file where the
target is one. A fingerprint names session, step and place, so that a finding stays the same while its words change.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, unquote

from ..credentials import without_credentials
from ..outcome import Finding, Run, SessionRun, Verdict
from . import contracts
from .sarif_mutants import broken, mutant_result, mutant_rule
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
    rules = [*map(_rule, clean.sessions), *map(mutant_rule, clean.mutations.rules if clean.mutations else ())]
    numbers = {rule["id"]: number for number, rule in enumerate(rules)}
    trust = {session.id: doubts(session) for session in clean.sessions}
    results = [
        _result(session, finding, number, numbers[session.id]) | {"locations": [places.of(session.id, finding.step)]}
        for session in clean.sessions
        for number, finding in _numbered(session.findings)
    ]
    for row, mutant in broken(clean.mutations):
        result = mutant_result(row, mutant, trust.get(mutant.session, ()))
        place = places.of(mutant.session, mutant.differences[0].step if mutant.differences else "")
        results.append(result | {"ruleIndex": numbers[result["ruleId"]], "locations": [place]})
    driver = {"name": "mcp-ballast", "semanticVersion": clean.version, "rules": rules}
    standings = contracts.accounts(clean.sessions)
    one = {
        "tool": {"driver": driver},
        "originalUriBaseIds": {_BASE: {"description": {"text": "where the package mcp-ballast is installed"}}},
        "automationDetails": {"id": f"mcp-ballast/{_text(clean.target)}/"},
        "invocations": [_invocation(clean, standings)],
        "results": results,
        "columnKind": "utf16CodeUnits",
        "properties": {"contracts": {account.number: account.outcome for account in standings}},
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
            "tags": list(dict.fromkeys(("mcp", session.host, session.surface, *session.incidents))),
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
    doubt = f" Trust: {', '.join(doubts(session))}." if doubts(session) else ""
    return {
        "ruleId": session.id,
        "ruleIndex": rule,
        "level": _LEVELS.get(session.severity, "error"),
        "message": {"text": _text(f"{said}.{advice}{doubt}")},
        "partialFingerprints": {FINGERPRINT: fingerprint(session.id, finding, number)},
        "properties": {"incidents": list(finding.incidents), "host": session.host, "doubts": list(doubts(session))},
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

    def of(self, session: str, step: str) -> dict[str, Any]:
        """The place of a step, by the ids of both."""
        file = _relative(self._files.get(session, ""))
        line = _line_of(file, step) if file else 1
        if file or self._connector:
            artifact = {"uri": file or self._connector}
        else:
            artifact = {"uri": f"contract_tests/sessions/{quote(session)}.yaml", "uriBaseId": _BASE}
        return {
            "physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}},
            "logicalLocations": [{"fullyQualifiedName": _text(f"{session}/{step}"), "kind": "function"}],
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


def _invocation(run: Run, standings: Sequence[contracts.Account]) -> dict[str, Any]:
    return {
        "executionSuccessful": True,
        "startTimeUtc": run.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "exitCode": run.exit_code,
        "toolExecutionNotifications": [
            {"level": "note", "message": {"text": _text(said)}, "descriptor": {"id": identity}}
            for identity, said in _notices(run, standings)
        ],
    }


def _notices(run: Run, standings: Sequence[contracts.Account]) -> Iterator[tuple[str, str]]:
    """What no result says, by id: who was not checked and why, and whom not to trust."""
    own = {session.id for session in run.sessions}
    for session in run.sessions:
        if session.verdict is Verdict.NOT_CHECKED:
            advice = contracts.remedy(session.id, session.reason) if session.severity else ""
            reason = contracts.why(session.reason or "no reason given", advice)
            yield session.id, f"{session.id} was not checked: {reason}"
    for account in standings:
        if account.outcome == "not checked" and account.is_in_run and account.number not in own:
            yield account.number, f"{account.number} was not checked: {contracts.why(account.reason, account.remedy)}"
    if left := [account.number for account in standings if not account.is_in_run and not account.by]:
        yield "contracts", f"contracts that were not part of this run: {', '.join(left)}"
    for session in run.sessions:
        if doubts(session):
            yield session.id, f"{session.id} may say nothing of the platform of today: {', '.join(doubts(session))}"


def _text(text: str) -> str:
    return first_line(printable(text), longest=_LONGEST)
