"""Cutting a stream of server-sent events, however its bytes arrive."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http.behind.events import Splitter, as_event, data_of, names_itself

LINE_ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
COMMENT = b": still working\n\n"


def understood(stream: bytes) -> list[bytes]:
    """The data a client takes from a stream (WHATWG HTML, "Interpreting an event stream")."""
    taken, data = [], list[bytes]()
    for line in stream.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")[:-1]:
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
        elif not line and data:
            taken.append(b"\n".join(data))
            data = []
    return taken


def fed(chunks: Sequence[bytes]) -> tuple[list[bytes], bytes]:
    splitter = Splitter()
    return [event for chunk in chunks for event in splitter.feed(chunk)], splitter.rest


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Events with data, comments and ids, each line and each event ended in any legal way."""
    line = st.one_of(
        st.binary(max_size=8).map(lambda data: b"data: " + data.replace(b"\r", b"").replace(b"\n", b"")),
        st.sampled_from([b": ping", b"event: message", b"id: 7", b"retry: 5", b"data", b"data:"]),
    )
    events = draw(st.lists(st.lists(line, min_size=1, max_size=3), max_size=5))
    parts = [b"".join(part + draw(LINE_ENDS) for part in event) + draw(LINE_ENDS) for event in events]
    return b"".join(parts) + draw(st.sampled_from([b"", b"data: cut", b"\n"]))


@st.composite
def chunked(draw: st.DrawFn) -> list[bytes]:
    stream = draw(streams())
    cuts = sorted(draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    return [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@given(chunked())
def test_no_byte_is_lost_added_or_moved(chunks: list[bytes]) -> None:
    """Ours: what is relayed is what the app said."""
    events, rest = fed(chunks)

    assert b"".join(events) + rest == b"".join(chunks)


@given(chunked())
def test_a_comment_between_any_two_events_changes_nothing_for_the_client(chunks: list[bytes]) -> None:
    """Ours: a heartbeat never falls into an event, wherever the chunks were cut."""
    events, rest = fed(chunks)

    assert understood(COMMENT.join([*events, rest])) == understood(b"".join(chunks))


@given(streams())
def test_nothing_that_is_complete_is_held_back(stream: bytes) -> None:
    """Ours: the last event of a stream must not wait for a byte that never comes."""
    events, rest = fed([stream[place : place + 1] for place in range(len(stream))])

    assert understood(b"".join(events)) == understood(stream)
    assert understood(rest) == []


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n", b"\r\n\n", b"\n\r", b"\r\r\n"])
def test_an_event_ends_with_an_empty_line_of_any_kind(end: bytes) -> None:
    """WHATWG HTML, "Parsing an event stream": LF, CR and CRLF end a line."""
    assert fed([b"data: 1" + end + b"data: 2" + end]) == ([b"data: 1" + end, b"data: 2" + end], b"")


def test_one_crlf_is_not_two_line_ends() -> None:
    """WHATWG HTML, "Parsing an event stream"."""
    assert fed([b"event: message\r", b"\ndata: 1\r", b"\n\r", b"\n"])[0] == [b"event: message\r\ndata: 1\r\n\r"]


@given(st.recursive(st.none() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)), st.integers(0, 2))
def test_a_json_text_survives_becoming_an_event(value: object, indent: int) -> None:
    """Ours: an app may print its JSON on many lines, and an event's data are lines."""
    event = as_event(json.dumps(value, indent=indent or None).encode())

    assert fed([event]) == ([event], b"")
    assert json.loads(data_of(event) or b"") == value


def test_data_is_none_only_where_there_is_no_such_line() -> None:
    """SEP-1699: a priming event has an id and empty data."""
    assert data_of(b": ping\n\n") is None
    assert data_of(b"id: 3\ndata:\n\n") == b""
    assert data_of(b"data: a\rdata:b\r\r") == b"a\nb"
    assert names_itself(b"id: 3\ndata:\n\n")
    assert not names_itself(b"id\ndata: id: 3\n\n")
