"""The rules by which a chaos run is judged, on histories written by hand: what they let pass, and what they find."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import recording
from tests.chaos.checking import residue, swallowed, violations
from tests.chaos.history import Asking, Ending, Fault, History, Told, Wish

NAMED = Wish(
    id="w1",
    user="anna",
    subject="v1/anna",
    conversation="v1/chat-1",
    tool="buy",
    item="tea",
    amount=1,
    key="order-1",
)
UNNAMED = replace(NAMED, key=None)
AGAIN = replace(UNNAMED, id="w2")
RERUN = replace(NAMED, tool="send")

EFFECT = Told(at=1.5, says="effect", wish="w1", pid=7, key="k1", receipt="r1")
SECOND = replace(EFFECT, at=2.5, receipt="r2")
TAKEN = Told(at=2.2, says="taken over", wish="w1", pid=8, epoch=2)
NOTED = Told(at=2.1, says="noted", wish="w1", pid=7, epoch=1)


def asking(wish: str = "w1", receipt: str | None = "r1", *, at: float = 1.0, **more: Any) -> Asking:
    """A success, unless said otherwise, of Anna's, that took a second."""
    said = {"ending": Ending.SUCCESS, "of": "w1", "user": "anna", "way": "direct", "number": int(at * 10), **more}
    return Asking(wish=wish, receipt=receipt, asked_at=at, ended_at=at + 1, **said)


def told(ending: Ending, *, at: float = 1.0, **more: Any) -> Asking:
    """An asking without a receipt."""
    return asking(receipt=None, at=at, ending=ending, of=None, user=None, **more)


def history(wishes: list[Wish], askings: list[Asking], lines: list[Told], *faults: Fault) -> History:
    """A run with a grace of 0.3 s."""
    return History(wishes=wishes, askings=askings, told=lines, faults=faults, grace=0.3)


def broken(of: History) -> list[str]:
    """The rules that a history breaks."""
    return sorted(violation.rule for violation in violations(of))


GOOD = {
    "a call": history([NAMED], [asking()], [EFFECT]),
    "a retry that gets the same answer": history(
        [NAMED], [told(Ending.LOST), asking(at=2, mark="replayed"), asking(at=4, mark="replayed")], [EFFECT]
    ),
    "nobody knows, then somebody does": history([NAMED], [told(Ending.UNKNOWN), asking(at=3)], [EFFECT]),
    "nobody ever knows": history([NAMED], [told(Ending.UNKNOWN)], [EFFECT]),
    "a declared takeover": history(
        [RERUN], [told(Ending.LOST), asking(receipt="r2", at=2.2, mark="takeover")], [EFFECT, TAKEN, SECOND]
    ),
    "a failure that changed nothing, and then a success": history(
        [replace(NAMED, tool="insist")],
        [asking(receipt="declined x", ending=Ending.FAILURE, of=None, user=None), asking(at=2)],
        [EFFECT],
    ),
    "other arguments under the key are refused": history(
        [NAMED, replace(NAMED, id="w2", amount=2)], [asking(), told(Ending.MISMATCH, wish="w2", at=3)], [EFFECT]
    ),
    "the same key of another user": history(
        [NAMED, replace(NAMED, id="w2", user="ben")],
        [asking(), asking("w2", "r2", of="w2", user="ben")],
        [EFFECT, replace(SECOND, wish="w2", key="k2")],
    ),
    "a deliberate repeat": history(
        [UNNAMED, AGAIN],
        [asking(), asking("w2", "r2", at=4, of="w2")],
        [EFFECT, NOTED, replace(SECOND, at=4.5, wish="w2", key="k2")],
    ),
    "a repeat that gets the old answer, since the note was lost in a crash": history(
        [UNNAMED, AGAIN],
        [asking(), asking("w2", at=4, mark="replayed")],
        [EFFECT],
        Fault(what="kill", begun_at=2.0, ended_at=2.4),
    ),
    "a repeat of what nobody knew about, and by then somebody does": history(
        [UNNAMED, AGAIN],
        [told(Ending.UNKNOWN), asking("w2", at=4, mark="replayed")],
        [EFFECT, NOTED],
        Fault(what="stop", begun_at=0.5, ended_at=2.4),
    ),
    "a stray request, and the worker died while it noted the answer": history(
        [UNNAMED],
        [asking(), asking(receipt="r2", at=3)],
        [EFFECT, replace(NOTED, says="noting"), replace(SECOND, at=3.5, key="k2")],
    ),
    "a stray request without a key, after the answer was noted as arrived": history(
        [UNNAMED], [asking(), asking(receipt="r2", at=3)], [EFFECT, NOTED, replace(SECOND, at=3.5, key="k2")]
    ),
}


@pytest.mark.parametrize("good", GOOD.values(), ids=GOOD.keys())
def test_what_is_promised_passes(good: History) -> None:
    """Ours: a judge that finds what is not there is not believed when it matters."""
    assert broken(good) == []


