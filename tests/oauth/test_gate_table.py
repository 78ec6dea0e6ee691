"""The table of who is let in to what, row by row."""

import pytest

from connector.oauth import ToolAccess
from connector.oauth.admitting import Held, Rules, Subject, Verdict, Wanted, decide

TOOLS = {"read": ToolAccess(scopes=frozenset({"r"})), "hours": ToolAccess(anonymous=True)}
OPEN, OTHER = Wanted(subject=Subject.OPEN), Wanted(subject=Subject.OTHER)
READ, HOURS, UNKNOWN = (Wanted(subject=Subject.TOOL, tool=name, id=1) for name in ("read", "hours", "zzz"))
PASS, CHALLENGE, STEP_UP, IN_BAND = Verdict.PASS, Verdict.CHALLENGE, Verdict.STEP_UP, Verdict.IN_BAND

ROWS = [
    # in hand, scopes, wanted, in mixed mode: (ChatGPT, others), in full mode: (ChatGPT, others)
    (Held.REFUSED, "", OPEN, (CHALLENGE, CHALLENGE), (CHALLENGE, CHALLENGE)),
    (Held.REFUSED, "", HOURS, (CHALLENGE, CHALLENGE), (CHALLENGE, CHALLENGE)),
    (Held.REFUSED, "r", READ, (CHALLENGE, CHALLENGE), (CHALLENGE, CHALLENGE)),
    (Held.NOTHING, "", OPEN, (PASS, PASS), (CHALLENGE, CHALLENGE)),
    (Held.NOTHING, "", HOURS, (PASS, PASS), (IN_BAND, CHALLENGE)),
    (Held.NOTHING, "", READ, (IN_BAND, CHALLENGE), (IN_BAND, CHALLENGE)),
    (Held.NOTHING, "", UNKNOWN, (IN_BAND, CHALLENGE), (IN_BAND, CHALLENGE)),
    (Held.NOTHING, "", OTHER, (CHALLENGE, CHALLENGE), (CHALLENGE, CHALLENGE)),
    (Held.TOKEN, "", OPEN, (PASS, PASS), (STEP_UP, STEP_UP)),
    (Held.TOKEN, "", HOURS, (PASS, PASS), (IN_BAND, STEP_UP)),
    (Held.TOKEN, "r", READ, (IN_BAND, STEP_UP), (IN_BAND, STEP_UP)),
    (Held.TOKEN, "all", READ, (IN_BAND, STEP_UP), (IN_BAND, STEP_UP)),
    (Held.TOKEN, "all", UNKNOWN, (PASS, PASS), (PASS, PASS)),
    (Held.TOKEN, "all", OTHER, (PASS, PASS), (PASS, PASS)),
    (Held.TOKEN, "all r", READ, (PASS, PASS), (PASS, PASS)),
]


@pytest.mark.parametrize(("held", "scopes", "wanted", "mixed", "full"), ROWS)
def test_a_row_of_the_table(
    held: Held, scopes: str, wanted: Wanted, mixed: tuple[Verdict, Verdict], full: tuple[Verdict, Verdict]
) -> None:
    """Facts on the wire, 3.8 and 6; incident P-08. Every token must allow `all`, and the tool `read` needs `r` too."""
    for is_anonymous, expected in ((True, mixed), (False, full)):
        rules = Rules(anonymous=is_anonymous, required=frozenset({"all"}), tools=TOOLS)
        found = [decide(held, frozenset(scopes.split()), wanted, rules, reads_results=chat) for chat in (True, False)]

        assert tuple(found) == expected
