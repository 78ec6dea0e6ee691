"""Clients that come twice, ask again, leave early, stay longer, or send slowly."""

from collections.abc import Iterator
from typing import Final

from ...notation.session import Expect, Session
from ..change import Change, Edit, Part, Position
from ..expectations import or_as_before
from ..places import Message, messages, requests
from ..rule import Mutant, Rule, together

_EARLY: Final = 0.01
"""Seconds: after the request went out, before most answers begin."""

_LONGER: Final = 2.0
_SLOWLY: Final = 0.3
"""Seconds for a body: long enough that its pieces arrive apart, short enough for hundreds of them."""


def _beside(session: Session) -> tuple[Mutant, ...]:
    name = next((message.step.name for message in requests(session)), "")
    label = "a second client plays the session at the same time"
    return together([Change(step=name, position=Position.BESIDE, label=label)] if name else [])


def _may_be_cut(message: Message) -> bool:
    return "cut" in message.step.expect.ending


def _again(session: Session) -> tuple[Mutant, ...]:
    return together(
        Change(step=message.step.name, position=Position.AFTER, label="again with a new id")
        for message in requests(session)
        if message.body["id"] == "${id}" and message.method != "initialize" and not _may_be_cut(message)
    )


def _left(session: Session) -> tuple[Mutant, ...]:
    return together(_leaving(session))


def _leaving(session: Session) -> Iterator[Change]:
    gone = Expect(name="nothing, for the client is gone", ending=("cut",))
    for message in requests(session):
        step = message.step
        if not _may_be_cut(message):
            edit = Edit(part=Part.CUT, place=("cut_after",), value=_EARLY, before=step.cut_after)
            kept = or_as_before(step.expect, gone)
            expect = Expect(ending=("complete", "cut"), any_of=kept.any_of)
            yield Change(step=step.name, edits=(edit,), position=Position.BEFORE, label="left early", expect=expect)


def _stayed(session: Session) -> tuple[Mutant, ...]:
    return together(
        Change(
            step=message.step.name,
            edits=(
                Edit(
                    part=Part.CUT,
                    place=("cut_after",),
                    value=message.step.cut_after * _LONGER,
                    before=message.step.cut_after,
                ),
            ),
        )
        for message in requests(session)
        if message.step.cut_after is not None and _may_be_cut(message)
    )


def _slowly(session: Session) -> tuple[Mutant, ...]:
    return together(
        Change(
            step=message.step.name,
            edits=(Edit(part=Part.PACE, place=("send_over",), value=_SLOWLY, before=message.step.send_over),),
        )
        for message in messages(session)
    )


RULES: Final = (
    Rule(
        id="second-client",
        title="A second client at the same time",
        stands_for="Two connections of one host that say the same, with the same ids, at the same moment.",
        expected="what the session expects, for both",
        source="P-04: ChatGPT opened two clients and called every tool twice; D-01: Claude Code dispatched calls twice",
        incidents=("P-04", "D-01", "T-12", "CT-04"),
        advice="Keep nothing that two clients could share by accident: neither a transport nor a table of request ids.",
        derive=_beside,
        is_alone=True,
    ),
    Rule(
        id="retry-new-id",
        title="The same request again, under a new id",
        stands_for="A client that takes a broken stream for a lost request, as 2026-07-28 tells it to.",
        expected="what the session expects, for both",
        source="2026-07-28 has clients send a lost request again under a new id; D-02 and T-18 are what follows",
        incidents=("D-02", "T-18", "CT-05"),
        advice="Answer the request again; for tools that write, recognise the repetition and give the first result.",
        derive=_again,
        is_alone=True,
    ),
    Rule(
        id="cut-earlier",
        title="The client leaves early, then asks again",
        stands_for="A shorter time limit, a phone that changes networks, a user who stops the answer.",
        expected="nothing for the one that left; what the session expects for the next",
        source="limits moved within months; T-11: a disconnect crashed the session of stateless servers",
        incidents=("T-11", "D-02", "CT-15"),
        advice="Let a closed connection end its own request and nothing else.",
        derive=_left,
        is_alone=True,
    ),
    Rule(
        id="cut-later",
        title="The client waits twice as long",
        stands_for="A longer time limit than today's.",
        expected="what the session expects",
        source="ChatGPT's limit for a call doubled in 2026",
        incidents=("T-03", "CT-05", "CT-15"),
        advice="Send signs of life until there is a result: do not rely on the client's limit to end the call.",
        derive=_stayed,
        is_alone=True,
    ),
    Rule(
        id="sent-slowly",
        title="The body comes slowly, in pieces",
        stands_for="A bad line, a relay in between, or a larger body than today's: it does not arrive at once.",
        expected="what the session expects",
        source="HTTP promises nothing about how a body is cut up; larger _meta no longer fit into one packet",
        incidents=("S-01", "T-03", "CT-31"),
        advice="Read the body to its end, by its length or its last chunk, before you parse it; give it some seconds.",
        derive=_slowly,
    ),
)
