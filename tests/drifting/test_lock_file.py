"""`ballast.lock.yaml`: read strictly, written whole, comments kept. Issue 7, and ours."""

from pathlib import Path

import pytest

from contract_tests.drift.errors import BadLock
from contract_tests.drift.kinds import Kind
from contract_tests.drift.lock import FEW, LOTS, Approved, Lock, Place, Profile, Usage
from contract_tests.drift.lockfile import read_lock_file

CALL = Place(surface="chatgpt-codex", channel="mcp", method="tools/call")
TOKEN = Place(surface="chatgpt", channel="oauth", method="POST /token")

TEXT = frozenset({"string"})
LOCK = Lock(
    places={
        CALL: Approved(
            versions={
                "2026-07-28": Profile(
                    seen=LOTS,
                    traits={
                        (Kind.HEADER, "x-openai-session"): Usage(is_always=True),
                        (Kind.MEMBER, 'params._meta["openai/locale"]'): Usage(
                            is_always=True, words=frozenset({"string"})
                        ),
                        (Kind.MEMBER, "id"): Usage(is_always=False, words=frozenset({"number", "string"})),
                        (Kind.VALUE, "accept: application/json text/event-stream"): Usage(is_always=True),
                    },
                )
            },
            rhythm={"a day": 320.0, "cut after": (119.0,), "retried": 0.071},
        ),
        TOKEN: Approved(
            versions={
                "": Profile(
                    seen=FEW, traits={(Kind.MEMBER, "form.code"): Usage(is_always=False, words=frozenset({"string"}))}
                )
            }
        ),
    },
    rhythm={"codes redeemed": 0.96},
    edge=frozenset({"cf-ray"}),
)

WRITTEN = """\
# What callers send to this connector, as it was approved: names and JSON types, never a value of anybody's.
# `mcp-ballast drift --approve` writes it; everything else is drift. Comments of yours are kept.
format: 1
rhythm:
  codes redeemed: 0.96
edge:
  cf-ray: on the way
surfaces:
  chatgpt:
    oauth POST /token:
      versions:
        unversioned:
          seen: few
          members:
            form.code: sometimes string
  chatgpt-codex:
    mcp tools/call:
      rhythm:
        a day: 320
        cut after: [119]
        retried: 0.071
      versions:
        2026-07-28:
          seen: lots
          headers:
            x-openai-session: always
          members:
            id: sometimes number or string
            'params._meta["openai/locale"]': always string
          values:
            'accept: application/json text/event-stream': always
end: of the lock
"""


def test_a_lock_is_written_so_that_people_can_read_it_and_read_back_as_it_was(tmp_path: Path) -> None:
    """Ours: the format itself, which a pull request shows."""
    file = tmp_path / "ballast.lock.yaml"
    read_lock_file(file).replaced(LOCK)
    assert file.read_text() == WRITTEN
    assert read_lock_file(file).lock == LOCK


def test_comments_of_people_stay_with_their_lines(tmp_path: Path) -> None:
    """Issue 7: comments from people are kept."""
    file = tmp_path / "ballast.lock.yaml"
    commented = WRITTEN.replace("            id:", "            # ids were strings in the beta\n            id:")
    commented = commented.replace("retried: 0.071", "retried: 0.071  # ask Ada before this rises") + "# the end\n"
    file.write_text(commented)
    assert read_lock_file(file).replaced(LOCK) == ()
    assert file.read_text() == commented


def test_a_comment_whose_line_is_gone_moves_and_is_said(tmp_path: Path) -> None:
    """Issue 7: nothing is lost."""
    file = tmp_path / "ballast.lock.yaml"
    file.write_text(WRITTEN.replace("            form.code:", "            # only with PKCE\n            form.code:"))
    without = Lock(places={CALL: LOCK.places[CALL]}, rhythm=LOCK.rhythm, edge=LOCK.edge)
    moved = read_lock_file(file).replaced(without)
    assert [text.endswith("only with PKCE") for text in moved] == [True]
    assert moved[0] in file.read_text()
    assert read_lock_file(file).lock == without


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (WRITTEN, "", "It is empty."),
        ("surfaces:\n", "surfaces: ]\n", "This is not YAML"),
        ("format: 1", "format: 2", "upgrade this one"),
        ("format: 1", "form: 1", "Did you mean 'format'?"),
        ("seen: few", "seen: twice", "Write one of once, few, many, lots."),
        ("always string", "always text", "does not say how it is used"),
        ("session: always", "session: often", "Write always or sometimes."),
        ("a day: 320", "a day: many", "Write one number."),
        ("cut after: [119]", "cut after: 119", "Write a list of numbers."),
        ("form.code", "form..code[", "is no place in a request"),
        ("mcp tools/call", "tools/call", "Write e.g. `mcp tools/call`."),
        ("edge:", "<<<<<<< HEAD\nedge:", "merge conflict"),
        ("  cf-ray: on the way\n", "  cf-ray: on the way\n  cf-ray: on the way\n", "appears twice"),
        ("end: of the lock\n", "", "It is cut off"),
        ("  cf-ray: on the way\n", "  - cf-ray\n", "is no mapping of names"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_and_left_alone(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Issue 7: damaged, of an unknown version, edited by hand."""
    file = tmp_path / "ballast.lock.yaml"
    file.write_text(WRITTEN.replace(old, new, 1))
    with pytest.raises(BadLock) as refused:
        read_lock_file(file)
    assert said in str(refused.value)
    assert file.read_text() == WRITTEN.replace(old, new, 1)


def test_the_line_of_what_cannot_be_meant_is_named(tmp_path: Path) -> None:
    """Ours: a reader with an editor is sent to the place."""
    file = tmp_path / "ballast.lock.yaml"
    file.write_text(WRITTEN.replace("seen: lots", "seen: often"))
    with pytest.raises(BadLock, match=r"ballast\.lock\.yaml:24: seen is 'often'"):
        read_lock_file(file)


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """Ours: two approvals at once, or a checkout between reading and writing."""
    file = tmp_path / "ballast.lock.yaml"
    file.write_text(WRITTEN)
    read = read_lock_file(file)
    file.write_text(WRITTEN + "# somebody else\n")
    with pytest.raises(BadLock, match="changed by somebody else"):
        read.replaced(Lock())
    assert file.read_text() == WRITTEN + "# somebody else\n"
    assert [each.name for each in tmp_path.iterdir()] == ["ballast.lock.yaml"]