BAD = {
    "two answers to one wish": (
        "a b",
        history([NAMED], [asking(), asking(receipt="r2", at=3)], [EFFECT, SECOND]),
    ),
    "two answers after a takeover": (
        "a",
        history([RERUN], [asking(), asking(receipt="r2", at=3)], [EFFECT, TAKEN, SECOND]),
    ),
    "a success that was said to be unstored, and a takeover": (
        "a",
        history([RERUN], [asking(mark="unstored"), asking(receipt="r2", at=2.2)], [EFFECT, TAKEN, SECOND]),
    ),
    "two kept failures": (
        "a",
        history(
            [replace(NAMED, tool="attempt")],
            [told(Ending.FAILURE), replace(told(Ending.FAILURE, at=3), receipt="declined y")],
            [],
        ),
    ),
    "two effects, one answer": ("b", history([NAMED], [asking()], [EFFECT, SECOND])),
    "three effects, one takeover": (
        "b",
        history([RERUN], [asking()], [EFFECT, TAKEN, SECOND, replace(SECOND, receipt="r3")]),
    ),
    "a takeover that nobody declared": ("b", history([NAMED], [asking()], [EFFECT, TAKEN])),
    "a second effect though the other side honours the key": (
        "b",
        history([replace(NAMED, tool="pay")], [asking()], [EFFECT, TAKEN, SECOND]),
    ),
    "a second effect without a key, and nothing was noted": ("b", history([UNNAMED], [asking()], [EFFECT, SECOND])),
    "a reply to another user": (
        "c d",
        history(
            [NAMED, replace(NAMED, id="w2", user="ben")], [asking(), asking("w2", at=3, mark="replayed")], [EFFECT]
        ),
    ),
    "two calls that differ in little are merged": (
        "d",
        history([UNNAMED, replace(AGAIN, item="tea ")], [asking(), asking("w2", mark="joined")], [EFFECT]),
    ),
    "a repeat is not done though the answer was noted": (
        "d",
        history(
            [UNNAMED, AGAIN],
            [asking(), asking("w2", at=4, mark="replayed")],
            [EFFECT, NOTED],
            Fault(what="kill", begun_at=2.0, ended_at=2.4),
        ),
    ),
    "a repeat is not done though nothing had failed": (
        "d",
        history([UNNAMED, AGAIN], [asking(), asking("w2", at=4, mark="replayed")], [EFFECT]),
    ),
    "a repeat is not done, and nobody says so": (
        "d",
        history(
            [UNNAMED, AGAIN], [asking(), asking("w2", at=4)], [EFFECT], Fault(what="kill", begun_at=2.0, ended_at=2.4)
        ),
    ),
    "a success without an effect": ("e", history([NAMED], [asking()], [])),
    "a refusal for other arguments, and there were none": (
        "f",
        history([NAMED], [asking(), told(Ending.MISMATCH, at=3)], [EFFECT]),
    ),
    "one key for the outside, two wishes": (
        "f",
        history(
            [NAMED, replace(NAMED, id="w2", key="order-2")],
            [asking(), asking("w2", "r2", of="w2")],
            [EFFECT, replace(SECOND, wish="w2")],
        ),
    ),
    "a wish that never ends": ("g", history([NAMED], [told(Ending.LOST), told(Ending.REFUSED, at=9)], [EFFECT])),
}


@pytest.mark.parametrize(("rules", "bad"), BAD.values(), ids=BAD.keys())
def test_what_breaks_a_rule_is_found(rules: str, bad: History) -> None:
    """Issue 4 item 6 (a) to (e); (f) and (g) ours."""
    assert " ".join(broken(bad)) == rules


def test_what_is_promised_less_without_a_key_is_counted() -> None:
    """Ours: an exception that is not counted becomes the rule."""
    stray = GOOD["a stray request without a key, after the answer was noted as arrived"]
    lost = GOOD["a repeat that gets the old answer, since the note was lost in a crash"]

    assert (residue(stray), swallowed(stray)) == (1, 0)
    assert (residue(lost), swallowed(lost)) == (0, 1)


@pytest.mark.parametrize(
    "name", ["a declared takeover", "a repeat that gets the old answer, since the note was lost in a crash"]
)
def test_a_history_that_was_written_down_reads_the_same(tmp_path: Path, name: str) -> None:
    """Ours: a run that went wrong is looked at later."""
    recording.write(GOOD[name], tmp_path / "history.jsonl")
    read = recording.read(tmp_path / "history.jsonl")

    assert (list(read.wishes), list(read.askings), list(read.told), list(read.faults), read.grace) == (
        list(GOOD[name].wishes),
        list(GOOD[name].askings),
        list(GOOD[name].told),
        list(GOOD[name].faults),
        0.3,
    )
