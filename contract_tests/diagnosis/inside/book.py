"""What a visitors' book has to offer: the rows that are handed in, told by their members alone.

The rows of `connector.recorder` have these members; so may those of any other record. A time is seconds since 1970, an
hour the number of whole hours since then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class FailureRow(Protocol):
    """One hour of one surface at one connector: `count` failures of a `kind`, of `total` requests."""

    @property
    def connector(self) -> str:
        """Whose row it is."""

    @property
    def hour(self) -> int:
        """When."""

    @property
    def surface(self) -> str:
        """Who called."""

    @property
    def kind(self) -> str:
        """`status 500`, `cut`, `crashed`, `rpc error`, `tool error`; empty for hours without a failure."""

    @property
    def count(self) -> int:
        """How often."""

    @property
    def total(self) -> int:
        """Of how many requests of that hour and surface."""


class DeployRow(Protocol):
    """From `at` on another build ran."""

    @property
    def connector(self) -> str:
        """Whose row it is."""

    @property
    def at(self) -> float:
        """When."""


class CadenceRow(Protocol):
    """One hour of one method of one surface at one connector."""

    @property
    def connector(self) -> str:
        """Whose row it is."""

    @property
    def hour(self) -> int:
        """When."""

    @property
    def method(self) -> str:
        """The JSON-RPC method, or verb and path."""

    @property
    def count(self) -> int:
        """How many requests."""

    @property
    def retries(self) -> int:
        """The same call again after the first was cut."""

    @property
    def cut_after(self) -> Mapping[int, int]:
        """How often the client left, by the whole seconds after which it did, rounded down to a bound."""

    @property
    def codes_issued(self) -> int:
        """Answers that carried an authorization code."""

    @property
    def codes_redeemed(self) -> int:
        """Codes that became tokens."""


class SightingRow(Protocol):
    """One shape of request at one connector."""

    @property
    def connector(self) -> str:
        """Whose row it is."""

    @property
    def first_seen(self) -> float:
        """When it came for the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All rows of all connectors of a fleet, in any order."""

    failures: Sequence[FailureRow] = ()
    deploys: Sequence[DeployRow] = ()
    cadences: Sequence[CadenceRow] = ()
    sightings: Sequence[SightingRow] = ()
