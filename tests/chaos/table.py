"""A run in words: the table of figures, and the histories of wishes that broke a rule. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from tests.chaos.checking import Violation, residue, sent_again, swallowed
from tests.chaos.history import Asking, Ending, History, Told, Wish
from tests.chaos.run import Ran

_AROUND: Final = 3.0
"""Seconds before and after a wish within which faults are shown with it."""


def figures(ran: Ran, found: Sequence[Violation]) -> dict[str, int]:
    """What is counted of a run, in the order of the table."""
    history = ran.history
    endings = Counter(asking.ending for asking in history.askings)
    marks = Counter(asking.mark for asking in history.askings)
    says = Counter(line.says for line in history.told)
    return {
        "calls": len(history.askings),
        "wishes": len(history.wishes),
        "effects": says["effect"],
        "takeovers": says["taken over"],
        "replays": marks["replayed"],
        "joins": marks["joined"],
        "unstored": marks["unstored"],
        "unknowns": endings[Ending.UNKNOWN],
        "mismatches": endings[Ending.MISMATCH],
        "refused": endings[Ending.REFUSED],
        "lost": endings[Ending.LOST],
        "sent again by proxies, seen": sent_again(history),
        "effects after a noted answer": residue(history),
        "repeats swallowed": swallowed(history),
        "faults": sum(ran.struck.values())
        + sum(fault.what not in {"kill", "stop"} for fault in history.faults)
        + sum(asking.planned.startswith("cut") for asking in history.askings),
        "violations": len(found),
    }


def table(ran: Ran, found: Sequence[Violation]) -> str:
    """The figures, and which faults there were."""
    plans = ran.plans
    lines = [f"store {plans.store}, seed {plans.seed}, {ran.seconds:.0f} s, clocks: {ran.clock}"]
    lines += [f"  {name:<30}{count:>8}" for name, count in figures(ran, found).items()]
    faults = ran.struck + Counter(f.what for f in ran.history.faults if f.what not in {"kill", "stop"})
    faults += Counter(asking.planned.split(",")[0] for asking in ran.history.askings if "cut" in asking.planned)
    lines += [f"  {name:<30}{count:>8}" for name, count in sorted(faults.items())]
    return "\n".join(lines)


def shown(violation: Violation, history: History) -> str:
    """A broken rule, and all that is known of the wishes that broke it, in the order of time."""
    wishes = [wish for wish in history.wishes if wish.id in violation.wishes]
    lines = [f"rule {violation.rule}: {violation.sentence}", *(f"  {_wish(wish)}" for wish in wishes)]
    lines += [f"  {line}" for _, line in sorted(_events(violation, history))]
    return "\n".join(lines)


def _events(violation: Violation, history: History) -> Iterator[tuple[float, str]]:
    askings = [asking for asking in history.askings if asking.wish in violation.wishes]
    told = [line for line in history.told if line.wish in violation.wishes]
    moments = [a.asked_at for a in askings] + [a.ended_at for a in askings] + [line.at for line in told]
    for asking in askings:
        yield (
            asking.asked_at,
            f"{_when(asking.asked_at)} {asking.wish} asked ({asking.number}, {asking.way}) {asking.planned}",
        )
        yield asking.ended_at, f"{_when(asking.ended_at)} {asking.wish} {_ending(asking)}"
    for line in told:
        yield line.at, f"{_when(line.at)} {line.wish} {_told(line)}"
    for fault in history.faults:
        if moments and min(moments) - _AROUND < fault.ended_at and fault.begun_at < max(moments) + _AROUND:
            span = f"until {_when(fault.ended_at)}"
            yield fault.begun_at, f"{_when(fault.begun_at)} fault: {fault.what} {fault.detail} {span}"


def _wish(wish: Wish) -> str:
    name = wish.key or "no key"
    return f"{wish.id}: {wish.user} in {wish.conversation}, {wish.tool}({wish.item!r}, {wish.amount}), {name}"


def _ending(asking: Asking) -> str:
    said = f": {asking.said[:120]}" if asking.said else ""
    mark = f" [{asking.mark}]" if asking.mark else ""
    what = f" {asking.receipt} of {asking.of}" if asking.of else ""
    return f"answered ({asking.number}, worker {asking.worker}) {asking.ending.value}{mark}{what}{said}"


def _told(line: Told) -> str:
    return (
        f"{line.says}: worker {line.pid}, attempt {line.attempt}, epoch {line.epoch}, key {line.key[:8]} {line.receipt}"
    )


def _when(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S.%f")[:-3]
