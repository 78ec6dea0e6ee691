"""Where streams keep breaking, answers go out unstreamed for a while, and one probe at a time brings streams back."""

from dataclasses import dataclass, field

import pytest

from connector.errors import DeclarationError
from connector.http.load.breaker import Breaker, Permit, Reply, State
from connector.http.request.surface import Surface
from connector.settings import AdaptiveSettings

CHATGPT, CLAUDE = Surface.CHATGPT, Surface.CLAUDE


@dataclass
class Line:
    """One breaker and a clock that the test moves."""

    breaker: Breaker = field(default_factory=Breaker)
    now: float = 1000.0

    def ask(self, surface: Surface = CHATGPT) -> Permit:
        return self.breaker.may_stream(surface, self.now)

    def end(self, permit: Permit, *, delivered: bool, lasted: float = 10.0) -> State | None:
        return self.breaker.stream_ended(permit, delivered=delivered, lasted=lasted, now=self.now)

    def stream(self, *, delivered: bool, lasted: float = 10.0, surface: Surface = CHATGPT) -> State | None:
        return self.end(self.ask(surface), delivered=delivered, lasted=lasted)

    def break_down(self, surface: Surface = CHATGPT) -> None:
        for _ in range(3):
            self.stream(delivered=False, surface=surface)

    def state(self, surface: Surface = CHATGPT) -> State:
        return self.breaker.snapshot(self.now)[surface].state

    def pause(self) -> float:
        return self.breaker.snapshot(self.now)[CHATGPT].pause


def test_the_third_broken_stream_of_five_ends_streaming() -> None:
    """Issue 3, adaptive reply mode: the thresholds are in AdaptiveSettings."""
    line = Line()
    turned = [line.stream(delivered=held) for held in (False, True, False, True, False)]

    assert turned == [None, None, None, None, State.OPEN]
    assert line.ask().reply is Reply.PLAIN


def test_two_broken_streams_of_five_change_nothing() -> None:
    """Ours: people close tabs."""
    line = Line()
    for held in (False, True, True, False, True) * 4:
        line.stream(delivered=held)

    assert line.ask().reply is Reply.STREAM


def test_what_broke_long_ago_says_nothing_of_now() -> None:
    """Ours: the window."""
    line = Line()
    line.stream(delivered=False)
    line.stream(delivered=False)
    line.now += 601
    line.stream(delivered=False)

    assert line.state() is State.CLOSED


def test_a_cut_at_the_clients_own_limit_is_no_broken_stream() -> None:
    """Facts on the wire, section 1.6: ChatGPT gives one call 119.8 s."""
    line = Line()
    for _ in range(10):
        line.stream(delivered=False, lasted=119.8)

    assert line.state() is State.CLOSED
    snapshot = line.breaker.snapshot(line.now)[CHATGPT]
    assert (snapshot.broken, snapshot.cut_at_limit) == (0, 10)


def test_the_limit_of_one_client_is_no_excuse_for_another() -> None:
    """Ours: 60 s is the Responses API's limit, and many a proxy's idle cut."""
    line = Line()
    for _ in range(3):
        line.stream(delivered=False, lasted=59.8)

    assert line.state() is State.OPEN


def test_surfaces_do_not_share_their_fate() -> None:
    """Issue 3: one breaker per client surface."""
    line = Line()
    line.break_down(CLAUDE)

    assert [line.ask(surface).reply for surface in (CLAUDE, CHATGPT)] == [Reply.PLAIN, Reply.STREAM]


def test_after_the_pause_one_answer_at_a_time_is_a_probe() -> None:
    """Issue 3: half-open probes bring streams back."""
    line = Line()
    line.break_down()
    line.now += 59
    early = line.ask().reply
    line.now += 1

    assert early is Reply.PLAIN
    assert [line.ask().reply for _ in range(4)] == [Reply.PROBE, Reply.PLAIN, Reply.PLAIN, Reply.PLAIN]
    assert line.state() is State.HALF_OPEN


def test_a_probe_that_arrives_brings_streams_back() -> None:
    """Issue 3: a success closes the breaker."""
    line = Line()
    line.break_down()
    line.now += 60

    assert line.stream(delivered=True) is State.CLOSED
    assert (line.ask().reply, line.pause()) == (Reply.STREAM, 0.0)


def test_what_broke_before_a_good_probe_is_forgiven() -> None:
    """Ours: or one more cut would end streaming at once."""
    line = Line()
    line.break_down()
    line.now += 60
    line.stream(delivered=True)

    assert [line.stream(delivered=False) for _ in range(3)] == [None, None, State.OPEN]


