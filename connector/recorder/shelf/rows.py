"""What the book's rows are called and what is in them. Pure.

A row is JSON with `"v": 1`; a reader ignores members it does not know. Keys begin with the connector's name, so that a
fleet shares a store and each connector finds its own rows.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

SHAPE: Final = "shape"
CADENCE: Final = "cadence"
DEPLOY: Final = "deploy"
FIRST_SIGHT: Final = "first-sight"
"""The kinds of records."""

VERSION: Final = 1

_DAY: Final = 86_400.0
_LONGEST_NAME: Final = 200

KEPT: Final[Mapping[str, float]] = {SHAPE: 45 * _DAY, CADENCE: 15 * _DAY, DEPLOY: 400 * _DAY, FIRST_SIGHT: 90 * _DAY}
"""Seconds that a row stays after it was written last."""

RARE_KEPT: Final = 7 * _DAY
"""The same for a shape that came once or twice, from one sender: a scanner, a person who tries something."""

OFTEN: Final = 3

MOST_SHAPES: Final = 256
"""Of one surface at one connector. ChatGPT was seen with some twenty in 2026, every method and variant counted; a
header or member that comes and goes doubles them, and a few of those are no attack.
"""

MOST_UNKNOWN_SURFACES: Final = 16

MOST_DEPLOYS: Final = 50


def of_connector(connector: str) -> str:
    """How the keys of a connector begin."""
    return quote(connector, safe="")[:_LONGEST_NAME] + "/"


def shape_key(connector: str, surface: str, shape: str) -> str:
    """The key of one shape; without the shape's id, how those of a surface begin."""
    return f"{of_connector(connector)}{surface}/{shape}"


def hour_key(connector: str, hour: int, surface: str) -> str:
    """The key of one surface's hour."""
    return f"{of_connector(connector)}{hour:08d}/{surface}"


def deploy_key(connector: str, at: float) -> str:
    """The key of a deploy; they sort by time."""
    return f"{of_connector(connector)}{at:017.6f}"


def first_sight_key(connector: str, *what: str) -> str:
    """The key of something unknown."""
    return of_connector(connector) + "/".join(quote(part, safe="") for part in what)


def packed(row: Mapping[str, Any]) -> bytes:
    """A row as a store keeps it."""
    return json.dumps({"v": VERSION, **row}, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def unpacked(value: bytes) -> dict[str, Any]:
    """Undo `packed`.

    Raises:
        ValueError: It is no row of this version.
    """
    row = json.loads(value)
    if not isinstance(row, dict) or row.get("v") != VERSION:
        raise ValueError("This is no row of the visitors' book that this version can read")
    return row


def kept_for(kind: str, row: Mapping[str, Any]) -> float:
    """Seconds that a row is kept from now."""
    is_rare = kind == SHAPE and row["count"] < OFTEN and len(row["subjects"]) <= 1
    return RARE_KEPT if is_rare else KEPT[kind]


def weakest(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The key of the shape that can be missed most: the one seen least, and longest ago."""
    return min(rows, key=lambda key: (rows[key]["count"], rows[key]["last"], key))
