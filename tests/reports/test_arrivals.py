"""A stream of very many arrivals is kept as few."""

from itertools import pairwise

import pytest

from contract_tests.outcome import Chunk
from contract_tests.replay.arrivals import thinned
from tests.replay.literal import literal
from tests.replay.test_wire import exchange, in_chunks


def test_few_arrivals_stay_as_they_came() -> None:
    """Ours: every heartbeat of an ordinary stream is drawn where it was."""
    few = tuple(Chunk(at=number / 7, size=number, is_heartbeat=number % 3 == 0) for number in range(500))

    assert thinned(few) == few


@pytest.mark.parametrize("length", [501, 20_000])
def test_many_arrivals_become_few_that_add_up(length: int) -> None:
    """Ours: sizes, counts, the first, the last and both kinds stay."""
    many = tuple(Chunk(at=number / 100, size=2, is_heartbeat=number % 4 == 0) for number in range(length))

    few = thinned(many)

    assert len(few) <= 500
    assert (few[0], few[-1]) == (many[0], many[-1])
    assert sum(chunk.count for chunk in few) == length
    assert sum(chunk.size for chunk in few) == 2 * length
    assert sum(chunk.count for chunk in few if chunk.is_heartbeat) == -(-length // 4)
    assert [chunk.at for chunk in few] == sorted(chunk.at for chunk in few)
    assert thinned(few) == few


def test_a_silence_stays_where_it_was() -> None:
    """CT-15: what matters in a long stream is when nothing came."""
    before = [Chunk(at=number / 1000, size=1) for number in range(3_000)]
    after = [Chunk(at=60 + number / 1000, size=1) for number in range(3_000)]

    few = thinned([*before, *after])

    gaps = [later.at - earlier.at for earlier, later in pairwise(few)]
    assert 57 <= max(gaps) <= 57.6
    assert sum(gap > 1 for gap in gaps) == 1


def test_arrivals_of_one_moment_are_one() -> None:
    """Ours: a clock that stands still divides nothing by zero."""
    few = thinned([Chunk(at=1.0, size=1) for _ in range(900)])

    assert [chunk.count for chunk in few] == [1, 898, 1]


def test_a_reply_of_single_bytes_is_received_with_few_arrivals() -> None:
    """Ours: thirty-two megabytes of single bytes must not become as many objects."""
    with literal(in_chunks(*[b"x"] * 2_600, media="text/plain")) as target:
        received = exchange(target.url)

    assert received.body == "x" * 2_600
    assert len(received.chunks) <= 500
    assert sum(chunk.size for chunk in received.chunks) == 2_600
    assert received.first_byte == received.chunks[0].at
    assert 0 < received.longest_gap <= received.duration
