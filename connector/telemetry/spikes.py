"""Whether streams to one kind of client break far more often than they used to. Pure: what ended, and `now`, in.

    learning ──`first` streams are known──► watching ──`evidence`──► spiking ──it holds again, or `accept`──► watching

A cumulative sum of log-likelihood ratios (CUSUM, Page 1954) between the share of streams that usually break and
`rise` times that share. The share, not the number: a morning with ten times the traffic is no incident. What one tick
may add is capped, so that no burst alarms alone, however large: a deploy cuts every stream at once, and then it is
over. The usual share is learnt late and never from a spike. Knows no clock, no loop and no OpenTelemetry; memory is
constant for each label, and there are at most `MOST_LABELS`.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MOST_LABELS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikePolicy:
    """When a rise is an alarm. The figures that these numbers give are in docs/telemetry.md, with their command.

    | | default | why |
    |---|---|---|
    | `rise` | 10 | what is looked for; a share that is off by up to three says nothing, which is what a day does |
    | `tick` | 10 | seconds that count as one moment |
    | `ticks` | 5 | in fewer moments than this there is no alarm, whatever breaks in them |
    | `evidence` | 12 | nats: chance alone would give one false alarm in some exp(12) moments |
    | `fade` | 1800 | seconds in which evidence fades to a third: five bursts of a quiet night are not one spike |
    | `settle` | 600 | seconds until what was seen is learnt: an alarm must come first |
    | `memory` | 21600 | seconds in which what was learnt fades to a third; shorter than a day, longer than an outage |
    | `first` | 100 | streams that must be known before anything is said |
    | `calm` | 300 | seconds that must look usual again until a spike is over |
    | `accept` | 3600 | seconds after which a spike is the new usual |
    """

    rise: float = 10.0
    tick: float = 10.0
    ticks: int = 5
    evidence: float = 12.0
    fade: float = 1_800.0
    settle: float = 600.0
    memory: float = 21_600.0
    first: int = 100
    calm: float = 300.0
    accept: float = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """An alarm: since the first sign, `seconds` ago, `broken` of `ended` streams broke, where `usual` is the share."""

    label: str
    broken: int
    ended: int
    usual: float
    seconds: float

    @property
    def times(self) -> float:
        """How many times the usual share it is."""
        return self.broken / max(1, self.ended) / self.usual


@dataclass(frozen=True, slots=True)
class _Moment:
    """What ended in one tick, and what that says: above 0 for a rise, below for the usual."""

    number: int
    broken: int
    ended: int
    says: float


_DOUBT: Final = (1.0, 50.0)
"""Broken and ended streams that are taken as seen before the first: an unknown client breaks two of a hundred."""

_LEARNT_AT_MOST: Final = (2.0, 3.0)
"""A moment teaches at most two broken streams and thrice the usual share more: a burst must not hide the next rise."""


class SpikeDetector:
    """Watches one label. `now` is monotonic seconds and never goes back."""

    def __init__(self, label: str, policy: SpikePolicy) -> None:
        self._label, self._policy = label, policy
        self._moments: deque[_Moment] = deque()  # at most `settle / tick` of them
        self._number = 0
        self._broken = self._ended = 0
        self._score = 0.0
        self._run = (0, 0, 0)
        self._learnt_broken = self._learnt_ended = 0.0
        self._learnt_at = 0
        self._usual = _DOUBT[0] / _DOUBT[1]
        self._spiking_since: float | None = None

    def note(self, *, broken: int, delivered: int, now: float) -> Spike | None:
        """So many streams ended at `now`. Gives the alarm, once for each spike."""
        self._roll(int(now / self._policy.tick))
        self._broken += broken
        self._ended += broken + delivered
        if self.is_spiking(now) or self._learnt_ended < self._policy.first:
            return None
        if self._score + self._says(self._broken, self._ended) < self._policy.evidence:
            return None
        self._spiking_since = now
        return self._alarm(now)

    def is_spiking(self, now: float) -> bool:
        """Whether an alarm was given and it has not calmed down."""
        since = self._spiking_since
        if since is None:
            return False
        if now - since > self._policy.accept:
            self._accept()
        elif self._is_calm(now, since):
            self._spiking_since, self._score = None, 0.0
        return self._spiking_since is not None

    def _accept(self) -> None:
        """What was seen last is the usual from now on."""
        self._spiking_since, self._score = None, 0.0
        ended = sum(moment.ended for moment in self._moments)
        if ended:
            weight = max(1.0, self._policy.first / ended)
            self._learnt_broken = weight * sum(moment.broken for moment in self._moments)
            self._learnt_ended = weight * ended
            self._learnt_at = self._number
            self._moments.clear()

    def _alarm(self, now: float) -> Spike:
        began, broken, ended = self._run if self._score > 0 else (self._number, 0, 0)
        return Spike(
            label=self._label,
            broken=broken + self._broken,
            ended=ended + self._ended,
            usual=self._usual,
            seconds=max(0.0, now - began * self._policy.tick),
        )

    def _roll(self, number: int) -> None:
        if number <= self._number:
            return
        if self._ended:
            self._close()
        self._score *= math.exp((self._number - number) * self._policy.tick / self._policy.fade)
        self._number, self._broken, self._ended = number, 0, 0
        settled = number - int(self._policy.settle / self._policy.tick)
        while self._moments and self._moments[0].number < settled:
            self._learn(self._moments.popleft())
        self._usual = (self._learnt_broken + _DOUBT[0]) / (self._learnt_ended + _DOUBT[1])

    def _close(self) -> None:
        says = self._says(self._broken, self._ended)
        self._moments.append(_Moment(self._number, self._broken, self._ended, says))
        began, broken, ended = self._run if self._score > 0 else (self._number, 0, 0)
        self._run = (began, broken + self._broken, ended + self._ended)
        is_known = self._learnt_ended >= self._policy.first and self._spiking_since is None
        self._score = max(0.0, self._score + says) if is_known else 0.0

    def _says(self, broken: int, ended: int) -> float:
        usual = self._usual
        risen = min(self._policy.rise * usual, 1 - (1 - usual) / self._policy.rise)  # of the usual half there is no ten
        ratio = broken * math.log(risen / usual) + (ended - broken) * math.log((1 - risen) / (1 - usual))
        return min(ratio, self._policy.evidence / self._policy.ticks)

    def _learn(self, moment: _Moment) -> None:
        if self._spiking_since is not None:
            return
        fade = math.exp((self._learnt_at - moment.number) * self._policy.tick / self._policy.memory)
        most = _LEARNT_AT_MOST[0] + _LEARNT_AT_MOST[1] * self._usual * moment.ended
        self._learnt_broken = self._learnt_broken * fade + min(moment.broken, most)
        self._learnt_ended = self._learnt_ended * fade + moment.ended
        self._learnt_at = moment.number

    def _is_calm(self, now: float, since: float) -> bool:
        if now - since < self._policy.calm:
            return False
        first = int((now - self._policy.calm) / self._policy.tick)
        recent = [moment.says for moment in self._moments if moment.number >= first]
        return bool(recent) and sum(recent) < 0


class Spikes:
    """The detectors of all labels. What comes with a label beyond `MOST_LABELS` is not watched."""

    def __init__(self, policy: SpikePolicy | None = None) -> None:
        self._policy = policy or SpikePolicy()
        self._detectors: dict[str, SpikeDetector] = {}

    def note(self, label: str, *, now: float, broken: int = 0, delivered: int = 0) -> Spike | None:
        """So many streams ended. Gives the alarm, once for each spike."""
        detector = self._detectors.get(label)
        if detector is None:
            if len(self._detectors) >= MOST_LABELS:
                return None
            detector = self._detectors[label] = SpikeDetector(label, self._policy)
        return detector.note(broken=broken, delivered=delivered, now=now)

    def spiking(self, now: float) -> Mapping[str, bool]:
        """Every label that was seen, and whether it spikes. In the thread that notes."""
        return {label: detector.is_spiking(now) for label, detector in self._detectors.items()}
