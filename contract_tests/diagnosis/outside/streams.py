"""Evidence on buffering: does a stream that stays open let its first byte through? Pure.

the way      compressed   direct     says
passes       passes       -          streams pass
passes       held         passes     the edge holds streams back once it compresses them
held         -            passes     the edge buffers streams
held         -            held       the connector sends nothing
withheld     -            not asked  the edge, most likely: servers announce a stream when they open it
silent       -            not asked  the edge or the connector
"""

from enum import StrEnum
from typing import Final

from ...outcome import Ending, Received
from ...report.words import seconds
from ..diagnosis import Certainty, Evidence, Standing, Suspect
from .advice import against_buffering
from .observations import Observations, Place, Question, carriers, is_event_stream

_OK: Final = 200

_AT_ONCE: Final = 3.0
"""Seconds within which a first byte counts as sent at once: CT-14c asks for one, the rest is for slow networks."""

BUFFERS = "a proxy between here and the connector buffers event streams"
COMPRESSES = "a proxy between here and the connector compresses event streams and holds them back"


class Passage(StrEnum):
    """How a stream that nobody ends came through."""

    PASSES = "passes"
    LATE = "passes late"
    SILENT = "announced, then silent"
    WITHHELD = "not even announced"
    NONE = "no stream"


def passage(received: Received | None) -> Passage:
    """Read one attempt to open a stream."""
    if received is None:
        return Passage.NONE
    if received.status is None:
        return Passage.WITHHELD if received.ending is Ending.CUT_BY_CLIENT else Passage.NONE
    if received.status != _OK or not is_event_stream(received):
        return Passage.NONE
    if received.chunks:
        return Passage.PASSES if (received.first_byte or 0.0) < _AT_ONCE else Passage.LATE
    return Passage.SILENT if received.ending is Ending.CUT_BY_CLIENT else Passage.NONE


_HELD = (Passage.LATE, Passage.SILENT, Passage.WITHHELD)


def streams(seen: Observations) -> Evidence:
    """What becomes of an idle stream on its way."""
    plain, packed = passage(seen.of(Question.STREAM)), passage(seen.of(Question.COMPRESSED))
    if plain is Passage.NONE:
        return _evidence(Standing.NOT_CHECKED, _why_none(seen))
    if plain is Passage.PASSES:
        return _passing(seen) if packed not in _HELD else _held(seen, Question.COMPRESSED, COMPRESSES)
    return _held(seen, Question.STREAM, BUFFERS)


def _passing(seen: Observations) -> Evidence:
    received = seen.of(Question.STREAM)
    first = None if received is None else received.first_byte
    return _evidence(Standing.HOLDS, f"a stream's first byte comes after {seconds(first)}")


def _held(seen: Observations, question: Question, sentence: str) -> Evidence:
    suspects, certainty = _suspects(seen, question)
    if suspects == (Suspect.CONNECTOR,):
        sentence = "the connector opens a stream and sends nothing on it at once"
    elif certainty is Certainty.UNDECIDED:
        sentence = f"a stream stays silent too long: either {sentence}, or the connector sends nothing"
    small = seen.of(Question.SMALL)
    facts = [_silence(seen, question), *_compared(seen, question)]
    if carriers(small):
        facts.append(carriers(small))
    is_edge = Suspect.EDGE in suspects
    ask = () if seen.direct else ("Repeat with --direct URL, the connector's own address, to know for certain.",)
    return _evidence(
        Standing.FINDING,
        sentence,
        facts=tuple(facts),
        advice=(*(against_buffering(carriers(small)) if is_edge else _HEARTBEATS), *ask),
        suspects=suspects,
        certainty=certainty,
        incidents=("T-04",) if suspects == (Suspect.EDGE,) else ("T-01", "T-04"),
    )


_HEARTBEATS = ("Send a comment such as `: ok` when the stream opens, and another at least every 15 s.",)


def _suspects(seen: Observations, question: Question) -> tuple[tuple[Suspect, ...], Certainty]:
    direct = passage(seen.of(question, Place.DIRECT))
    if direct is Passage.PASSES:
        return (Suspect.EDGE,), Certainty.CERTAIN
    if direct in _HELD:
        return (Suspect.CONNECTOR,), Certainty.CERTAIN
    if question is Question.COMPRESSED or passage(seen.of(question)) is Passage.WITHHELD:
        return (Suspect.EDGE,), Certainty.LIKELY
    return (Suspect.EDGE, Suspect.CONNECTOR), Certainty.UNDECIDED


def _silence(seen: Observations, question: Question) -> str:
    small = seen.of(Question.SMALL)
    received = seen.of(question)
    late = received.first_byte if received is not None else None
    what = {
        Passage.LATE: f"its first byte came after {seconds(late)}",
        Passage.SILENT: f"its headers came, then no byte within {seconds(seen.patience)}",
    }.get(passage(received), f"no byte came within {seconds(seen.patience)}")
    took = "" if small is None else f", though a small call took {seconds(small.first_byte)}"
    return f"{question.value}: {what}{took}"


def _compared(seen: Observations, question: Question) -> list[str]:
    facts = []
    if question is Question.COMPRESSED:
        plain = seen.of(Question.STREAM)
        facts.append(f"the same stream uncompressed: first byte after {seconds(plain.first_byte if plain else None)}")
    direct = seen.of(question, Place.DIRECT)
    if passage(direct) is Passage.PASSES and direct is not None:
        facts.append(f"the same at {seen.direct}: first byte after {seconds(direct.first_byte)}")
    elif seen.direct and passage(direct) is Passage.NONE:
        facts.append(f"at {seen.direct} no stream could be opened to compare with")
    return facts


def _why_none(seen: Observations) -> str:
    received = seen.of(Question.STREAM)
    if received is None or received.status is None:
        return seen.why.get(Question.STREAM, "no stream was opened")
    return f"the target opens no stream on GET ({received.status})"


def _evidence(
    standing: Standing,
    sentence: str,
    *,
    facts: tuple[str, ...] = (),
    advice: tuple[str, ...] = (),
    suspects: tuple[Suspect, ...] = (),
    certainty: Certainty | None = None,
    incidents: tuple[str, ...] = (),
) -> Evidence:
    return Evidence(
        subject="buffering",
        standing=standing,
        sentence=sentence,
        facts=facts,
        advice=advice,
        suspects=suspects,
        certainty=certainty,
        incidents=incidents,
    )
