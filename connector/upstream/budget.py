"""How many requests to one host may be tried again. Pure.

A host in trouble must not get three times its load. Every request puts a fifth of a retry into the budget, so at most a
fifth more is sent than was asked for; a reserve lets the first few through where there is little traffic. The fifth is
Finagle's default (https://finagle.github.io/blog/2016/02/08/retry-budgets, 2016-02-08); its reserve of ten a second
suits a data centre, and ours refills one every two seconds.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPolicy:
    """`share` of the requests may be tried again, and `a_second` more retries; up to `most` can be saved."""

    share: float = 0.2
    a_second: float = 0.5
    most: float = 10.0


class Budget:
    """One host's. `now` is seconds on a monotonic clock."""

    __slots__ = ("_at", "_left", "_policy")

    def __init__(self, policy: BudgetPolicy, now: float) -> None:
        self._policy, self._left, self._at = policy, policy.most, now

    def asked(self, now: float) -> None:
        """A request is sent for the first time."""
        self._refill(now, self._policy.share)

    def may_retry(self, now: float) -> bool:
        """Whether a request may be tried again. Takes it out of the budget."""
        self._refill(now, 0.0)
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _refill(self, now: float, more: float) -> None:
        gained = more + max(0.0, now - self._at) * self._policy.a_second
        self._left, self._at = min(self._policy.most, self._left + gained), max(now, self._at)
