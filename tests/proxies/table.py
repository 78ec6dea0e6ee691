"""The matrix in words: two tables, in Markdown, from what the clients saw. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from tests.proxies.backends import CONNECTOR, PLAIN_EVENTS, PLAIN_JSON
from tests.proxies.client import ACCEPTS, Seen
from tests.proxies.matrix import ERAS, SECONDS, Cell
from tests.proxies.rows import Row

Matrix = Mapping[Cell, Seen]

_OK: Final = 200
_DELIVERED: Final = "delivered"


def connector_table(rows: Sequence[Row], matrix: Matrix) -> str:
    """The longest wait for a byte, for every wording; or when the reply was lost."""
    head = ["proxy", *(f"{era}, {accept}" for era in ERAS for accept in ACCEPTS), "bytes pass", "first byte"]
    lines = [_line(head), _line(["---", *["--:"] * (len(head) - 3), "---", "--:"])]
    for row in rows:
        seen = {cell: saw for cell, saw in matrix.items() if cell.row == row.key and cell.server == row.server}
        wordings = [
            [saw for cell, saw in seen.items() if (cell.era, cell.accept) == (era, accept)]
            for era in ERAS
            for accept in ACCEPTS
        ]
        lines.append(_line([row.title, *map(_longest_gap, wordings), *_first_bytes(seen)]))
    return "\n".join(lines)


def plain_table(rows: Sequence[Row], matrix: Matrix) -> str:
    """What becomes of the same calls on the plain servers."""
    kinds = {PLAIN_EVENTS: "event stream", PLAIN_JSON: "JSON"}
    places = [(era, server) for era in ERAS for server in kinds]
    head = ["proxy", *(f"{era}, {kinds[server]}" for era, server in places)]
    lines = [_line(head), _line(["---"] * len(head))]
    for row in (row for row in rows if row.server == CONNECTOR):  # other rows only vary the connector
        seen = {(cell.era, cell.server, cell.seconds): saw for cell, saw in matrix.items() if cell.row == row.key}
        fates = [{seconds: _fate(seen[*place, seconds]) for seconds in SECONDS} for place in places]
        lines.append(_line([row.title, *map(_both, fates)]))
    return "\n".join(lines)


def _both(fates: Mapping[int, str]) -> str:
    if set(fates.values()) == {_DELIVERED}:
        return _DELIVERED
    if _DELIVERED not in fates.values():
        return next(iter(fates.values()))
    return ", ".join(f"{seconds} s: {fate}" for seconds, fate in fates.items())


def _longest_gap(seen: Sequence[Seen]) -> str:
    lost = [saw for saw in seen if saw.result is None]
    return _fate(lost[0]) if lost else f"{max(saw.longest_gap for saw in seen):.1f}"


def _first_bytes(seen: Mapping[Cell, Seen]) -> list[str]:
    moments = {cell: saw.first for cell, saw in seen.items() if saw.first is not None}
    if all(moment >= cell.seconds for cell, moment in moments.items()):
        return ["at the end", "with the answer"]
    return ["at once", f"{max(moments.values()):.1f}"]


def _fate(saw: Seen) -> str:
    if saw.result is not None:
        return _DELIVERED
    how = f"{saw.status}" if saw.status is not None and saw.status != _OK else "cut"
    return f"**{how} at {saw.total:.1f} s**"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
