"""`python -m tests.conformance`: runs the suite and prints the documentation's table, and what is not as expected."""

import sys
import tempfile
from pathlib import Path

from tests.conformance.counts import HEAD, row
from tests.conformance.expectations import LEGS, findings
from tests.conformance.suite import install, serving


def main() -> int:
    """Exit with 1 if anything is not as expected."""
    suite, found = install(), []
    print(*HEAD, sep="\n")  # noqa: T201
    for leg in LEGS:
        requirements = suite.requirements(leg.revision)
        with tempfile.TemporaryDirectory() as folder, serving(*leg.arguments) as origin:
            checks = suite.run(origin, leg.revision, Path(folder))
        print(row(leg, requirements, checks), flush=True)  # noqa: T201
        found += [f"{leg}: {finding}" for finding in findings(leg, requirements, checks)]
    print(*found, sep="\n", file=sys.stderr)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
