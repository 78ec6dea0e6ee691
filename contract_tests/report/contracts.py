"""How each of the 43 contracts stands, in the words of reports: its title, and what would make it checkable. Pure.

The standing itself is decided in `checks.standings`; here it only gets words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ..checks.registry import CONTRACTS
from ..checks.standings import Standing, evidence, standings
from ..outcome import SessionRun
from .words import doubts

WORDS: Final = {"held": "holds", "broken": "is broken", "not checked": "not checked"}

_OF_SESSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CT-06": "A question before the handshake is answered or refused, and the handshake still works",
        "CT-17": "Every event that clients of older revisions get carries a message",
        "CT-20": "Who looks for the authorization server finds it, and only where there is one",
        "CT-24": "A client that is known by its document can log in",
        "CT-27": "One refresh token that is used several times at once serves everybody",
        "CT-28": "A session goes on with the token of a refresh",
    }
)
"""Titles of the contracts that sessions show; checks have their own."""

_TITLES: Final = {**_OF_SESSIONS, **{contract.id: contract.title for contract in CONTRACTS}}

_NOT_APPLICABLE: Final = (
    ("asks for no authorization", "nothing, unless people should have to log in to this target"),
    ("the target asks for authorization", "nothing, unless the target should let everybody in"),
    ("no tool's securitySchemes", "nothing, unless a tool of this target asks for a login by its securitySchemes"),
    ("does not speak 2026-07-28", "nothing, until the target speaks the revision 2026-07-28"),
    ("does not answer initialize", "nothing, until the target answers the handshake of older revisions"),
    ("no tool names a ui:// resource", "nothing, until a tool of this target has a widget"),
    ("offers no dynamic registration", "nothing, unless clients should be able to register"),
    ("answers no event streams", "nothing, until the target answers with event streams"),
    ("itself answers at /sse", "nothing, until the target has left /sse"),
)
"""Part of a reason, and what would have to be different, where the target has nothing that the contract is about."""

_REMEDIES: Final = (
    *_NOT_APPLICABLE,
    (
        "not called unasked",
        "a tool that may be called: readOnlyHint, or [tools.NAME] arguments = {...} in ballast.toml",
    ),
    ("it takes two processes", 'two processes of the server: workers = ["http://...", "http://..."] under [target]'),
    ("nothing says how", "what starts the target: command = [...] under [target] in ballast.toml"),
    ("newest dependencies", "a CI job that installs the newest allowed dependencies, then runs this suite"),
    ("nightly canary", "a nightly look at what the platform publishes: no single target shows it"),
    ("limits registrations", "an instance for tests with a higher limit of registrations"),
    ("see CT-07", "a handshake that is answered: see CT-07"),
)

NOT_IN_RUN: Final = "it was not part of this run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One contract in words.

    `by` are the checks and sessions that say how it stands, `remedy` what would make it checkable; both may be empty.
    `left_out` are parts of it that were not checked, each with its reason; `doubts` speak against those that say so.
    """

    number: str
    title: str
    outcome: str
    by: tuple[str, ...]
    reason: str
    remedy: str
    left_out: tuple[str, ...]
    doubts: tuple[str, ...]
    is_in_run: bool
    is_applicable: bool


def accounts(sessions: Sequence[SessionRun]) -> tuple[Account, ...]:
    """One account for each of the 43, in order."""
    by_id = {session.id: session for session in sessions}
    return tuple(_account(standing, by_id) for standing in standings(sessions))


def text(found: Sequence[Account]) -> str:
    """One sentence without a full stop: contracts: 30 hold, 2 are broken (CT-04, CT-21), 11 not checked."""
    held = sum(one.outcome == "held" for one in found)
    broken = [one.number for one in found if one.outcome == "broken"]
    names = f" ({', '.join(broken)})" if broken else ""
    verbs = ("holds" if held == 1 else "hold", "is" if len(broken) == 1 else "are")
    unchecked = len(found) - held - len(broken)
    return f"contracts: {held} {verbs[0]}, {len(broken)} {verbs[1]} broken{names}, {unchecked} not checked"


def _account(standing: Standing, by_id: Mapping[str, SessionRun]) -> Account:
    asked = [by_id[key] for key in evidence(standing.number) if key in by_id]
    is_unchecked = standing.outcome == "not checked"
    told = [by_id[key] for key in standing.by] or asked
    return Account(
        number=standing.number,
        title=_TITLES[standing.number],
        outcome=standing.outcome,
        by=standing.by,
        reason=standing.reason or ("no reason given" if is_unchecked else ""),
        remedy=remedy(standing.number, standing.reason) if is_unchecked else "",
        left_out=standing.left_out,
        doubts=tuple(dict.fromkeys(f"{run.id}: {doubt}" for run in told for doubt in doubts(run))),
        is_in_run=bool(asked),
        is_applicable=not any(part in standing.reason for part, _ in _NOT_APPLICABLE),
    )


def why(reason: str, advice: str) -> str:
    """A reason with what would make it checkable, unless the reason ends with that."""
    return f"{reason}. What would make it checkable: {advice}" if advice and not reason.endswith(advice) else reason


def remedy(number: str, reason: str) -> str:
    """What would make a contract checkable, from the reason why it was not; many say so themselves, after a colon."""
    if reason == NOT_IN_RUN:
        return f"a run without --only and --host-profile, or one with --only {number}"
    told = [advice for part, advice in _REMEDIES if part in reason]
    return "; ".join(told) or reason.partition(": ")[2] or f"what `mcp-ballast sessions {number}` says it needs"
