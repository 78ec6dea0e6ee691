"""Evidence from a slow tool call: was it cut, and did what was sent over time arrive over time? Pure."""

from typing import Final

from ...outcome import Ending, Received
from ...report.words import plural, seconds
from ..diagnosis import Certainty, Evidence, Standing, Suspect
from ..weighing.verdict import Sign
from .advice import against_buffering, against_cuts
from .observations import Observations, Question, carriers, is_event_stream
from .reach import answered

SHORTEST_HOST_LIMIT: Final = 59.8
"""Seconds that the Responses API gives one tool call, seen 2026-09-18."""
LONGEST_HOST_LIMIT: Final = 119.8
"""Seconds that ChatGPT gives one tool call, seen 2026-09-18."""
PROXY_TIMES: Final = (10, 15, 20, 25, 30, 45, 60, 75, 90, 100, 120, 125, 180, 240, 300, 350, 600)
"""Seconds of silence at which proxies, balancers and tunnels are set to cut, by default or by habit."""

_SLACK: Final = 0.7  # seconds: a timer that is looked at once a second, and the way back
_GATEWAY_TIMEOUT: Final = 504
_FEWEST_SIGNS: Final = 2
_TOGETHER: Final = 0.5
"""Seconds: heartbeats that a server sent seconds apart cannot honestly arrive this close to the end."""


def slow_call(seen: Observations) -> Evidence:
    """Whether a slow call is delivered, and its heartbeats on the way."""
    received = seen.of(Question.SLOW)
    if received is None:
        return Evidence(
            subject="slow call", standing=Standing.NOT_CHECKED, sentence=seen.why.get(Question.SLOW, "none was made")
        )
    if not answered(received):
        return _lost(received)
    if _came_together(received):
        return _hoarded(received)
    took, silence = seconds(received.duration), seconds(received.longest_gap)
    return Evidence(
        subject="slow call", standing=Standing.HOLDS, sentence=f"delivered after {took}, longest silence {silence}"
    )


def slow_sign(seen: Observations) -> Sign | None:
    """What became of a slow call, as an answer of the table; None if none was made."""
    received = seen.of(Question.SLOW)
    if received is None:
        return None
    fact = (
        f"{received.ending.value} after {seconds(received.duration)}, longest silence {seconds(received.longest_gap)}"
    )
    return Sign(question="slow-call", answer=_what_became(received), fact=fact)


def _what_became(received: Received) -> str:
    if answered(received):
        if received.duration > SHORTEST_HOST_LIMIT:
            return "too-long-for-hosts"
        return "together" if _came_together(received) else "delivered"
    is_cut = received.ending is Ending.BROKEN or received.status == _GATEWAY_TIMEOUT
    if is_cut and is_a_proxy_time(received.longest_gap):
        return "cut-at-a-round-time"
    return "too-long-for-hosts" if received.duration > LONGEST_HOST_LIMIT else "lost"


def is_a_proxy_time(silence: float) -> bool:
    """Whether proxies are commonly set to end a silence of so many seconds."""
    return any(abs(silence - usual) <= max(_SLACK, usual / 100) for usual in PROXY_TIMES)


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
        standing=Standing.FINDING,
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
        standing=Standing.FINDING,
        sentence=f"a slow call is lost: {how}",
        facts=(f"longest silence {seconds(received.longest_gap)}", *_by(received), *trouble),
        advice=against_cuts(carriers(received)),
        suspects=(Suspect.EDGE, Suspect.CONNECTOR),
        certainty=Certainty.UNDECIDED,
        incidents=("T-03",),
    )


def _by(received: Received) -> tuple[str, ...]:
    return (carriers(received),) if carriers(received) else ()
