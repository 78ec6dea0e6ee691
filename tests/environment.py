"""What processes that tests start see of the environment."""

import os


def uncovered() -> dict[str, str]:
    """The environment without what makes coverage trace a process: for servers and commands that do much, and whose
    code other tests run. Tracing takes half as much time again, and two cores are soon full.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
