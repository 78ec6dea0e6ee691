"""From the words of a host, as a person repeats them, to an answer of the table. Pure; the words are data."""

import re
from typing import Final

from ..weighing.verdict import Sign

_WORDS: Final = (
    # The special before the general. Sources: the incident on the right, or the wire facts of the hosts.
    ("lost-its-own-state", r"state not found|unknown oauth state"),  # P-12
    ("stream-error", r"error in message stream|message stream"),  # P-05
    ("dependency-failed", r"\b424\b|failed dependency|taskgroup|sub-exception"),  # P-06, P-07
    ("timed-out", r"\b504\b|timed? ?out|gateway timeout|-32001"),  # T-03, D-04; the Responses API's words
    ("session-expired", r"session (has )?expired|connection has expired|session terminated"),  # F-02, T-05
    (
        "sign-in-failed",
        r"oauth|invalid_(client|grant|redirect|scope|request|token)|registration|sign.?in|authori[sz]|issuer|aadsts\d+",
    ),  # P-02, P-10, P-31, P-33, O-01
    ("unavailable", r"unavailable|couldn.?t reach|can.?t connect|connection (failed|closed|refused)|unreachable"),
)
"""Patterns of what hosts show, by answer."""


def says_sign(text: str) -> Sign:
    """What a host shows, as an answer of the table; `other` if the words are not known."""
    answer = next((answer for answer, words in _WORDS if re.search(words, text, re.IGNORECASE)), "other")
    return Sign(question="host-says", answer=answer, fact=text)
