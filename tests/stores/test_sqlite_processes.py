"""Several processes and one file of SQLite: they race for it, die over it, and fork."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from connector.stores.sqlite import SqliteStore

ROOT = Path(__file__).resolve().parents[2]

RACER = """
import asyncio, sys
from connector.stores.port import Claim, Verdict
from connector.stores.sqlite import SqliteStore

async def main(file, me):
    async with SqliteStore(file, patience=30) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        claims = [Claim(key=f"k{n}", fingerprint="f", holder=f"{me}-{n}", lease=600, window=600) for n in range(300)]
        answers = await asyncio.gather(*(store.claim(claim) for claim in claims))
        print(*(answer.entry.key for answer in answers if answer.verdict is Verdict.CLAIMED))

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


@pytest.mark.parametrize("fresh", [True, False], ids=["a new file", "a file that is there"])
def test_processes_that_begin_at_once_share_one_file(fresh: bool, tmp_path: Path) -> None:
    """Issue 4, part 3: two processes on one host, also when both must create the schema: each key has one holder."""
    file = tmp_path / "store.sqlite3"
    if not fresh:
        asyncio.run(_checked(file))
    command = [sys.executable, "-c", RACER, str(file)]
    with (
        subprocess.Popen([*command, "a"], cwd=ROOT, stdin=-1, stdout=-1, text=True) as first,
        subprocess.Popen([*command, "b"], cwd=ROOT, stdin=-1, stdout=-1, text=True) as second,
    ):
        for racer in (first, second):
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        outputs = _answers(first, second)
    held = [set(output.split()) for output in outputs]
    assert held[0] | held[1] == {f"k{number}" for number in range(300)}
    assert held[0] & held[1] == set()


async def _checked(file: Path) -> None:
    async with SqliteStore(file) as store:
        await store.check()


def _answers(*racers: "subprocess.Popen[str]") -> list[str]:
    """Start them together, then wait for each."""
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    return [racer.communicate(timeout=50)[0] for racer in racers]


CRASHER = """
import asyncio, os, sys
from connector.stores.port import Claim
from connector.stores.sqlite import SqliteStore

async def main(file):
    store = SqliteStore(file)
    for number in range(100_000):
        await store.claim(Claim(key=f"k{number}", fingerprint="f", holder="h", lease=600, window=600))
        os.write(1, f"k{number}\\n".encode())

asyncio.run(main(sys.argv[1]))
"""


def test_what_was_answered_outlives_a_killed_process(tmp_path: Path) -> None:
    """Guarantee 6: SIGKILL at any moment; what was printed had been answered before."""
    file = tmp_path / "store.sqlite3"
    with subprocess.Popen([sys.executable, "-c", CRASHER, str(file)], cwd=ROOT, stdout=-1, text=True) as crasher:
        assert crasher.stdout is not None
        answered = [crasher.stdout.readline().strip() for _ in range(200)]
        crasher.send_signal(signal.SIGKILL)
        answered += crasher.stdout.read().split()
    with closing(sqlite3.connect(file)) as other:
        kept = {row[0] for row in other.execute("SELECT key FROM ballast_v1_calls")}
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert set(answered) - kept == set()
    assert len(kept) - len(set(answered)) <= 1


FORKER = """
import asyncio, os, sys
from connector.stores.port import Claim
from connector.stores.sqlite import SqliteStore

store = SqliteStore(sys.argv[1])

def claimed(holder):
    claim = Claim(key="key", fingerprint="print", holder=holder, lease=600, window=600)
    return asyncio.run(asyncio.wait_for(store.claim(claim), 10)).verdict.value

print("parent", claimed("parent"), flush=True)
child = os.fork()
if child == 0:
    print("child", claimed("child"), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print("parent", claimed("third"), flush=True)
"""


def test_a_forked_child_has_a_connection_of_its_own(tmp_path: Path) -> None:
    """Ours: servers fork their workers, and SQLite's connections must not be carried into a child."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKER, str(tmp_path / "store.sqlite3")],
        capture_output=True, text=True, cwd=ROOT, timeout=50, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["parent claimed", "child in flight", "parent in flight"]
