"""Judges a history: what a connector promises of calls that run once, as rules over what happened. Pure.

| rule | promise |
|---|---|
| a | one reply: all definite replies to one wish are the same one |
| b | effects are at most one, and one more for each declared takeover; a tool that declares none has none |
| c | no reply crosses from one user to another |
| d | different calls never merge: who is told of success has an effect of their own |
| e | no effect that was acknowledged is lost: each success that was told is in the ledger |
| f | a refusal for other arguments comes only where there were some, and the tool's key names one wish only |
| g | every wish that has a name ends: asked again when all is calm, it is answered or known to be unknown |

`unknown`, refusals and replies that did not arrive are no definite replies. A failure of a tool that says that its
failures changed nothing is none either, nor is a success that is marked as not stored yet, of a tool that is run again
after a crash: until it is stored, it may be.

Wishes without a name are promised less, and the rules say how much less: once it was noted that an answer arrived,
whoever asks again has a new wish, so a request that was under way all the time (in the buffer of a worker that stood
still, say) may run once more: one effect more for each noted answer. And where the note was lost to a fault, or all
that had arrived was that nobody knows, a person who repeats gets the old answer, marked as such.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tests.chaos.history import POLICIES, Asking, Ending, History, Policy, Told, Wish

_MET_AN_EQUAL_ONE: Final = {"joined", "replayed", "takeover", "unknown"}

_SLACK: Final = 0.5
"""Seconds by which what a fault causes may outlast it: connections are made anew, proxies try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that was broken, by which wishes, and how."""

    rule: str
    wishes: tuple[str, ...]
    sentence: str


class Judge:
    """One history, looked up in all the ways the rules need."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.wishes = {wish.id: wish for wish in history.wishes}
        self.groups = _grouped(history.wishes)
        self.askings: dict[str, list[Asking]] = defaultdict(list)
        for asking in history.askings:
            self.askings[asking.wish].append(asking)
        self.told: dict[tuple[str, str], list[Told]] = defaultdict(list)
        for line in history.told:
            self.told[line.says, line.wish].append(line)

    @cached_property
    def effects(self) -> dict[str, Told]:
        """Effects by receipt."""
        return {line.receipt: line for line in self.history.told if line.says == "effect"}

    def lines(self, says: str, group: Sequence[Wish]) -> list[Told]:
        """What the ledger was told in this manner for any of these wishes."""
        return [line for wish in group for line in self.told[says, wish.id]]

    def binding(self, group: Sequence[Wish]) -> Iterator[Asking]:
        """The replies by which the connector is bound: what they say must not be said otherwise later."""
        for wish in group:
            policy = POLICIES[wish.tool]
            for asking in self.askings[wish.id]:
                is_answer = asking.ending is Ending.SUCCESS or policy.keeps_failures
                if asking.is_definite and is_answer:
                    yield asking

    def further_wishes(self, group: Sequence[Wish]) -> int:
        """How often it may have been noted that an answer to an unnamed wish arrived: after each, the next call is a
        new one. A worker that dies while it notes leaves behind that nobody knows.
        """
        if group[0].key is not None:
            return 0
        return len({line.epoch for says in ("noting", "noted") for line in self.lines(says, group)})


def violations(history: History) -> list[Violation]:
    """Every rule that a history breaks."""
    judge = Judge(history)
    found: list[Violation] = []
    for group in judge.groups:
        found += _one_reply(judge, group)
        found += _one_effect(judge, group)
        found += _ends(judge, group)
        for wish in group:
            found += _own_reply(judge, wish)
            found += _own_effect(judge, wish)
            found += _fitting_refusal(judge, wish)
    return found + list(_one_key(judge))


def residue(history: History) -> int:
    """Effects that unnamed wishes had beyond what takeovers explain: each after an answer that was noted as arrived."""
    judge = Judge(history)
    return sum(max(0, _extra(judge, group)) for group in judge.groups if group[0].key is None)


def swallowed(history: History) -> int:
    """Deliberate repeats without a name that got an earlier answer, marked, because the note of it was lost."""
    judge = Judge(history)
    return sum(
        any(asking.of != wish.id and asking.ending is Ending.SUCCESS for asking in judge.askings[wish.id])
        for wish in history.wishes
        if wish.key is None
    )


def sent_again(history: History) -> int:
    """First askings that met an equal call although no client had sent one: a proxy had. It shows only some of them."""
    asked: dict[tuple[str, ...], list[Asking]] = defaultdict(list)
    wishes = {wish.id: wish for wish in history.wishes}
    for asking in sorted(history.askings, key=lambda asking: asking.asked_at):
        wish = wishes[asking.wish]
        asked[wish.likeness if wish.key is None else wish.identity].append(asking)
    alone = [each[0] for each in asked.values() if len(each) == 1 or each[1].asked_at > each[0].ended_at]
    return sum(asking.mark in _MET_AN_EQUAL_ONE for asking in alone)


def _grouped(wishes: Iterable[Wish]) -> list[list[Wish]]:
    groups: dict[tuple[str, ...], list[Wish]] = defaultdict(list)
    for wish in wishes:
        groups[wish.identity].append(wish)
    return list(groups.values())


