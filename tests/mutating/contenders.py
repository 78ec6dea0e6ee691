"""Which server survives which platform change: `python -m tests.mutating.contenders` prints the tables of the docs.

The open servers have one read-only tool and are served on loopback in this process; the protected ones are those of
`tests.replay.oauth_contenders`, each in a process of its own, and only their OAuth sessions are mutated.
"""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version

import anyio

from contract_tests import Options, Run, Target, load_sessions, open_target, play_sessions
from contract_tests.mutating.plan import Plan
from contract_tests.mutating.registry import choose_rules
from contract_tests.outcome import RuleRun
from tests.replay.oauth_contenders import CONTENDERS, Running
from tests.replay.servers import plain_sdk


def stateless() -> object:
    """The SDK's server without sessions."""
    return plain_sdk().streamable_http_app(stateless_http=True)


def fastmcp() -> object:
    """FastMCP as its own documentation starts it."""
    from fastmcp import FastMCP

    server = FastMCP("plain")

    @server.tool(annotations={"readOnlyHint": True})
    def find(query: str) -> str:
        return query

    return server


def connector() -> object:
    """This project's."""
    from connector import Connector, tool

    class Plain(Connector):
        name = "plain"

        @tool(read_only=True)
        def find(self, query: str) -> str:
            """Find something."""
            return query

    return Plain()


OPEN: Mapping[str, Callable[[], object]] = {
    f"mcp {version('mcp')}": plain_sdk,
    f"mcp {version('mcp')}, stateless": stateless,
    f"FastMCP {version('fastmcp')}": fastmcp,
    "Connector": connector,
}


def judged(target: Target, *, surface: str = "", rules: tuple[str, ...] = ()) -> Run:
    """Play the sessions of a surface (of all without one), and every mutant of those that hold."""
    sessions = [session for session in load_sessions() if not surface or session.surface == surface]
    plan = Plan(rules=choose_rules(rules), budget=0)

    async def run() -> Run:
        return await play_sessions(sessions, target, options=Options(pace="none", seed=1), plan=plan)

    return anyio.run(run)


def table(runs: Mapping[str, Run]) -> str:
    """Survived of tried, for every rule and server."""
    columns = {name: {rule.id: rule for rule in run.mutations.rules} for name, run in runs.items() if run.mutations}
    ids = list(next(iter(columns.values())))
    lines = [f"| rule | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    shown = [rule for rule in ids if any(_tried(column[rule]) for column in columns.values())]
    lines += [f"| `{rule}` | {' | '.join(_rate(column[rule]) for column in columns.values())} |" for rule in shown]
    sums = [_sum(run) for run in runs.values()]
    return "\n".join([*lines, f"| all | {' | '.join(sums)} |"])


def _tried(rule: RuleRun) -> int:
    return rule.survived + rule.broke


def _rate(rule: RuleRun) -> str:
    if not _tried(rule):
        return ""
    words = f"{rule.survived} of {_tried(rule)}"
    return f"**{words}**" if rule.broke else words


def _sum(run: Run) -> str:
    assert run.mutations is not None
    held = sum(session.verdict == "passed" for session in run.sessions)
    tried = run.mutations.survived + run.mutations.broke
    return f"{run.mutations.survived} of {tried}, from {held} sessions"


def findings(name: str, run: Run) -> None:
    """Print what broke."""
    for mutant in run.mutations.mutants if run.mutations else ():
        for finding in mutant.findings[:1]:
            places = "; ".join(f"{d.step} {d.part} {d.pointer} {d.kind} {d.value}" for d in mutant.differences[:3])
            print(f"{name}: {mutant.rule}, {mutant.session} ({places}) {mutant.reason}")  # noqa: T201
            print(f"    {finding.where}: expected {finding.expected[:110]}, got {finding.actual[:200]}")  # noqa: T201


def main() -> None:
    """Print both tables; with -v what broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-v", action="store_true")
    parser.add_argument("--rule", action="append", default=[])
    parser.add_argument("--server", default="")
    parser.add_argument("--protected", action="store_true", help="only the protected servers")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    os.environ.setdefault("BALLAST_STORE", "memory:")
    rules, opened, locked = tuple(asked.rule), dict[str, Run](), dict[str, Run]()
    for name, make in {} if asked.protected else OPEN.items():
        if name.startswith(asked.server):
            print(name, file=sys.stderr)  # noqa: T201 - a sign of life: it takes minutes
            with open_target(make()) as target:
                opened[name] = judged(target, rules=rules)
    for contender in CONTENDERS if asked.protected or not asked.server else ():
        if not contender.name.startswith(asked.server):
            continue
        running = Running(contender)
        try:
            target = Target(name=contender.name, url=f"http://127.0.0.1:{running.port}/mcp")
            locked[contender.name] = judged(target, surface="oauth", rules=rules)
        finally:
            running.stop()
    for runs in filter(None, (opened, locked)):
        print(table(runs), end="\n\n")  # noqa: T201 - this is what it is for
        for name, run in runs.items() if asked.v else ():
            findings(name, run)


if __name__ == "__main__":
    main()
