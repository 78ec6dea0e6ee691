"""What can drift, in which direction, and how grave that is before anybody has tried it. A closed set, as tables.

A trial says more than any table: what breaks is critical whatever it is, and what survives keeps its severity.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What has drifted."""

    SURFACE = "surface"
    VERSION = "version"
    METHOD = "method"
    HEADER = "header"
    MEMBER = "member"
    VALUE = "value"
    CADENCE = "cadence"
    SILENCE = "silence"


class Turn(StrEnum):
    """In which direction."""

    APPEARED = "appeared"
    VANISHED = "vanished"
    CHANGED = "changed"


class Severity(StrEnum):
    """How soon somebody should look, gravest first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


_DEFAULTS: Final[Mapping[tuple[Kind, Turn], Severity]] = {
    (Kind.SURFACE, Turn.APPEARED): Severity.HIGH,  # P-01 began with a part of the platform that nobody had met
    (Kind.VERSION, Turn.APPEARED): Severity.HIGH,  # P-37: two waves of refusals
    (Kind.METHOD, Turn.APPEARED): Severity.HIGH,  # P-16: server/discover came unannounced
    (Kind.HEADER, Turn.APPEARED): Severity.LOW,  # an unknown header is ignored by nearly everything
    (Kind.HEADER, Turn.VANISHED): Severity.HIGH,  # P-01: Mcp-Session-Id was dropped, stateful servers answered 400
    (Kind.MEMBER, Turn.APPEARED): Severity.MEDIUM,  # S-01, P-18: strict models refuse unknown members
    (Kind.MEMBER, Turn.VANISHED): Severity.HIGH,  # P-09: no scope on reconnect
    (Kind.MEMBER, Turn.CHANGED): Severity.HIGH,
    (Kind.VALUE, Turn.APPEARED): Severity.HIGH,  # P-02, P-28: another auth method, another grant
    (Kind.VALUE, Turn.VANISHED): Severity.MEDIUM,
    (Kind.VALUE, Turn.CHANGED): Severity.HIGH,
    (Kind.CADENCE, Turn.CHANGED): Severity.MEDIUM,  # P-04: every call twice
    (Kind.SILENCE, Turn.VANISHED): Severity.HIGH,  # P-21: listed, and never called any more
}

_OF_NAMES: Final[Mapping[tuple[Kind, Turn, str], Severity]] = {
    (Kind.CADENCE, Turn.CHANGED, "cut after"): Severity.HIGH,  # whoever relied on the longer time loses answers
    (Kind.CADENCE, Turn.CHANGED, "codes redeemed"): Severity.HIGH,  # P-12: nobody can link an account
    (Kind.HEADER, Turn.VANISHED, "user-agent"): Severity.MEDIUM,
}


def severity_of(kind: Kind, turn: Turn, name: str = "") -> Severity:
    """How grave a drift is by what it is; `name` is that of the header, member, value or measure."""
    return _OF_NAMES.get((kind, turn, name)) or _DEFAULTS.get((kind, turn), Severity.MEDIUM)


def gravest(severities: list[Severity]) -> Severity:
    """The gravest of several; low without any."""
    order = list(Severity)
    return min(severities, key=order.index, default=Severity.LOW)
