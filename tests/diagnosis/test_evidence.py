"""What is concluded from what was seen: pure, one row of the table of `contract_tests/diagnosis/streams.py` each."""

import pytest

from contract_tests.diagnosis import Certainty, Evidence, Observations, Place, Question, Standing, Suspect, conclude
from contract_tests.outcome import Chunk, Ending, Received

STREAM = (("Content-Type", "text/event-stream"), ("Server", "edge"))
JSON = (("content-type", "application/json; charset=utf-8"),)
ANSWER = '{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}'

SMALL = Received(
    status=200, headers=JSON, body=ANSWER, chunks=(), ending=Ending.COMPLETE, duration=0.02, first_byte=0.02
)


def opened(first: float | None, *, status: int | None = 200, ending: Ending = Ending.CUT_BY_CLIENT) -> Received:
    """A stream that was listened to for 8 s; its first byte came after so many seconds, or never."""
    chunks = () if first is None else (Chunk(at=first, size=8, is_heartbeat=True),)
    headers = () if status is None else STREAM
    return Received(
        status=status, headers=headers, body="", chunks=chunks, ending=ending, duration=8.0, first_byte=first
    )


PASSES, LATE, SILENT, WITHHELD = opened(0.01), opened(6.0), opened(None), opened(None, status=None)
REFUSED = Received(status=405, headers=JSON, body="{}", chunks=(), ending=Ending.COMPLETE, duration=0.1)
CLOSED = opened(None, ending=Ending.COMPLETE)


def buffering(plain: Received, packed: Received, direct: Received | None = None) -> Evidence:
    """The evidence on buffering."""
    answers = {
        (Place.TARGET, Question.SMALL): SMALL,
        (Place.TARGET, Question.STREAM): plain,
        (Place.TARGET, Question.COMPRESSED): packed,
    }
    if direct is not None:
        answers |= {(Place.DIRECT, Question.STREAM): direct, (Place.DIRECT, Question.COMPRESSED): direct}
    own = "" if direct is None else "http://10.0.0.7/mcp"
    seen = Observations(url="https://example.com/mcp", direct=own, patience=8.0, answers=answers)
    return next(evidence for evidence in conclude(seen) if evidence.subject == "buffering")


EDGE, CONNECTOR, BOTH = (Suspect.EDGE,), (Suspect.CONNECTOR,), (Suspect.EDGE, Suspect.CONNECTOR)


@pytest.mark.parametrize(
    ("plain", "packed", "direct", "suspects", "certainty"),
    [
        (WITHHELD, WITHHELD, None, EDGE, Certainty.LIKELY),
        (SILENT, SILENT, None, BOTH, Certainty.UNDECIDED),
        (LATE, LATE, None, BOTH, Certainty.UNDECIDED),
        (WITHHELD, WITHHELD, PASSES, EDGE, Certainty.CERTAIN),
        (SILENT, SILENT, PASSES, EDGE, Certainty.CERTAIN),
        (LATE, PASSES, PASSES, EDGE, Certainty.CERTAIN),
        (SILENT, SILENT, SILENT, CONNECTOR, Certainty.CERTAIN),
        (WITHHELD, WITHHELD, REFUSED, EDGE, Certainty.LIKELY),
        (PASSES, WITHHELD, None, EDGE, Certainty.LIKELY),
        (PASSES, SILENT, PASSES, EDGE, Certainty.CERTAIN),
        (PASSES, WITHHELD, WITHHELD, CONNECTOR, Certainty.CERTAIN),
    ],
)
def test_a_stream_that_is_held_back_is_a_finding(
    plain: Received, packed: Received, direct: Received | None, suspects: tuple[Suspect, ...], certainty: Certainty
) -> None:
    """T-01, T-04: who is suspected follows from what passes where."""
    found = buffering(plain, packed, direct)

    assert found.standing is Standing.FINDING
    assert (found.suspects, found.certainty) == (suspects, certainty)
    assert found.advice


@pytest.mark.parametrize("packed", [PASSES, REFUSED, CLOSED])
def test_a_stream_that_passes_holds(packed: Received) -> None:
    """CT-14c: a first byte at once; a server need not open a second stream."""
    assert buffering(PASSES, packed).standing is Standing.HOLDS


@pytest.mark.parametrize("plain", [REFUSED, CLOSED, opened(None, status=None, ending=Ending.BROKEN)])
def test_what_is_no_open_stream_says_nothing(plain: Received) -> None:
    """P-23: 405 is a good answer to GET, and no evidence."""
    assert buffering(plain, plain).standing is Standing.NOT_CHECKED


def test_a_call_that_fails_only_as_an_event_stream_is_a_finding() -> None:
    """DESIGN section 7: JSON works where SSE fails."""
    failed = Received(status=403, headers=JSON, body="", chunks=(), ending=Ending.COMPLETE, duration=0.1)
    answers = {(Place.TARGET, Question.SMALL): SMALL, (Place.TARGET, Question.EVENTS): failed}
    seen = Observations(url="https://example.com/mcp", patience=8.0, answers=answers)
    (found,) = [evidence for evidence in conclude(seen) if evidence.subject == "event streams"]

    assert found.sentence == "a call that is answered as JSON fails as an event stream"
    assert (found.suspects, found.certainty) == (BOTH, Certainty.UNDECIDED)