def _violation(rule: str, group: Sequence[Wish], sentence: str) -> Violation:
    return Violation(rule=rule, wishes=tuple(wish.id for wish in group), sentence=sentence)


def _one_reply(judge: Judge, group: Sequence[Wish]) -> Iterator[Violation]:
    replies = {(asking.ending, asking.receipt) for asking in judge.binding(group)}
    allowed = 1 + judge.further_wishes(group)
    if len(replies) > allowed:
        yield _violation("a", group, f"{len(replies)} different definite replies, and {allowed} may be")


def _extra(judge: Judge, group: Sequence[Wish]) -> int:
    return len(judge.lines("effect", group)) - 1 - _takeovers(judge, group)


def _takeovers(judge: Judge, group: Sequence[Wish]) -> int:
    return len({line.epoch for line in judge.lines("taken over", group)})


def _one_effect(judge: Judge, group: Sequence[Wish]) -> Iterator[Violation]:
    policy: Policy = POLICIES[group[0].tool]
    takeovers = _takeovers(judge, group)
    if takeovers and not policy.takes_over:
        yield _violation("b", group, f"{takeovers} takeovers of a tool that declares none")
    if _extra(judge, group) > judge.further_wishes(group):
        effects = len(judge.lines("effect", group))
        yield _violation("b", group, f"{effects} effects with {takeovers} declared takeovers")
    elif policy.is_deduplicated and len(judge.lines("effect", group)) > 1 + judge.further_wishes(group):
        yield _violation("b", group, "several effects although the other side honours the call's key")


def _own_reply(judge: Judge, wish: Wish) -> Iterator[Violation]:
    for asking in judge.askings[wish.id]:
        if asking.user not in {None, wish.user}:
            yield _violation("c", [wish], f"asking {asking.number} of {wish.user} got the reply of {asking.user}")


def _own_effect(judge: Judge, wish: Wish) -> Iterator[Violation]:
    for asking in judge.askings[wish.id]:
        if asking.ending is not Ending.SUCCESS:
            continue
        effect = judge.effects.get(asking.receipt or "")
        if effect is None:
            yield _violation("e", [wish], f"asking {asking.number} was told of {asking.receipt}, which has no effect")
        elif effect.wish != wish.id:
            yield from _merged(judge, wish, asking, effect)


def _merged(judge: Judge, wish: Wish, asking: Asking, effect: Told) -> Iterator[Violation]:
    """A success with somebody else's effect: right only for an equal repeat after a note that was lost to a fault."""
    other = judge.wishes[effect.wish]
    if wish.key is not None or other.likeness != wish.likeness:
        yield _violation("d", [wish, other], f"{wish.id} was told of the effect of {other.id}, a different call")
        return
    if asking.mark is None:
        yield _violation("d", [wish, other], f"{wish.id} got the answer of {other.id} without being told so")
    begun = min(each.asked_at for each in judge.askings[wish.id])
    alike = [each for each in judge.history.wishes if each.likeness == wish.likeness]
    was_told = any(
        each.receipt == asking.receipt and each.ended_at < begun for of in alike for each in judge.askings[of.id]
    )
    if was_told and any(effect.at < note.at < begun for note in judge.lines("noted", alike)):
        yield _violation("d", [wish, other], f"{other.id} was noted as answered, and {wish.id} still got its answer")
    faults = judge.history.faults
    if not any(f.begun_at < asking.ended_at and f.ended_at + _SLACK > effect.at for f in faults):
        yield _violation("d", [wish, other], f"{wish.id} got the answer of {other.id}, and nothing had failed")


def _fitting_refusal(judge: Judge, wish: Wish) -> Iterator[Violation]:
    refused = [each.number for each in judge.askings[wish.id] if each.ending is Ending.MISMATCH]
    others = [each for each in judge.history.wishes if each.identity == wish.identity and each.id != wish.id]
    if refused and not others:
        yield _violation("f", [wish], f"asking {refused[0]} was refused for other arguments, and there were none")


def _one_key(judge: Judge) -> Iterator[Violation]:
    """The key that a tool hands to the outside names one wish, in all its attempts.

    Equal calls without a key are one while one of them is in flight, also one that a proxy had kept back till then.
    """
    owners: dict[str, Wish] = {}
    for line in judge.history.told:
        if line.says in {"effect", "tried"}:
            wish, owner = judge.wishes[line.wish], owners.setdefault(line.key, judge.wishes[line.wish])
            is_alike = wish.key is None and owner.likeness == wish.likeness
            if owner.identity != wish.identity and not is_alike:
                yield _violation("f", [owner, wish], f"{owner.id} and {wish.id} were given one key for the outside")


def _ends(judge: Judge, group: Sequence[Wish]) -> Iterator[Violation]:
    if group[0].key is None:
        return
    for wish in group:
        last = judge.askings[wish.id][-1:]
        if last and last[0].ending in {Ending.LOST, Ending.REFUSED}:
            yield _violation("g", [wish], f"its last asking, when all was calm, was {last[0].ending.value}")
