"""What is worth an alarm and what is not, by table: pure decisions with sightings as they could be. Issue 7, item 2."""

from dataclasses import replace
from typing import Any

import pytest

from connector.recorder.shape import Shape
from connector.recorder.sighting import Cadence, Sighting
from contract_tests.drift.approving import approve
from contract_tests.drift.deciding import Night, decide
from contract_tests.drift.lock import Lock
from contract_tests.drift.noise import DAY, Evidence, NoisePolicy, is_worth_an_alarm

NOW = 1_800_000_000.0

CALL = Shape(
    surface="chatgpt-codex",
    channel="mcp",
    method="tools/call",
    version="2026-07-28",
    headers=("accept", "authorization", "user-agent", "x-openai-session"),
    members=(("id", "number"), ("method", "string"), ("params", "object"), ("params.name", "string")),
    values=(("accept", "application/json text/event-stream"), ("user-agent", "openai-mcp (Codex)")),
    hops=("x-forwarded-for",),
)
REGISTRATION = Shape(
    surface="chatgpt",
    channel="oauth",
    method="POST /register",
    headers=("accept", "content-type", "user-agent"),
    members=(("grant_types", "array"), ("grant_types.*", "string"), ("scope", "string")),
    values=(("grant_types", "authorization_code"), ("user-agent", "openai-mcp")),
)


def seen(
    shape: Shape, *, count: int = 400, subjects: int = 8, first: float = -3 * DAY, last: float = -60.0
) -> Sighting:
    return Sighting(
        connector="invoices", shape=shape, first_seen=NOW + first, last_seen=NOW + last, count=count, subjects=subjects
    )


