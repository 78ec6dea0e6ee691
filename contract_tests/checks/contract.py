"""`Contract`: a numbered promise that takes more than one dialogue to check, as a value.

What asks is a function of an `Inquiry`, which keeps every exchange. It finds, or says why it cannot be checked; if it
does neither, the contract holds.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from .inquiry import Inquiry

Severity = Literal["critical", "serious", "minor"]
"""critical: nobody can log in or work; serious: some do and some do not; minor: a nuisance, or a risk."""

Ask: TypeAlias = Callable[[Inquiry], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract. `residue` says what checking it leaves behind in the target; empty if nothing.

    `needs` are words of session files (access, legacy, modern, tool). A destructive one is checked on request only; one
    that is alone shares the target with no other check while it runs.
    """

    id: str
    title: str
    about: str
    incidents: tuple[str, ...]
    severity: Severity
    advice: str
    source: str
    seen: date
    expires: date
    ask: Ask
    surface: str = "oauth"
    host: str = "any"
    residue: str = ""
    needs: tuple[str, ...] = ()
    is_destructive: bool = False
    is_alone: bool = False

    def is_expired(self, today: date) -> bool:
        """Whether what it rests on may have changed: `expires` is the last good day."""
        return today > self.expires
