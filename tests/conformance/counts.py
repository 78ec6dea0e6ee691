"""How many scenarios and checks a run passed, as a row of the documentation's table."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from tests.conformance.expectations import Leg, passed
from tests.conformance.suite import Check, Requirements

HEAD: Final = (
    "| revision | engine | scored scenarios | their checks: passed | failed | warned | unscored scenarios |",
    "|---|---|--:|--:|--:|--:|--:|",
)


def row(leg: Leg, requirements: Requirements, checks: Sequence[Check]) -> str:
    """The counts of one leg. A scenario that warned or checked nothing has not passed."""
    scored = Counter(check.status for check in checks if check.scenario in requirements.scored)
    cells = (
        leg.revision,
        leg.engine,
        _share(requirements.scored, checks),
        *(str(scored[status]) for status in ("SUCCESS", "FAILURE", "WARNING")),
        _share(requirements.unscored, checks),
    )
    return f"| {' | '.join(cells)} |"


def _share(scenarios: Sequence[str], checks: Iterable[Check]) -> str:
    seen = tuple(checks)
    return f"{sum(passed(scenario, seen) for scenario in scenarios)} of {len(scenarios)}"
