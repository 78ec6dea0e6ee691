"""Whatever names callers invent, a lock is read back as it was written, and comments survive it. Ours."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.recorder.paths import written
from contract_tests.drift.comments import comments_of
from contract_tests.drift.kinds import Kind
from contract_tests.drift.lock import FEW, LOTS, MANY, Approved, Lock, Place, Profile, Trait, Usage
from contract_tests.drift.lockreading import parse_lock
from contract_tests.drift.lockwriting import OWN_COMMENTS, as_lines

LETTERS = st.characters(codec="utf-8", exclude_characters="\n\r")
ODD = (
    "null",
    "1.0",
    "~",
    "yes",
    "a: b # c",
    "'",
    '"',
    "- x",
    "{}",
    "*",
    "[x]",
    "2026-07-28",
    "x ",
    "#",
    "%a",
    "@b",
    "!c",
)
TEXT = st.text(LETTERS, min_size=1, max_size=12) | st.sampled_from(ODD)
WORDS = st.frozensets(st.sampled_from(["string", "number", "object"]), min_size=1)
TRAITS: st.SearchStrategy[dict[Trait, Usage]] = st.dictionaries(
    st.tuples(st.just(Kind.HEADER), TEXT), st.builds(Usage, is_always=st.booleans()), max_size=3
) | st.dictionaries(
    st.tuples(st.just(Kind.MEMBER), st.lists(TEXT, min_size=1, max_size=3).map(tuple).map(written)),
    st.builds(Usage, is_always=st.booleans(), words=WORDS),
    max_size=3,
)
PLACES = st.builds(Place, surface=TEXT, channel=st.sampled_from(["mcp", "oauth"]), method=TEXT)
LOCKS = st.builds(
    Lock,
    places=st.dictionaries(
        PLACES,
        st.builds(
            Approved,
            versions=st.dictionaries(
                st.sampled_from(["", "2026-07-28", "DRAFT-2027-v1"]),
                st.builds(Profile, seen=st.sampled_from([1, FEW, MANY, LOTS]), traits=TRAITS),
                min_size=1,
                max_size=2,
            ),
        ),
        max_size=3,
    ),
)


def text_of(lock: Lock) -> str:
    return "\n".join(line.text for line in as_lines(lock)) + "\n"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LOCKS)
def test_a_lock_is_read_back_as_it_was_written(lock: Lock) -> None:
    assert parse_lock(text_of(lock), Path("lock")) == lock


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LOCKS, st.data())
def test_a_comment_above_any_line_is_there_again(lock: Lock, data: st.DataObject) -> None:
    lines = text_of(lock).splitlines()
    at = data.draw(st.integers(min_value=len(OWN_COMMENTS), max_value=len(lines)))
    margin = lines[at][: len(lines[at]) - len(lines[at].lstrip())] if at < len(lines) else ""
    commented = "\n".join([*lines[:at], f"{margin}# by hand", *lines[at:]]) + "\n"
    assert comments_of(commented, own=OWN_COMMENTS).woven(as_lines(lock)) == (commented, ())