def test_a_probe_that_breaks_makes_the_next_pause_twice_as_long_up_to_a_bound() -> None:
    """Issue 3: a failure reopens it with a longer, bounded pause."""
    line = Line()
    line.break_down()
    pauses = []
    for _ in range(7):
        pauses.append(line.pause())
        line.now += line.pause()
        assert line.stream(delivered=False) is State.OPEN

    assert pauses == [60, 120, 240, 480, 960, 1800, 1800]


def test_streams_that_break_again_soon_after_a_good_probe_are_given_up_for_longer() -> None:
    """Ours: a short probe holds where long streams do not; that must not go back and forth every minute."""
    line = Line()
    line.break_down()
    line.now += 60
    line.stream(delivered=True)
    line.now += 30
    line.break_down()

    assert line.pause() == 120


def test_streams_that_break_after_a_long_calm_start_over() -> None:
    """Ours: the pause is no punishment for old sins."""
    line = Line()
    line.break_down()
    line.now += 60
    line.stream(delivered=True)
    line.now += 601
    line.break_down()

    assert line.pause() == 60


def test_a_probe_whose_answer_needed_no_stream_is_free_for_the_next() -> None:
    """Ours: most answers are ready before anything is streamed."""
    line = Line()
    line.break_down()
    line.now += 60
    line.breaker.answer_ended(line.ask(), delivered=True)

    assert (line.state(), line.ask().reply) == (State.HALF_OPEN, Reply.PROBE)


def test_a_probe_that_the_client_ends_at_its_own_limit_decides_nothing() -> None:
    """Facts on the wire, section 1.6."""
    line = Line()
    line.break_down()
    line.now += 60
    probe = line.ask()
    line.now += 119.8

    assert line.end(probe, delivered=False, lasted=119.8) is None
    assert (line.state(), line.ask().reply) == (State.HALF_OPEN, Reply.PROBE)


def test_a_probe_that_is_never_heard_of_again_is_replaced() -> None:
    """Ours: never stuck, whatever becomes of a reply."""
    line = Line()
    line.break_down()
    line.now += 60
    lost = line.ask()
    line.now += 299
    assert line.ask().reply is Reply.PLAIN
    line.now += 1
    second = line.ask()

    assert second.reply is Reply.PROBE
    assert line.end(lost, delivered=True) is None, "only one probe may decide"
    assert line.end(second, delivered=True) is State.CLOSED


def test_a_probe_counts_once() -> None:
    """Ours: a reply that is reported twice does not lengthen the pause twice."""
    line = Line()
    line.break_down()
    line.now += 60
    probe = line.ask()
    line.end(probe, delivered=False)
    line.end(probe, delivered=False)

    assert line.pause() == 120


def test_streams_that_began_before_the_breaker_opened_do_not_close_it() -> None:
    """Ours: they were let out when all seemed well."""
    line = Line()
    old = [line.ask() for _ in range(2)]
    line.break_down()

    assert [line.end(permit, delivered=True) for permit in old] == [None, None]
    assert line.ask().reply is Reply.PLAIN


def test_the_snapshot_tells_streams_and_plain_answers_apart() -> None:
    """Issue 3: state visible in metrics."""
    line = Line()
    line.stream(delivered=True)
    line.break_down()
    line.breaker.answer_ended(line.ask(), delivered=True)
    line.breaker.answer_ended(line.ask(), delivered=False)
    snapshot = line.breaker.snapshot(line.now)[CHATGPT]

    assert (snapshot.state, snapshot.pause) == (State.OPEN, 60)
    assert (snapshot.delivered, snapshot.broken) == (1, 3)
    assert (snapshot.plain_delivered, snapshot.plain_broken) == (1, 1)
    assert [state.level for state in (State.CLOSED, State.HALF_OPEN, State.OPEN)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"window": 0.0}, "window=0.0"),
        ({"pause": -1.0}, "pause=-1.0"),
        ({"probe_patience": float("inf")}, "probe_patience=inf"),
        ({"broken": 6}, "broken=6"),
        ({"broken": 0}, "broken=0"),
        ({"pause": 60.0, "longest_pause": 30.0}, "longest_pause=30.0"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_their_value(wrong: dict[str, float], said: str) -> None:
    """Ours: a connector that is declared wrongly does not start."""
    with pytest.raises(DeclarationError, match=said):
        AdaptiveSettings(**wrong)  # type: ignore[arg-type]  # wrong on purpose
