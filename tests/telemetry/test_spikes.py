"""When broken streams raise an alarm, and when they do not. The months of figures are in `simulated.py`."""

import logging
import random

import pytest

from connector.telemetry import alarms as room
from connector.telemetry.alarms import Alarms
from connector.telemetry.spikes import MOST_LABELS, Spike, Spikes
from tests.telemetry.simulated import WEATHERS, Kind, delay, false_alarms

USUAL = Kind(streams=100, share=0.02)
HOUR = 3600.0


def _learnt(spikes: Spikes, *, hours: float = 2, streams: int = 20, broken_every: int = 5) -> float:
    """Two hours in which one stream of a hundred breaks; gives the time at their end."""
    ticks = int(hours * 360)
    for tick in range(ticks):
        broken = int(tick % broken_every == 0)
        assert spikes.note("chatgpt", broken=broken, delivered=streams - broken, now=tick * 10.0) is None
    return ticks * 10.0


def _noted(spikes: Spikes, since: float, seconds: float, *, broken: int, delivered: int) -> list[Spike]:
    said = (
        spikes.note("chatgpt", broken=broken, delivered=delivered, now=since + second)
        for second in range(0, int(seconds), 10)
    )
    return [spike for spike in said if spike is not None]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", [USUAL, Kind(500, 0.02), Kind(3000, 0.002)])
def test_a_tenfold_rise_is_an_alarm_within_two_minutes(kind: Kind, seed: int) -> None:
    """Issue 7 item 7. From two broken streams a minute on; of fewer there are too few to tell (docs/telemetry.md)."""
    assert delay(kind, rise=10, seed=f"test {seed}", patience=300) <= 120


@pytest.mark.parametrize("weather", WEATHERS)
@pytest.mark.parametrize("kind", [Kind(2, 0.02), USUAL], ids=["few", "many"])
def test_ordinary_days_raise_nothing(weather: str, kind: Kind) -> None:
    """Issue 7 item 7: not on chance, rhythm, quiet nights, bursts of one to three, or deploys."""
    assert false_alarms(WEATHERS[weather], kind, days=1, seed=f"test {weather}") == 0


@pytest.mark.parametrize("broken", [1, 3, 40, 5000])
def test_a_burst_alone_is_no_alarm_however_large(broken: int) -> None:
    """A deploy of a proxy cuts everything that is open, once."""
    spikes = Spikes()
    now = _learnt(spikes)
    assert spikes.note("chatgpt", broken=broken, now=now) is None
    assert _noted(spikes, now + 10, HOUR, broken=0, delivered=20) == []


def test_ten_times_the_traffic_is_no_alarm() -> None:
    """The share counts, not the number."""
    spikes = Spikes()
    now = _learnt(spikes)
    assert _noted(spikes, now, HOUR, broken=2, delivered=198) == []


def test_everything_that_breaks_is_an_alarm_though_there_is_little_of_it() -> None:
    """A quiet night has an incident too."""
    spikes = Spikes()
    now = _learnt(spikes, hours=12, streams=1, broken_every=100)
    said = [spikes.note("chatgpt", broken=1, now=now + 60 * minute) for minute in range(10)]
    assert [spike is not None for spike in said].count(True) == 1


def test_one_spike_is_said_once_and_the_next_one_again() -> None:
    """Nobody is called twice for the same night."""
    spikes = Spikes()
    now = _learnt(spikes)
    first = _noted(spikes, now, 1200, broken=10, delivered=10)
    assert spikes.spiking(now + 1200) == {"chatgpt": True}
    assert _noted(spikes, now + 1200, 1800, broken=0, delivered=20) == []
    assert spikes.spiking(now + 3000) == {"chatgpt": False}
    second = _noted(spikes, now + 3000, 1200, broken=10, delivered=10)

    assert [len(first), len(second)] == [1, 1]
    assert first[0].label == "chatgpt"
    assert first[0].broken > 20
    assert 0.005 < first[0].usual < 0.02
    assert first[0].times > 10


def test_what_lasts_becomes_the_usual() -> None:
    """After an hour it is no news, and must not hide what comes on top for a day."""
    spikes = Spikes()
    now = _learnt(spikes)
    assert len(_noted(spikes, now, 12 * HOUR, broken=4, delivered=16)) == 1
    assert spikes.spiking(now + 12 * HOUR) == {"chatgpt": False}


def test_nothing_is_said_before_the_usual_is_known() -> None:
    """A process that starts in the middle of an outage cannot know that it is one."""
    assert _noted(Spikes(), 0.0, 600, broken=20, delivered=0) == []


def test_memory_is_bounded() -> None:
    """Issue 7 item 7: for each label ten minutes of moments, and no more labels than there are kinds of clients."""
    spikes, source = Spikes(), random.Random(3)
    for tick in range(5000):
        spikes.note(f"label {source.randrange(1000)}", broken=1, delivered=9, now=tick * 1.0)
    for tick in range(500):
        spikes.note("label 0", broken=1, delivered=9, now=5000 + tick * 10.0)
    detectors = spikes._detectors

    assert len(detectors) == MOST_LABELS
    assert max(len(each._moments) for each in detectors.values()) <= 61


def test_an_alarm_is_a_log_line_a_number_and_a_call_of_whoever_asked(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 7 item 7: one line, a metric, an OpenTelemetry event, and a hook; a hook that fails keeps nobody else."""
    now, told, events = [0.0], list[Spike](), list[Spike]()
    monkeypatch.setattr(room, "_emit", lambda spike, _: events.append(spike))
    alarms = Alarms(clock=lambda: now[0])
    alarms.when_spiking(lambda spike: 1 // 0)
    alarms.when_spiking(told.append)
    with caplog.at_level(logging.WARNING, "ballast"):
        for second in range(7200):
            now[0] = float(second)
            alarms.stream_ended("claude", delivered=second % 100 != 0)
        for second in range(120):
            now[0] = 7200.0 + second
            alarms.stream_ended("claude", delivered=False)

    assert [spike.label for spike in told] == [spike.label for spike in events] == ["claude"]
    assert alarms.counts() == alarms.spiking() == {"claude": 1}
    alarm, failed = (record.getMessage() for record in caplog.records)
    assert alarm.startswith("Streams to claude break ")
    assert failed == "Whoever is to be told of alarms failed"
