"""Weighing: from signs to a verdict, by adding bits. Pure; the weights are in weights.yaml, the rules are here.

Every culprit begins with its prior and gains or loses what each sign says of it. Signs of one group are testimony on
the same thing, so the second counts half and the third a quarter. Shares are powers of two of the sums. `unknown` has a
prior that no evidence changes: a culprit has to climb above it, and above all others together, before it is named.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import log2
from typing import Final

from .culprit import Culprit
from .table import Question, Table, weights
from .verdict import Sign, Verdict, Weighed

ENOUGH: Final = 0.5
"""The share from which a culprit is named: more likely than everything else together."""

MOST: Final = 0.97
"""No confidence is above it: one in thirty of the best diagnoses may still rest on a wrong observation."""

_PLAIN_SIGHT: Final = 0.05
"""Expected gain in confidence below which another observation is not worth asking for."""


def weigh(signs: Sequence[Sign], table: Table | None = None, *, tried: Collection[str] = ()) -> Verdict:
    """Say who is at fault. `tried` are questions that gave no answer: nobody is told to ask them again.

    Two answers to one question are both counted, as testimony of one group; the same answer twice counts once.

    Raises:
        BadTable: a sign names a question or an answer that the table does not have.
    """
    table = table or weights()
    signs = tuple({(sign.question, sign.answer): sign for sign in signs}.values())
    weighed = tuple(_weighed(signs, table))
    if not any(table.answer(sign.question, sign.answer).is_failure for sign in signs):
        return _nothing_fails(weighed, table, {sign.question for sign in signs})
    shares = _shares(_sums(weighed, table))
    suspects = {culprit: share for culprit, share in shares.items() if culprit is not Culprit.UNKNOWN}
    first = max(suspects, key=lambda culprit: suspects[culprit])
    question, gain = _deciding({*tried, *(sign.question for sign in signs)}, shares, table)
    is_sure = shares[first] > ENOUGH
    asked = table.questions.get(question) if gain > _PLAIN_SIGHT or not is_sure else None
    return Verdict(
        culprit=first if is_sure else Culprit.UNKNOWN,
        confidence=min(shares[first], MOST),
        sentence=_sentence(shares, table, is_sure=is_sure),
        next_step=table.culprits[first].next_step if is_sure else _ask_first(asked),
        decides=asked.asks if asked else "",
        look=asked.look if asked else "",
        shares=shares,
        weighed=weighed,
    )


def _weighed(signs: Sequence[Sign], table: Table) -> Iterator[Weighed]:
    """Every sign with its bits, discounted by how many of its group say more of the same culprit."""
    answers = [table.answer(sign.question, sign.answer) for sign in signs]
    ranks = _ranks(signs, table)
    for sign, answer in zip(signs, answers, strict=True):
        question = table.questions[sign.question]
        owned = {
            culprit: bits / 2.0 ** ranks[question.group, culprit].index(_strength(sign, bits))
            for culprit, bits in answer.weights.items()
        }
        yield Weighed(sign=sign, means=answer.means, bits=owned, incidents=question.incidents)


def _ranks(signs: Sequence[Sign], table: Table) -> dict[tuple[str, Culprit], list[tuple[float, str, str]]]:
    """What the signs of each group say of each culprit, the strongest first."""
    ranks: dict[tuple[str, Culprit], set[tuple[float, str, str]]] = defaultdict(set)
    for sign in signs:
        for culprit, bits in table.answer(sign.question, sign.answer).weights.items():
            ranks[table.questions[sign.question].group, culprit].add(_strength(sign, bits))
    return {key: sorted(strengths) for key, strengths in ranks.items()}


def _strength(sign: Sign, bits: float) -> tuple[float, str, str]:
    """Equally strong ones stand in the order of their names, so that it does not matter who was asked first."""
    return -abs(bits), sign.question, sign.answer


def _sums(weighed: Sequence[Weighed], table: Table) -> dict[Culprit, float]:
    sums = {culprit: suspected.prior for culprit, suspected in table.culprits.items()}
    for each in weighed:
        for culprit, bits in each.bits.items():
            sums[culprit] += bits
    return sums


def _shares(sums: Mapping[Culprit, float]) -> dict[Culprit, float]:
    highest = max(sums.values())
    powers = {culprit: 2.0 ** (value - highest) for culprit, value in sums.items()}
    whole = sum(powers.values())
    return {culprit: power / whole for culprit, power in powers.items()}


def _deciding(asked: Collection[str], shares: Mapping[Culprit, float], table: Table) -> tuple[str, float]:
    """The unanswered question whose answer is expected to raise the largest share most, and by how much."""
    gains = {
        name: _expected(question, shares) - max(shares.values())
        for name, question in table.questions.items()
        if name not in asked
    }
    if not gains:
        return "", 0.0
    best = max(gains, key=lambda name: gains[name])
    return best, gains[best]


def _expected(question: Question, shares: Mapping[Culprit, float]) -> float:
    """The largest share to be expected once the question is answered.

    How probable an answer is follows from the weights: the more it says for anybody, the rarer it is, and with a
    culprit at fault it is as much likelier as its weight says.
    """
    likely = {name: _probabilities(question, name) for name in shares}
    return sum(
        max(shares[culprit] * likely[culprit][answer] for culprit in shares if culprit is not Culprit.UNKNOWN)
        for answer in question.answers
    )


def _probabilities(question: Question, culprit: Culprit) -> dict[str, float]:
    rarity = {name: max([0.0, *answer.weights.values()]) for name, answer in question.answers.items()}
    powers = {
        name: 2.0 ** (answer.weights.get(culprit, 0.0) - rarity[name]) for name, answer in question.answers.items()
    }
    whole = sum(powers.values())
    return {name: power / whole for name, power in powers.items()}


def _sentence(shares: Mapping[Culprit, float], table: Table, *, is_sure: bool) -> str:
    order = sorted((c for c in shares if c is not Culprit.UNKNOWN), key=lambda c: -shares[c])
    first, second = (f"{table.culprits[culprit].means} ({shares[culprit]:.2f})" for culprit in order[:2])
    if is_sure:
        return f"at fault is most likely {table.culprits[order[0]].means}"
    if log2(max(shares[order[0]], 1e-9) / max(shares[order[1]], 1e-9)) < 1:
        return f"the evidence does not decide between {first} and {second}"
    return f"the evidence is too thin: it points to {first} at most"


def _ask_first(question: Question | None) -> str:
    return f"{question.asks} -> {question.look}" if question else "Collect more evidence before anybody is blamed."


def _nothing_fails(weighed: tuple[Weighed, ...], table: Table, answered: Collection[str]) -> Verdict:
    asked = next((table.questions[name] for name in ("host-says", "log", "fleet") if name not in answered), None)
    return Verdict(
        culprit=Culprit.UNKNOWN,
        confidence=0.0,
        sentence="nothing that fails was seen",
        next_step="If a host shows a failure all the same, say so (--says TEXT), and look from inside (--store).",
        decides=asked.asks if asked else "",
        look=asked.look if asked else "",
        weighed=weighed,
        is_failure_seen=False,
    )
