"""The circuit of one host: after failures in a row it is left alone, then one request tries whether it is back. Pure.

    CLOSED ──failures in a row──► OPEN ──pause over──► HALF OPEN ──success──► CLOSED
                                   ▲                      │
                                   └──failure: twice ─────┘

Consecutive failures, not a rate: a connector asks a host so seldom that a rate is made of a handful of requests.
"""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Whether requests go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitPolicy:
    """`failures` in a row open it. Pauses and `patience` are seconds.

    Five are more than one call's three tries, so no single call opens a circuit. The first pause is about what a
    restart behind a balancer takes; the longest costs a host that is back again a minute. A probe that was not reported
    within `patience` is lost (its call was cancelled), and another may go.
    """

    failures: int = 5
    pause: float = 5.0
    longest_pause: float = 60.0
    patience: float = 30.0


class Circuit:
    """One host's. Every method takes `now`, seconds on a monotonic clock."""

    __slots__ = ("_failures", "_opened_at", "_pause", "_policy", "_probed_at", "state")

    def __init__(self, policy: CircuitPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self._pause = policy.pause
        self._opened_at = self._probed_at = 0.0
        self.state = State.CLOSED

    def may_pass(self, now: float) -> bool:
        """Whether a request may be sent. In a half-open circuit only one may, and asking takes its place."""
        if self.state is State.CLOSED:
            return True
        if self.state is State.OPEN:
            is_over = now - self._opened_at >= self._pause
        else:
            is_over = now - self._probed_at >= self._policy.patience
        if is_over:
            self.state, self._probed_at = State.HALF_OPEN, now
        return is_over

    def opens_in(self, now: float) -> float:
        """Seconds until a request may be sent, 0 or more."""
        if self.state is State.CLOSED:
            return 0.0
        until = self._opened_at + self._pause
        if self.state is State.HALF_OPEN:
            until = self._probed_at + self._policy.patience
        return max(0.0, until - now)

    def succeeded(self) -> None:
        """A request came through: the host answers."""
        self.state, self._failures, self._pause = State.CLOSED, 0, self._policy.pause

    def failed(self, now: float) -> None:
        """A request did not come through, or a gateway said so."""
        self._failures += 1
        if self.state is State.HALF_OPEN:
            self._pause = min(2 * self._pause, self._policy.longest_pause)
            self._open(now)
        elif self.state is State.CLOSED and self._failures >= self._policy.failures:
            self._open(now)

    def _open(self, now: float) -> None:
        self.state, self._opened_at = State.OPEN, now
