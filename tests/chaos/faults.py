"""Faults that strike a worker at one point of one call: where they can be placed, and how they are set off.

A call carries its plan in a header, which proxies repeat when they send it again; a file that can be made only once
keeps a fault from striking more often than it was meant to. Knows nothing of the framework under test.
"""

import json
import os
import signal
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Literal, Self

HEADER: Final = "x-chaos"

FOLDER: Final = "CHAOS_STRIKES"
"""The environment variable that names where the files of faults that have struck are made."""

Deed = Literal["kill", "stop", "leave"]

_SIGNALS: Final[dict[Deed, signal.Signals]] = {
    "kill": signal.SIGKILL,
    "stop": signal.SIGSTOP,
    "leave": signal.SIGTERM,
}

POINTS: Final = {
    "arrived": "before the connector sees the request",
    "claiming": "before the claim",
    "claimed": "after the claim, before the tool",
    "begun": "in the tool, before the effect",
    "done": "in the tool, after the effect",
    "completing": "after the tool, before the completion",
    "completed": "after the completion, before the reply",
    "replying": "at the last bytes of the reply, before they are handed over",
    "replied": "after the last bytes of the reply",
    "noting": "before the note that the reply arrived",
    "noted": "after that note",
}
"""The commit points of a call, in their order."""

OF_IMPLIED: Final = frozenset({"noting", "noted"})
"""Points that only a call without a key passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One fault: what happens at which point, how often at most, in all workers together."""

    token: str
    point: str
    deed: Deed
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a call brings along: whose wish it is, how long the tool pauses around its effect, and what strikes it."""

    wish: str
    user: str
    before: float = 0.0
    after: float = 0.0
    strike: Strike | None = field(default=None)

    def header(self) -> str:
        """The plan as the value of a header."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def of(cls, header: str) -> Self:
        """The plan of a header's value."""
        said = json.loads(header)
        strike = said.pop("strike")
        return cls(**said, strike=None if strike is None else Strike(**strike))


PLAN: Final[ContextVar[Plan | None]] = ContextVar("chaos_plan", default=None)
"""The plan of the call that is served; tasks made while serving it inherit it."""


def reach(point: str, plan: Plan | None = None) -> None:
    """This worker is at a point of a call, by default the one it is serving: what is to strike it there does so now."""
    plan = plan or PLAN.get()
    if plan is None or plan.strike is None or plan.strike.point != point:
        return
    strike = plan.strike
    folder = Path(os.environ[FOLDER])
    if any(_first_to_make(folder / f"{strike.token}.{number}") for number in range(strike.times)):
        os.kill(os.getpid(), _SIGNALS[strike.deed])


def _first_to_make(file: Path) -> bool:
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True
