"""The pure decisions about requests to the outside: try again or not, when, and whether to ask a host at all."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.upstream.budget import Budget, BudgetPolicy
from connector.upstream.circuit import Circuit, CircuitPolicy, State
from connector.upstream.retrying import Trouble, is_repeatable, pause_before_next, seconds_of

NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("trouble", "is_safe", "tried", "remaining", "expected"),
    [
        (Trouble(status=503), True, 1, None, True),
        (Trouble(status=503), True, 3, None, False),
        (Trouble(status=503), False, 1, None, False),
        (Trouble(was_sent=False), False, 1, None, True),
        (Trouble(was_sent=True), False, 1, None, False),
        (Trouble(status=429, after="7"), True, 1, 60.0, 7.0),
        (Trouble(status=429, after="7"), True, 1, 7.0, False),
        (Trouble(status=429, after="7"), True, 1, None, 7.0),
        (Trouble(status=503, after=format_datetime(NOON + timedelta(seconds=30))), True, 1, 60.0, 30.0),
        (Trouble(status=503, after=format_datetime(NOON - timedelta(days=1))), True, 1, 60.0, 0.0),
        (Trouble(status=503, after="in a while"), True, 2, 60.0, True),
    ],
)
def test_what_is_tried_again_and_when(
    trouble: Trouble, is_safe: bool, tried: int, remaining: float | None, expected: float | bool
) -> None:
    """Issue 8 item 3."""
    pause = pause_before_next(
        trouble, tried=tried, is_safe=is_safe, remaining=remaining, may_retry=lambda: True, now=lambda: NOON
    )
    assert (pause, type(pause)) == (expected, type(expected))


def test_without_budget_nothing_is_tried_again() -> None:
    """Ours."""
    assert not pause_before_next(Trouble(status=503), tried=1, is_safe=True, remaining=None, may_retry=lambda: False)


@pytest.mark.parametrize(
    ("method", "has_key", "expected"),
    [
        ("GET", False, True),
        ("HEAD", False, True),
        ("POST", False, False),
        ("POST", True, True),
        ("DELETE", False, False),
    ],
)
def test_reads_and_keyed_writes_can_be_repeated(method: str, has_key: bool, expected: bool) -> None:
    """RFC 9110 section 9.2.1. DELETE is idempotent there, but what it answers the second time is another thing."""
    assert is_repeatable(method, has_key=has_key) is expected


@given(st.text(max_size=40))
def test_any_retry_after_can_be_read(after: str) -> None:
    """Ours: it comes from anywhere."""
    seconds = seconds_of(after, NOON)
    assert seconds is None or seconds >= 0


def test_a_circuit_opens_probes_and_closes() -> None:
    """Issue 8 item 3: half-open lets one through; a failed probe doubles the pause, up to a limit."""
    circuit = Circuit(CircuitPolicy(failures=2, pause=5.0, longest_pause=15.0, patience=30.0))
    circuit.failed(0.0)
    assert circuit.may_pass(0.0)
    circuit.failed(1.0)
    assert (circuit.may_pass(1.0), circuit.opens_in(2.0)) == (False, 4.0)
    assert (circuit.may_pass(6.0), circuit.may_pass(6.0), circuit.state) == (True, False, State.HALF_OPEN)
    circuit.failed(7.0)
    assert (circuit.may_pass(16.9), circuit.may_pass(17.0)) == (False, True)
    circuit.failed(18.0)
    assert circuit.opens_in(18.0) == 15.0
    assert circuit.may_pass(33.0)
    circuit.succeeded()
    assert (circuit.state, circuit.may_pass(33.0), circuit.opens_in(33.0)) == (State.CLOSED, True, 0.0)
    circuit.failed(34.0)
    assert circuit.may_pass(34.0)


def test_a_probe_that_never_came_back_does_not_close_a_host_for_ever() -> None:
    """Ours: the call that probed may have been cancelled."""
    circuit = Circuit(CircuitPolicy(failures=1, pause=5.0, patience=30.0))
    circuit.failed(0.0)
    assert circuit.may_pass(5.0)
    assert not circuit.may_pass(34.9)
    assert circuit.may_pass(35.0)


def test_one_success_forgets_the_failures_before() -> None:
    """Ours: failures in a row."""
    circuit = Circuit(CircuitPolicy(failures=2))
    for now in range(10):
        circuit.failed(float(now))
        circuit.succeeded()
    assert circuit.state is State.CLOSED


@given(st.integers(1, 500))
def test_retries_are_a_fifth_of_the_requests_and_a_reserve(requests: int) -> None:
    """Finagle's retry budget: a share of what was asked, whatever the failures."""
    budget = Budget(BudgetPolicy(share=0.2, a_second=0.0, most=10.0), 0.0)
    retried = 0
    for _ in range(requests):
        budget.asked(0.0)
        retried += sum(budget.may_retry(0.0) for _ in range(2))

    assert retried <= 10 + 0.2 * requests
    assert retried >= min(2 * requests, 9)


def test_a_budget_refills_with_time() -> None:
    """Ours: a connector that asks seldom may retry now and then."""
    budget = Budget(BudgetPolicy(share=0.0, a_second=0.5, most=1.0), 0.0)
    assert [budget.may_retry(0.0), budget.may_retry(1.9), budget.may_retry(2.1)] == [True, False, True]
