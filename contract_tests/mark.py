"""The mark by which a connector's visitors' book tells rehearsals from visits: what a night plays is no visit.

Only where the environment asks for it, because sessions are literal otherwise. A server that does not know it ignores
it, as it must ignore every header it does not know.
"""

import os
from typing import Final

HEADER: Final = "Ballast-Test"
"""`connector.recorder.visits` leaves out what carries it."""

VARIABLE: Final = "BALLAST_TEST"


def marks() -> tuple[tuple[str, str], ...]:
    """The header to add to every request to a target; none unless `BALLAST_TEST` is set."""
    said = os.environ.get(VARIABLE, "")
    return ((HEADER, said),) if said.isascii() and said.isprintable() and said else ()
