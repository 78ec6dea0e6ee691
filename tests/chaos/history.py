"""What happened, as data: wishes, what was asked and answered, what had an effect, and which faults there were.

Moments are seconds since 1970 on the clock of the machine the run was on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Ending(Enum):
    """How an asking ended for the client."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"
    """It was told that nobody knows."""
    MISMATCH = "mismatch"
    """It was refused because the key belongs to other arguments."""
    REFUSED = "refused"
    """It was told that nothing was done for it, and that it may ask again."""
    LOST = "lost"
    """No whole answer came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a tool declares. `takes_over`: an attempt that was cut off is begun again. `is_deduplicated`: the other side
    honours the call's key. `keeps_failures`: a failure is an answer like any other.
    """

    takes_over: bool = False
    is_deduplicated: bool = False
    keeps_failures: bool = True


POLICIES: Final = {
    "buy": Policy(),
    "send": Policy(takes_over=True),
    "pay": Policy(takes_over=True, is_deduplicated=True),
    "charge": Policy(takes_over=True),
    "attempt": Policy(),
    "insist": Policy(keeps_failures=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One thing somebody wanted once. `subject` and `conversation` are what the host says of them; `has_token` says
    that the user is known by a token. `key` is None where the wish has no name.
    """

    id: str
    user: str
    subject: str
    conversation: str
    tool: str
    item: str
    amount: int
    key: str | None = None
    has_token: bool = False

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes two calls one: the name, for who says it and which tool; without a name the wish itself."""
        if self.key is None:
            return (self.id,)
        where = () if self.has_token else (self.conversation,)
        return ("named", self.user, *where, self.tool, self.key)

    @property
    def likeness(self) -> tuple[str, ...]:
        """What two wishes without a name have in common when they cannot be told apart but by time."""
        return (self.user, self.subject, self.conversation, self.tool, self.item, str(self.amount), str(self.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One request of a client. `receipt` is which run of the tool answered, `of` and `user` whose run that was; `mark`
    is how the answer says that it came about.
    """

    wish: str
    number: int
    way: str
    asked_at: float
    ended_at: float
    ending: Ending
    receipt: str | None = None
    of: str | None = None
    user: str | None = None
    mark: str | None = None
    worker: str | None = None
    said: str = ""
    planned: str = ""

    @property
    def is_definite(self) -> bool:
        """Whether it says what came of the wish."""
        return self.ending in {Ending.SUCCESS, Ending.FAILURE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line of the ledger. `says`: effect, tried, taken over, noting (it may be noted), noted (it is)."""

    at: float
    says: str
    wish: str
    pid: int
    user: str = ""
    key: str = ""
    receipt: str = ""
    attempt: int = 1
    epoch: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that was done to the workers or to the store, from when to when."""

    what: str
    begun_at: float
    ended_at: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A whole run. `grace` is the connector's setting, in seconds. The order of askings and lines is that of time."""

    wishes: Sequence[Wish]
    askings: Sequence[Asking]
    told: Sequence[Told]
    faults: Sequence[Fault]
    grace: float