def hours(shape: Shape, a_day: int = 48, days: int = 3) -> list[Cadence]:
    return [
        Cadence(
            connector="invoices",
            surface=shape.surface,
            method=shape.method,
            hour=int(NOW // 3600) - hour,
            count=a_day // 24,
        )
        for hour in range(24 * days)
    ]


def decision(
    *new: Sighting, usual: tuple[Sighting, ...] = (seen(CALL), seen(REGISTRATION, count=20, subjects=1))
) -> Any:
    """What a night comes to after the usual was approved; what is usual still comes."""
    cadences = (*hours(CALL, 2_400), *hours(REGISTRATION, 24))
    first = Night(sightings=usual, cadences=cadences, now=NOW, since=NOW - DAY)
    lock = approve(Lock(), decide(first, Lock()), first)
    return decide(replace(first, sightings=(*usual, *new)), lock)


def with_header(name: str) -> Shape:
    return replace(CALL, headers=tuple(sorted((*CALL.headers, name))))


HOUR = -3_600.0


@pytest.mark.parametrize(
    ("sighting", "alarms"),
    [
        (seen(with_header("x-openai-new"), count=2, subjects=2, first=HOUR), 1),
        (seen(with_header("x-openai-new"), count=1, subjects=1, first=-60), 0),
        (seen(with_header("x-openai-new"), count=50, subjects=1, first=-120), 0),  # one person's one burst
        (seen(with_header("x-openai-new"), count=3, subjects=1, first=3 * HOUR), 1),  # it came back
        (seen(with_header("x-openai-new"), count=2, subjects=2, first=-40 * DAY), 0),  # twice in a lifetime
        (seen(with_header("x-openai-new"), count=40, subjects=8, first=-40 * DAY, last=-3 * DAY), 0),  # not tonight
        (seen(replace(CALL, hops=("cf-ray", "via"))), 0),  # the way here
        (
            seen(
                replace(CALL, surface="unknown:curl", headers=("user-agent",), members=()),
                count=30,
                subjects=2,
                first=-60,
            ),
            0,
        ),
        (
            seen(replace(CALL, surface="unknown:atlas"), count=30, subjects=3, first=HOUR),
            1,
        ),  # people, by their sessions
        (seen(Shape(surface="unknown:zgrab", channel="other", method="GET /{}"), count=90, subjects=8), 0),
        (seen(replace(REGISTRATION, members=REGISTRATION.members[:2]), count=3, subjects=1, first=HOUR), 0),  # no scope
        (seen(replace(CALL, members=CALL.members[:-1], headers=CALL.headers), count=4, subjects=2, first=HOUR), 0),
    ],
)
def test_one_sighting_raises_an_alarm_or_waits(sighting: Sighting, alarms: int) -> None:
    """Issue 7: more than one subject, or repeated over time; rare shapes decay; edges are told apart."""
    assert len(decision(sighting).findings) == alarms


def test_a_member_that_comes_with_all_that_is_in_it_is_one_finding() -> None:
    """Ours: what follows from another difference is not said again."""
    members = (*CALL.members, ("params._meta", "object"), ('params._meta["openai/device"]', "object"))
    found = decision(seen(replace(CALL, members=members), subjects=3, first=HOUR)).findings
    assert [str(each.deviation) for each in found] == ["member appeared: params._meta: object"]


def test_a_header_that_a_proxy_adds_is_a_note_and_no_drift() -> None:
    """Issue 7: edge headers are told apart."""
    found = decision(seen(replace(CALL, hops=("cf-ray",)), first=HOUR))
    assert (found.findings, "cf-ray" in found.notes[0]) == ((), True)


def test_what_was_approved_is_no_drift_any_more_and_what_waits_still_waits() -> None:
    """Issue 7: `--approve`."""
    new, once = (
        seen(with_header("x-openai-new"), subjects=4, first=HOUR),
        seen(with_header("x-odd"), count=1, subjects=1),
    )
    usual = (seen(CALL),)
    night = Night(sightings=usual, cadences=(), now=NOW, since=NOW - DAY)
    lock = approve(Lock(), decide(night, Lock()), night)
    night = replace(night, sightings=(*usual, new, replace(once, first_seen=NOW - 60)))
    first = decide(night, lock)
    again = decide(night, approve(lock, first, night))
    assert [len(first.findings), len(first.waiting)] == [1, 1]
    assert [len(again.findings), len(again.waiting)] == [0, 1]


@pytest.mark.parametrize(
    ("gone", "people", "found"),
    [
        ("authorization", 2, ["header vanished: authorization"]),
        ("params.name", 2, ["member vanished: params.name: string"]),
        ("params.name", 1, []),
        ('params._meta["openai/organization"]', 3, []),  # few had been met, and half of all may lack it
        ('params._meta["openai/organization"]', 6, ['member vanished: params._meta["openai/organization"]: string']),
    ],
)
def test_what_few_requests_always_had_is_missed_sooner_if_it_is_the_platforms(
    gone: str, people: int, found: list[str]
) -> None:
    """P-01, P-09; ours: what one person lacks another has."""
    organization = 'params._meta["openai/organization"]'
    usual = replace(CALL, members=(*CALL.members, ("params._meta", "object"), (organization, "string")))
    lacking = replace(
        usual,
        headers=tuple(name for name in usual.headers if name != gone),
        members=tuple(pair for pair in usual.members if pair[0] != gone),
    )
    before = seen(usual, count=9, subjects=3, last=2 * HOUR)
    night = Night(sightings=(before,), cadences=(), now=NOW, since=NOW - DAY)
    lock = approve(Lock(), decide(night, Lock()), night)
    since = seen(lacking, count=people * 3, subjects=people, first=HOUR, last=HOUR + 60)
    decided = decide(replace(night, sightings=(before, since)), lock)
    assert [str(each.deviation) for each in decided.findings] == found


@pytest.mark.parametrize(
    ("count", "subjects", "days", "expected"),
    [(1, 1, 0, False), (2, 2, 0, True), (9, 1, 0, False), (2, 1, 1, True), (2, 1, 30, False), (8, 8, 30, True)],
)
def test_rarity_decays(count: int, subjects: int, days: float, expected: bool) -> None:
    """Issue 7."""
    evidence = Evidence(count=count, subjects=subjects, first_seen=NOW - days * DAY, last_seen=NOW)
    assert is_worth_an_alarm(evidence, NoisePolicy()) is expected
