"""Which mutants are tried, and how the smallest that breaks is found: both pure, both repeatable."""

from collections import Counter

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests import load_sessions
from contract_tests.mutating.registry import RULES
from contract_tests.mutating.sampling import Candidate, derived, sample
from contract_tests.mutating.shrinking import Shrinker
from contract_tests.outcome import MutationRun
from tests.mutating.mutating import mutate, mutations
from tests.mutating.servers import Careful
from tests.mutating.test_deaf_servers import deaf_to_meta


def names(candidates: tuple[Candidate, ...]) -> list[tuple[str, str]]:
    return [(candidate.rule.id, candidate.session.id) for candidate in candidates]


def test_the_same_seed_chooses_the_same_mutants_and_another_others() -> None:
    """Issue 6: deterministic under --seed."""
    sessions = load_sessions()
    one, again = derived(RULES, sessions), derived(RULES, sessions)

    assert one == again
    assert names(sample(one, 100, 7)) == names(sample(again, 100, 7))
    assert names(sample(one, 100, 7)) != names(sample(one, 100, 8))
    assert sample(one, 0, 7) == one


def test_every_rule_gets_its_turn_before_one_gets_another() -> None:
    """Ours: a budget must not silence the rules at the end of the list."""
    chosen = sample(derived(RULES, load_sessions()), 2 * len(RULES), 1)

    counts = Counter(candidate.rule.id for candidate in chosen)
    assert set(counts) == {rule.id for rule in RULES}
    assert max(counts.values()) <= 3


@settings(max_examples=200, deadline=None)
@given(
    st.integers(2, 60).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), min_size=1, max_size=2)))
)
def test_what_is_left_is_just_what_breaks(case: tuple[int, set[int]]) -> None:
    """Delta debugging, against a breaker that needs one change or two of them."""
    count, needed = case

    async def breaks(items: tuple[int, ...]) -> str | None:
        return "broken" if needed <= set(items) else None

    shrinker: Shrinker[int, str] = Shrinker(breaks=breaks, most=10_000)
    smallest, evidence = anyio.run(shrinker.shrink, tuple(range(count)), "broken")

    assert (set(smallest), evidence) == (needed, "broken")


def test_shrinking_stops_asking_and_keeps_what_it_has_seen_break() -> None:
    """Ours: a server that answers slowly must not hold the run up."""

    async def breaks(items: tuple[int, ...]) -> str | None:
        return "broken" if {3, 60} <= set(items) else None

    shrinker: Shrinker[int, str] = Shrinker(breaks=breaks, most=5)
    smallest, _ = anyio.run(shrinker.shrink, tuple(range(64)), "broken")

    assert shrinker.asked == 5
    assert {3, 60} <= set(smallest)


def test_two_runs_under_one_seed_say_the_same() -> None:
    """Issue 6: the whole account, not only the choice."""

    def told(found: MutationRun) -> list[object]:
        return [(m.rule, m.session, m.fate, m.differences, m.plays, m.reason) for m in found.mutants]

    one, again = (mutations(mutate(Careful(deaf_to_meta), budget=30, seed=5)) for _ in range(2))

    assert told(one) == told(again)
    assert one.derived > 30
    assert one.survived + one.broke == 30
    assert {m.reason for m in one.mutants if m.fate == "not tried"} == {
        "beyond the budget of 30 mutants: --mutants 0 tries all"
    }
