"""docs/compatibility.md: written from what came out, and read again to be compared with it.

Pure but for the file. Prose stands here, figures come from runs.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from contract_tests import Run

from .judging import column, contracts
from .meanings import CAUSES, unexplained

FILE = Path(__file__).resolve().parents[2] / "docs" / "compatibility.md"

INTRODUCTION = """\
# Compatibility

What the suite says of six servers, side by side: every recorded session that says something about a server
without authorization, and the numbered contracts that do. Each server has one read-only tool, `echo`, and is set up as
its own documentation does; the TypeScript server follows the SDK's own examples, with sessions and stateless. All on
loopback, so nothing here is about proxies. [sessions.md](sessions.md#which-servers-fail-what) compares servers with a
login.

```sh
python -m tests.compatibility              # judge them and print the table; -v adds every finding
python -m tests.compatibility --write      # and write it here
```

The TypeScript SDK is installed by `npm` into the user's cache folder at the first run; without `npm` its columns are
left out, and nothing is written. It speaks the revisions up to 2025-11-25, so sessions of 2026-07-28 are *not checked*
there: hosts fall back to the older way, and so do other sessions.

How to read a row: `breaks` means that a host that speaks like this session would not get what it needs, however well
the server works otherwise. `mcp-ballast sessions ID` shows what is sent and expected, and how far the recording can be
trusted.
"""

AFTER = """\
## Not on this page

What only shows with a login, with `--slow`, under load, behind a proxy or over hours: [sessions.md](sessions.md),
[proxies.md](proxies.md), [benchmarks.md](benchmarks.md).
"""


def table(runs: Mapping[str, Run]) -> str:
    """One row for every session and contract, one column for every server, and the sums."""
    columns = {name: column(run) for name, run in runs.items()}
    rows = list(next(iter(columns.values())))
    lines = [f"| session or contract | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    lines += [f"| `{row}` | {' | '.join(_cell(cells[row]) for cells in columns.values())} |" for row in rows]
    return "\n".join([*lines, f"| **breaks** | {' | '.join(_sum(cells) for cells in columns.values())} |"])


def _cell(word: str) -> str:
    return f"**{word}**" if word == "breaks" else word


def _sum(cells: Mapping[str, str]) -> str:
    checked = [word for word in cells.values() if word != "not checked"]
    return f"**{checked.count('breaks')}** of {len(checked)}"


def page(runs: Mapping[str, Run]) -> str:
    """The whole page.

    Raises:
        ValueError: something broke that no cause explains.
    """
    if strange := unexplained(list(runs.values())):
        raise ValueError(f"These broke and no cause in meanings.py names them: {', '.join(sorted(strange))}.")
    parts = [
        INTRODUCTION,
        "## Table\n",
        table(runs),
        "\n## What the failures mean\n",
        meaning(runs),
        "",
        contracts_broken(runs),
        "",
        AFTER,
    ]
    return "\n".join(parts)


def meaning(runs: Mapping[str, Run]) -> str:
    """What people see of each cause, and which servers have it."""
    lines = ["| what the server does | what people see | servers | shown by |", "|---|---|---|---|"]
    for cause in CAUSES:
        names = [name for name, run in runs.items() if any(_broke(run, session) for session in cause.sessions)]
        shown = [f"`{key}`" for key in cause.sessions if any(_broke(run, key) for run in runs.values())]
        if names:
            lines.append(f"| {cause.title} | {cause.people} | {', '.join(names)} | {', '.join(shown)} |")
    return "\n".join(lines)


def contracts_broken(runs: Mapping[str, Run]) -> str:
    """Every contract that breaks somewhere, why it exists, and where it breaks."""
    lines = ["| contract | what is promised | why it matters | servers that break it |", "|---|---|---|---|"]
    for contract in contracts():
        names = [name for name, run in runs.items() if _broke(run, contract.id)]
        if names:
            lines.append(f"| {contract.id} | {contract.title} | {contract.about} | {', '.join(names)} |")
    return "\n".join(lines)


def _broke(run: Run, session: str) -> bool:
    return any(one.id == session and one.findings for one in run.sessions)


def said(text: str) -> dict[str, dict[str, str]]:
    """What the first table of a text says: for every server, a word for every row but the sums."""
    table = re.search(r"^\| session or.*?(?=^\| \*\*)", text, re.MULTILINE | re.DOTALL)
    lines = table[0].splitlines() if table else []
    head, _, *rows = [[cell.strip(" `*") for cell in line.strip("|").split("|")] for line in lines]
    return {name: {row[0]: row[place] for row in rows} for place, name in enumerate(head) if place}
