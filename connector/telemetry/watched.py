"""Which numbers a connector gives an exporter that asks, as data: name, kind, unit, label and meaning.

A label's values are enumerations of ours or names that were declared; never what a caller invented. Dashboards and
alert rules under examples/observability use these names, and a test holds them to each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Watched(Enum):
    """What is read when an exporter asks. The value is the metric's name."""

    CALLS_IN_FLIGHT = "ballast.calls.in_flight"
    CALLS_WAITING = "ballast.calls.waiting"
    CALLS_SHED = "ballast.calls.shed"
    REPLIES = "ballast.replies"
    STREAMS_OPEN = "ballast.streams.open"
    STREAMS_DELIVERED = "ballast.streams.delivered"
    STREAMS_BROKEN = "ballast.streams.broken"
    STREAMS_CUT_AT_LIMIT = "ballast.streams.cut_at_limit"
    SPIKES = "ballast.streams.spikes"
    SPIKING = "ballast.streams.spiking"
    BREAKER_STATE = "ballast.breaker.state"
    HEARTBEATS = "ballast.heartbeats"
    GUARDED = "ballast.guard.calls"
    LEASES_HELD = "ballast.leases.held"
    LEASES = "ballast.leases"
    STORE_ERRORS = "ballast.store.errors"
    DRAIN_STATE = "ballast.drain.state"
    DRAIN_LEFT = "ballast.drain.remaining"
    DRAINED = "ballast.drains"
    OAUTH = "ballast.oauth.outcomes"
    NOTICED = "ballast.oauth.noticed"
    NEW_SHAPES = "ballast.drift.shapes"
    SKIPPED = "ballast.book.skipped"


class Kind(Enum):
    """What a number does, and how those of several connectors in one process become one."""

    TOTAL = "only grows"
    TOTAL_OF_PROCESS = "only grows, and every connector of the process reads the same number"
    LEVEL = "goes up and down, and adds up over connectors"
    WORST = "goes up and down, and the highest counts"


@dataclass(frozen=True, slots=True)
class Row:
    """One metric. `label` is empty where there is one number only."""

    kind: Kind
    unit: str
    label: str
    meaning: str


ROWS: Final[Mapping[Watched, Row]] = {
    Watched.CALLS_IN_FLIGHT: Row(Kind.LEVEL, "{call}", "", "Calls that hold a place"),
    Watched.CALLS_WAITING: Row(Kind.LEVEL, "{call}", "", "Calls that wait for a place"),
    Watched.CALLS_SHED: Row(Kind.TOTAL, "{call}", "ballast.scope", "Calls and streams refused, by what was full"),
    Watched.REPLIES: Row(Kind.TOTAL, "{reply}", "ballast.reply.mode", "Replies, by how they went out"),
    Watched.STREAMS_OPEN: Row(Kind.LEVEL, "{stream}", "", "Streams that stay open (GET, subscriptions/listen)"),
    Watched.STREAMS_DELIVERED: Row(Kind.TOTAL, "{stream}", "ballast.surface", "Streamed answers that arrived whole"),
    Watched.STREAMS_BROKEN: Row(Kind.TOTAL, "{stream}", "ballast.surface", "Streamed answers cut before their end"),
    Watched.STREAMS_CUT_AT_LIMIT: Row(
        Kind.TOTAL, "{stream}", "ballast.surface", "Streamed answers that the client ended at its own time limit"
    ),
    Watched.SPIKES: Row(Kind.TOTAL, "{spike}", "ballast.surface", "Alarms: streams broke ten times as often as usual"),
    Watched.SPIKING: Row(Kind.WORST, "{state}", "ballast.surface", "1 while streams break far more often than usual"),
    Watched.BREAKER_STATE: Row(Kind.WORST, "{state}", "ballast.surface", "0 streams, 1 tries again, 2 does not stream"),
    Watched.HEARTBEATS: Row(Kind.TOTAL_OF_PROCESS, "{heartbeat}", "", "Heartbeats written to quiet replies"),
    Watched.GUARDED: Row(Kind.TOTAL, "{call}", "ballast.guard.outcome", "Calls that write, by how they were answered"),
    Watched.LEASES_HELD: Row(Kind.LEVEL, "{lease}", "", "Calls that this process holds and renews"),
    Watched.LEASES: Row(Kind.TOTAL, "{lease}", "ballast.lease.event", "Renewals of leases, by what came of them"),
    Watched.STORE_ERRORS: Row(
        Kind.TOTAL, "{error}", "ballast.store.operation", "Times that the store did not answer, by what it was asked"
    ),
    Watched.DRAIN_STATE: Row(Kind.WORST, "{state}", "", "0 serves, 1 leaves, 2 is overdue and stops its calls"),
    Watched.DRAIN_LEFT: Row(Kind.WORST, "s", "", "Seconds that calls in flight have if the process leaves now"),
    Watched.DRAINED: Row(Kind.TOTAL, "{drain}", "ballast.drain.outcome", "Drains that have ended, by how"),
    Watched.OAUTH: Row(Kind.TOTAL, "{outcome}", "ballast.oauth.outcome", "Tokens issued, refused, ...; challenges"),
    Watched.NOTICED: Row(Kind.TOTAL, "{sighting}", "ballast.oauth.kind", "Unknown things in OAuth, by what they are"),
    Watched.NEW_SHAPES: Row(Kind.TOTAL, "{shape}", "ballast.book.channel", "Shapes that the visitors' book had not"),
    Watched.SKIPPED: Row(Kind.TOTAL, "{request}", "", "Requests that came too fast for the visitors' book"),
}
