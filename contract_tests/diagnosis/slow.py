"""Evidence from a slow tool call: was it cut, and did what was sent over time arrive over time? Pure."""

from typing import Final

from ..outcome import Ending, Received
from ..report.words import plural, seconds
from .advice import against_buffering, against_cuts
from .diagnosis import Certainty, Evidence, Suspect, Verdict
from .observations import Observations, Question, carriers, is_event_stream
from .reach import answered

_FEWEST_SIGNS: Final = 2
_TOGETHER: Final = 0.5
"""Seconds: heartbeats that a server sent seconds apart cannot honestly arrive this close to the end."""


def slow_call(seen: Observations) -> Evidence:
    """Whether a slow call is delivered, and its heartbeats on the way."""
    received = seen.of(Question.SLOW)
    if received is None:
        return Evidence(
            subject="slow call", verdict=Verdict.NOT_CHECKED, sentence=seen.why.get(Question.SLOW, "none was made")
        )
    if not answered(received):
        return _lost(received)
    if _came_together(received):
        return _hoarded(received)
    took, silence = seconds(received.duration), seconds(received.longest_gap)
    return Evidence(
        subject="slow call", verdict=Verdict.HOLDS, sentence=f"delivered after {took}, longest silence {silence}"
    )


def signs_of_life(received: Received) -> int:
    """How many heartbeats a reply holds: comments of an event stream, or white space before JSON."""
    if is_event_stream(received):
        return sum(line.startswith(":") for line in received.body.splitlines())
    return len(received.body) - len(received.body.lstrip())


def _came_together(received: Received) -> bool:
    first = received.first_byte
    if first is None or first < 1 or signs_of_life(received) < _FEWEST_SIGNS:
        return False
    return received.duration - first < _TOGETHER


def _hoarded(received: Received) -> Evidence:
    signs = plural(signs_of_life(received), "heartbeat")
    return Evidence(
        subject="slow call",
        verdict=Verdict.FINDING,
        sentence="a proxy between here and the connector buffers replies",
        facts=(f"{signs} and the answer came together after {seconds(received.first_byte)}", *_by(received)),
        advice=against_buffering(carriers(received)),
        suspects=(Suspect.EDGE,),
        certainty=Certainty.CERTAIN,
        incidents=("T-04",),
    )


def _lost(received: Received) -> Evidence:
    if received.status is None or received.ending is not Ending.COMPLETE:
        how = f"{received.ending.value} after {seconds(received.duration)}"
    else:
        how = f"answered {received.status} after {seconds(received.duration)}"
    trouble = (received.trouble,) if received.trouble else ()
    return Evidence(
        subject="slow call",
        verdict=Verdict.FINDING,
        sentence=f"a slow call is lost: {how}",
        facts=(f"longest silence {seconds(received.longest_gap)}", *_by(received), *trouble),
        advice=against_cuts(carriers(received)),
        suspects=(Suspect.EDGE, Suspect.CONNECTOR),
        certainty=Certainty.UNDECIDED,
        incidents=("T-03",),
    )


def _by(received: Received) -> tuple[str, ...]:
    return (carriers(received),) if carriers(received) else ()
