"""What holds for a breaker in every history: never stuck, one probe at a time, bounded, surfaces on their own."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from connector.http.load.breaker import Breaker, Permit, Reply, State
from connector.http.request.surface import Surface
from connector.settings import AdaptiveSettings

POLICY = AdaptiveSettings(window=50, pause=5, longest_pause=60, probe_patience=30)
SURFACES = (Surface.CHATGPT, Surface.CLAUDE, Surface.OTHER)
SECONDS = st.floats(min_value=0, max_value=200)

some_surface = st.sampled_from(SURFACES)


class History(RuleBasedStateMachine):
    """Answers come, end well, end badly, or are never heard of again."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(POLICY)
        self.now = 0.0
        self.out: list[tuple[Permit, float]] = []

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(surface=some_surface)
    def an_answer_begins(self, surface: Surface) -> None:
        self.out.append((self.breaker.may_stream(surface, self.now), self.now))

    @precondition(lambda self: self.out)
    @rule(data=st.data(), delivered=st.booleans(), is_streamed=st.booleans())
    def an_answer_ends(self, data: st.DataObject, delivered: bool, is_streamed: bool) -> None:
        permit, began = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        if is_streamed:
            self.breaker.stream_ended(permit, delivered=delivered, lasted=self.now - began, now=self.now)
        else:
            self.breaker.answer_ended(permit, delivered=delivered)

    @precondition(lambda self: self.out)
    @rule()
    def an_answer_is_never_heard_of_again(self) -> None:
        self.out.pop()

    @invariant()
    def at_most_one_probe_is_out(self) -> None:
        for surface in SURFACES:
            alive = [
                permit
                for permit, began in self.out
                if permit.surface is surface
                and permit.reply is Reply.PROBE
                and self.now - began < POLICY.probe_patience
            ]
            assert len(alive) <= 1

    @invariant()
    def pauses_are_bounded(self) -> None:
        pauses = [each.pause for each in self.breaker.snapshot(self.now).values()]
        assert all(pause == 0 or POLICY.pause <= pause <= POLICY.longest_pause for pause in pauses)

    @invariant()
    def memory_is_bounded(self) -> None:
        circuits = self.breaker._circuits
        assert set(circuits) == set(Surface)
        assert max(len(circuit.recent) for circuit in circuits.values()) <= POLICY.of_last

    def teardown(self) -> None:
        """Whatever happened: after the longest waits a stream goes out, and if it arrives all go out."""
        later = self.now + POLICY.longest_pause + POLICY.probe_patience
        for surface in SURFACES:
            permit = self.breaker.may_stream(surface, later)
            assert permit.reply in {Reply.STREAM, Reply.PROBE}
            self.breaker.stream_ended(permit, delivered=True, lasted=1, now=later)
            assert self.breaker.may_stream(surface, later).reply is Reply.STREAM


def test_in_any_history_it_is_never_stuck_and_lets_out_one_probe_at_a_time() -> None:
    """Issue 3, adaptive reply mode: half-open probes."""
    run_state_machine_as_test(History, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))


_STEPS = st.lists(st.tuples(st.sampled_from(SURFACES[:2]), st.booleans(), SECONDS), max_size=40)


def _replies(steps: list[tuple[Surface, bool, float]], only: Surface | None = None) -> list[Reply]:
    breaker, now, replies = Breaker(POLICY), 0.0, []
    for surface, delivered, seconds in steps:
        now += seconds
        if only in {None, surface}:
            permit = breaker.may_stream(surface, now)
            breaker.stream_ended(permit, delivered=delivered, lasted=1, now=now)
            if surface is SURFACES[0]:
                replies.append(permit.reply)
    return replies


@settings(deadline=None)
@given(_STEPS)
def test_a_surface_is_treated_as_if_it_were_alone(steps: list[tuple[Surface, bool, float]]) -> None:
    """Issue 3: independent surfaces."""
    assert _replies(steps) == _replies(steps, only=SURFACES[0])


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=30))
def test_only_enough_broken_streams_open_it(history: list[bool]) -> None:
    """Ours: against the sentence in the settings, counted naively."""
    breaker = Breaker(POLICY)
    for count, delivered in enumerate(history, start=1):
        turned = breaker.stream_ended(
            Permit(Surface.OTHER, Reply.STREAM), delivered=delivered, lasted=1, now=float(count)
        )
        is_enough = history[max(0, count - POLICY.of_last) : count].count(False) >= POLICY.broken
        assert (turned is State.OPEN) is is_enough
        if is_enough:
            return
