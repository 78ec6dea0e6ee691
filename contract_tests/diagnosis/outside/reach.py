"""Evidence on the way itself: does a small call come through, and does it as an event stream? Pure."""

from typing import Final

from ...judging.reply import read_reply
from ...notation.session import MISSING
from ...outcome import Ending, Received
from ...report.words import seconds
from ..diagnosis import Certainty, Evidence, Standing, Suspect
from .observations import Observations, Place, Question, carriers, is_event_stream, media_type

_UNAUTHORIZED: Final = 401
_NOT_ACCEPTABLE: Final = 406


def reach(seen: Observations) -> Evidence:
    """Whether anything that speaks MCP answers a small call."""
    small = seen.of(Question.SMALL)
    if small is None or small.status is None:
        return _not_reached(seen, small)
    if small.status == _UNAUTHORIZED:
        return Evidence(
            subject="reach",
            standing=Standing.NOT_CHECKED,
            sentence="the address asks for authorization: give --header 'Authorization: Bearer ...'",
        )
    if answered(small):
        took = seconds(small.first_byte)
        return Evidence(subject="reach", standing=Standing.HOLDS, sentence=f"a small call is answered after {took}")
    return _strange(seen, small)


def framings(seen: Observations) -> Evidence:
    """Whether a reply that is an event stream comes through as others do."""
    small, as_events = seen.of(Question.SMALL), seen.of(Question.EVENTS)
    if small is None or as_events is None or not answered(small):
        return _unknown("no small call was answered")
    streamed = next((each for each in (as_events, small) if answered(each) and is_event_stream(each)), None)
    if streamed is not None:
        took = seconds(streamed.first_byte)
        return Evidence(subject="event streams", standing=Standing.HOLDS, sentence=f"one that ends comes after {took}")
    if as_events.status == _NOT_ACCEPTABLE or answered(as_events):
        return _unknown(f"the target does not answer a small call with one ({as_events.status})")
    direct = seen.of(Question.EVENTS, Place.DIRECT)
    suspects, certainty = _suspects(direct)
    return Evidence(
        subject="event streams",
        standing=Standing.FINDING,
        sentence="a call that is answered as JSON fails as an event stream",
        facts=(f"JSON: {words(small)}", f"event stream: {words(as_events)}", *_direct(direct)),
        suspects=suspects,
        certainty=certainty,
        incidents=("T-04", "P-41"),
    )


def answered(received: Received) -> bool:
    """Whether it is a complete JSON-RPC reply, be it an error."""
    if received.ending is not Ending.COMPLETE:
        return False
    message = read_reply(received).message
    return message is not MISSING and isinstance(message, dict) and "jsonrpc" in message


def _not_reached(seen: Observations, small: Received | None) -> Evidence:
    said = seen.trouble or f"{seen.url} does not answer: {small.trouble if small is not None else 'nothing came'}"
    return Evidence(subject="reach", standing=Standing.NOT_CHECKED, sentence=said)


def _strange(seen: Observations, small: Received) -> Evidence:
    direct = seen.of(Question.SMALL, Place.DIRECT)
    suspects, certainty = _suspects(direct)
    return Evidence(
        subject="reach",
        standing=Standing.FINDING,
        sentence=f"what answers a small call is not an MCP server ({small.status})",
        facts=(words(small), *_direct(direct)),
        advice=("Is the path right, and the server up? An edge must let POSTs of the platforms' servers through.",),
        suspects=suspects,
        certainty=certainty,
        incidents=("P-19",),
    )


def _suspects(direct: Received | None) -> tuple[tuple[Suspect, ...], Certainty]:
    if direct is not None and answered(direct):
        return (Suspect.EDGE,), Certainty.CERTAIN
    return (Suspect.EDGE, Suspect.CONNECTOR), Certainty.UNDECIDED


def _unknown(why: str) -> Evidence:
    return Evidence(subject="event streams", standing=Standing.NOT_CHECKED, sentence=why)


def words(received: Received) -> str:
    """A reply in a few words: status, media type, first byte, ending, and who carried it."""
    by = f" ({carriers(received)})" if carriers(received) else ""
    if received.status is None:
        return f"no answer within {seconds(received.duration)}{by}"
    ending = "" if received.ending is Ending.COMPLETE else f", {received.ending.value}"
    return f"{received.status} {media_type(received)}".rstrip() + f" after {seconds(received.first_byte)}{ending}{by}"


def _direct(direct: Received | None) -> tuple[str, ...]:
    return () if direct is None else (f"at its own address: {words(direct)}",)
