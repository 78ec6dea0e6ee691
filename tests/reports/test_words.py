"""The words that all reports share."""

import pytest

from contract_tests.outcome import Run
from contract_tests.report.words import excerpt, indented, printable, seconds, size, verdict_line


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "none"),
        (0, "0 s"),
        (0.00005, "50 µs"),
        (0.0083, "8.3 ms"),
        (0.0999, "100 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (12.345, "12.3 s"),
        (59.96, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3960, "1 h 6 min"),
    ],
)
def test_a_duration_has_the_unit_a_person_would_choose(value: float | None, words: str) -> None:
    """Ours."""
    assert seconds(value) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (4100, "4.1 kB"), (999_960, "1.0 MB"), (12e6, "12.0 MB")],
)
def test_a_size_has_the_unit_a_person_would_choose(count: int, words: str) -> None:
    """Ours."""
    assert size(count) == words


def test_the_verdict_counts_every_kind(run: Run) -> None:
    """Issue 2: the summary line."""
    assert verdict_line(run) == "3 hold, 1 breaks, 1 not checked"


def test_what_could_act_on_a_screen_becomes_visible() -> None:
    """Ours: escape sequences, lone surrogates, direction overrides, invisible characters, XML's forbidden ones."""
    assert printable("\x1b[31m\x00 \r\n\t\x9b") == "\\x1b[31m\\x00 \\x0d\n\t\\x9b"
    assert printable("\ud800 \u202e \ufeff \u200b \uffff") == "\\ud800 \\u202e \\ufeff \\u200b \\uffff"
    assert printable("naïve 東京 🙂") == "naïve 東京 🙂"


def test_json_is_laid_out_without_touching_what_was_sent() -> None:
    """Ours: duplicate members, number forms and escapes are evidence."""
    assert indented('{"a":[1,{"b":[]},"x,{\\u00e9\\"y"],"n":1E400,"n":-0.0,"o":{}}', longest=1000) == (
        "{\n"
        '  "a": [\n'
        "    1,\n"
        "    {\n"
        '      "b": []\n'
        "    },\n"
        '    "x,{\\u00e9\\"y"\n'
        "  ],\n"
        '  "n": 1E400,\n'
        '  "n": -0.0,\n'
        '  "o": {}\n'
        "}"
    )


def test_the_messages_of_an_event_stream_are_laid_out_one_by_one() -> None:
    """Server-sent events: comments and fields stay as they are."""
    body = ': beat\n\nevent: message\ndata: {"id":1}\n\ndata: plain\n\n'

    assert indented(body, media_type="text/event-stream", longest=1000) == (
        ': beat\n\nevent: message\ndata: {\n  "id": 1\n}\n\ndata: plain\n'
    )


@pytest.mark.parametrize("body", ["", "plain", "{]", "[" * 100_000, '{"a": ', "{}"])
def test_what_is_not_json_or_needs_no_layout_has_none(body: str) -> None:
    """Ours."""
    assert indented(body, longest=1000) is None


def test_laying_out_stops_where_nobody_reads_on() -> None:
    """Ours: deep nesting would otherwise grow by the square of its depth."""
    laid_out = indented("[" * 900 + "]" * 900, longest=5_000)

    assert laid_out is not None
    assert 5_000 < len(laid_out) < 6_000


def test_a_shortened_body_says_how_much_there_was() -> None:
    """Ours."""
    assert excerpt("short", longest=10).omission == ""
    assert excerpt("é" * 2_000, longest=1_000).omission == "first 1,000 of 2,000 characters, 4.0 kB in all"
