"""The store in a file: what it survives, what it refuses, and what it says then."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from connector.errors import StoreUnavailable
from connector.stores.port import Claim, State, Verdict
from connector.stores.sqlite import SqliteStore

ROOT = Path(__file__).resolve().parents[2]


def _claim(key: str, holder: str = "first", *, lease: float = 600) -> Claim:
    return Claim(key=key, fingerprint="print", holder=holder, lease=lease, window=600)


@contextmanager
def _other(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection of somebody else."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.asyncio
async def test_nothing_is_touched_before_the_first_use(tmp_path: Path) -> None:
    """Port: constructing connects to nothing."""
    store = SqliteStore(tmp_path / "new" / "store.sqlite3")
    await store.aclose()
    assert _names(tmp_path) == []


@pytest.mark.asyncio
async def test_file_log_and_folder_are_for_this_user_alone(tmp_path: Path) -> None:
    """Ours: results of tools may be in it."""
    async with SqliteStore(tmp_path / "new" / "store.sqlite3") as store:
        await store.claim(_claim("key"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    assert modes == {"store.sqlite3": 0o600, "store.sqlite3-wal": 0o600, "store.sqlite3-shm": 0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("synchronous", ["full", "normal"])
@pytest.mark.asyncio
async def test_an_answer_is_flushed_as_was_asked(synchronous: str, tmp_path: Path) -> None:
    """SQLite: FULL (2) flushes the log at every commit, NORMAL (1) at checkpoints."""
    async with SqliteStore(tmp_path / "store.sqlite3", synchronous=synchronous) as store:
        seen = await store._read(lambda connection, now: connection.execute("PRAGMA synchronous").fetchone()[0])
    assert seen == {"full": 2, "normal": 1}[synchronous]


def test_another_kind_of_flushing_is_refused() -> None:
    """Ours: OFF would lose what was answered."""
    with pytest.raises(ValueError, match="'full' or 'normal'"):
        SqliteStore("x", synchronous="off")


@pytest.mark.asyncio
async def test_many_who_wait_share_a_flush(tmp_path: Path) -> None:
    """Issue 4, part 7: while somebody else has the lock, all who come wait for the next transaction together."""
    file, commits = tmp_path / "store.sqlite3", 0
    async with SqliteStore(file) as store:
        await store.check()

        def count(statement: str) -> None:
            nonlocal commits
            commits += statement == "COMMIT"

        await store._read(lambda connection, now: connection.set_trace_callback(count))
        commits = 0
        with _other(file) as other:
            other.execute("BEGIN IMMEDIATE")
            asked = [asyncio.ensure_future(store.claim(_claim(f"key-{number}"))) for number in range(64)]
            await asyncio.sleep(0)
            other.execute("ROLLBACK")
        answers = await asyncio.gather(*asked)
    assert {answer.verdict for answer in answers} == {Verdict.CLAIMED}
    assert commits <= 3


@pytest.mark.asyncio
async def test_an_operation_that_fails_spares_those_it_was_together_with(tmp_path: Path) -> None:
    """Ours: one caller's bad value is not another's error; a lone surrogate cannot be written as UTF-8."""
    file = tmp_path / "store.sqlite3"
    async with SqliteStore(file) as store:
        await store.check()
        with _other(file) as other:
            other.execute("BEGIN IMMEDIATE")
            asked = [asyncio.ensure_future(store.put("kind", key, b"1")) for key in ("a", "b", "\ud800", "c", "d")]
            await asyncio.sleep(0)
            other.execute("ROLLBACK")
        answers = await asyncio.gather(*asked, return_exceptions=True)
        page = await store.page("kind")
    assert [type(answer).__name__ for answer in answers] == ["int", "int", "UnicodeEncodeError", "int", "int"]
    assert [record.key for record in page] == ["a", "b", "c", "d"]


@pytest.mark.asyncio
async def test_a_store_that_another_program_holds_is_unavailable_until_it_lets_go(tmp_path: Path) -> None:
    """Issue 4, part 3: a bounded wait, a clear error, and recovery by itself; reading goes on meanwhile."""
    file = tmp_path / "store.sqlite3"
    async with SqliteStore(file, patience=0.1) as store:
        await store.claim(_claim("before"))
        with _other(file) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="another process has kept it locked for too long"):
                await store.claim(_claim("key"))
            assert await store.look("before") is not None
            other.execute("ROLLBACK")
        assert (await store.claim(_claim("key"))).verdict is Verdict.CLAIMED


@pytest.mark.asyncio
async def test_a_full_disk_is_said_and_survived(tmp_path: Path) -> None:
    """Issue 4, part 6: writes fail with the reason, reads go on, and nothing has to be restarted.

    The limit on pages gives the same error as a disk without room (SQLITE_FULL).
    """
    async with SqliteStore(tmp_path / "store.sqlite3") as store:
        begun = await store.claim(_claim("key"))
        await store._read(lambda connection, now: connection.execute("PRAGMA max_page_count = 20").fetchone())
        with pytest.raises(StoreUnavailable, match="its disk is full: make room"):
            await store.complete("key", epoch=1, holder="first", state=State.DONE, result=b"x" * 1_000_000, window=600)
        seen = await store.look("key")
        assert seen is not None
        assert (seen.state, seen.holder) == (State.RUNNING, begun.entry.holder)
        await store._read(lambda connection, now: connection.execute("PRAGMA max_page_count = 100000").fetchone())
        assert await store.complete(
            "key", epoch=1, holder="first", state=State.DONE, result=b"x" * 1_000_000, window=600
        )


LIMITED = """
import asyncio, resource, sys
from connector.errors import StoreUnavailable
from connector.stores.port import Claim
from connector.stores.sqlite import SqliteStore

async def main():
    async with SqliteStore(sys.argv[1]) as store:
        await store.put("kind", "small", b"1")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
        try:
            await store.put("kind", "large", b"x" * 1_000_000)
        except StoreUnavailable as told:
            print(told)
        print((await store.get("kind", "small")).value)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        print(await store.put("kind", "large", b"x" * 1_000_000) is not None)

asyncio.run(main())
"""


def test_a_write_the_system_refuses_is_said_and_survived(tmp_path: Path) -> None:
    """Issue 4, part 6: a real limit, on the size of files, set and lifted again while the process runs."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "store.sqlite3")],
        capture_output=True, text=True, cwd=ROOT, timeout=50, check=True,
    )  # fmt: skip
    told, small, large = done.stdout.splitlines()
    assert "did not answer: reading or writing it failed" in told or "its disk is full" in told
    assert (small, large) == ("b'1'", "True")


def _folder(file: Path) -> None:
    file.mkdir()


def _text(file: Path) -> None:
    file.write_text("this is not a database, and it is longer than the header of one: " * 10)


def _foreign(file: Path) -> None:
    with _other(file) as other:
        other.execute("CREATE TABLE invoices (number)")


def _below_a_file(file: Path) -> None:
    file.parent.rmdir()
    file.parent.write_text("")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_folder, "is a folder: name a file in it"),
        (_text, "it is not a database of SQLite: name another file"),
        (_foreign, "is another program's database: name another file"),
        (_below_a_file, "it cannot be opened: it must be a file in a folder that this user may write"),
    ],
)
@pytest.mark.asyncio
async def test_what_cannot_be_a_store_is_unavailable_and_left_alone(
    spoil: Callable[[Path], None], says: str, tmp_path: Path
) -> None:
    """Issue 4, bad input; and once it is put right, the same store works."""
    file = tmp_path / "folder" / "store.sqlite3"
    file.parent.mkdir()
    spoil(file)
    before = file.read_bytes() if file.is_file() else None
    async with SqliteStore(file) as store:
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match=says):
                await store.check()
        assert (file.read_bytes() if file.is_file() else None) == before
        _removed(file)
        assert (await store.claim(_claim("key"))).verdict is Verdict.CLAIMED


def _removed(file: Path) -> None:
    if file.is_dir():
        file.rmdir()
    elif file.exists():
        file.unlink()
    else:
        file.parent.unlink()


@pytest.mark.asyncio
async def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    """Ours: the pages after the first are overwritten while nobody has it open."""
    file = tmp_path / "store.sqlite3"
    async with SqliteStore(file) as store:
        for number in range(100):
            await store.put("kind", f"key-{number}", b"x" * 500)
    with file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xa5" * (file.stat().st_size - 4096))
    async with SqliteStore(file) as store:
        with pytest.raises(StoreUnavailable, match="it is damaged: move it away together with its -wal and -shm"):
            await store.get("kind", "key-1")


@pytest.mark.asyncio
async def test_a_file_that_is_deleted_under_the_store_is_noticed(tmp_path: Path) -> None:
    """Ours: SQLite would go on writing to a file that no longer has a name, and a restart would lose it all."""
    file = tmp_path / "store.sqlite3"
    async with SqliteStore(file) as store:
        await store.claim(_claim("key"))
        for name in _names(tmp_path):
            (tmp_path / name).unlink()
        with pytest.raises(StoreUnavailable, match="was deleted or replaced while it was open"):
            await store.claim(_claim("key", "second"))
        assert (await store.claim(_claim("key", "second"))).verdict is Verdict.CLAIMED
        assert file.stat().st_mode & 0o777 == 0o600


def test_loops_in_several_threads_share_a_store(tmp_path: Path) -> None:
    """Ours: also while others close it again and again."""
    store, verdicts = SqliteStore(tmp_path / "store.sqlite3", synchronous="normal"), list[Verdict]()

    async def claim_all(holder: str) -> None:
        for number in range(100):
            verdicts.append((await store.claim(_claim(f"key-{number}", holder))).verdict)
            if number % 25 == 0:
                await store.aclose()

    threads = [threading.Thread(target=asyncio.run, args=(claim_all(f"holder-{one}"),)) for one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(store.aclose())
    assert verdicts.count(Verdict.CLAIMED) == 100
    assert len(verdicts) == 400


@pytest.mark.asyncio
async def test_a_loop_that_ends_early_takes_nothing_with_it(tmp_path: Path) -> None:
    """Ours: the thread must outlive a caller whose loop is closed when the answer comes."""
    store = SqliteStore(tmp_path / "store.sqlite3")

    def leave() -> None:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(_asked(store))
        loop.close()

    await asyncio.to_thread(leave)
    assert (await store.claim(_claim("key", "second"))).verdict is Verdict.IN_FLIGHT
    await store.aclose()


async def _asked(store: SqliteStore) -> None:
    """Ask, and do not wait."""
    store._ask(lambda connection, now: None, writes=True)
    asyncio.ensure_future(store.claim(_claim("key"))).add_done_callback(lambda asked: asked.cancelled())
    await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_swept_results_give_their_room_back(tmp_path: Path) -> None:
    """Ours: a disk that became full goes down again by sweeping, without a VACUUM that would need as much once more."""
    file = tmp_path / "store.sqlite3"
    now = 1_000_000.0
    async with SqliteStore(file, clock=lambda: now) as store:
        for number in range(20):
            await store.put("kind", f"key-{number}", b"x" * 100_000, expires_in=10)
        large = await store._read(lambda connection, _: connection.execute("PRAGMA page_count").fetchone()[0])
        now += 11
        assert await store.sweep(limit=15) == 15
        assert await store.sweep() == 5
        assert await store.sweep() == 0
        small = await store._read(lambda connection, _: connection.execute("PRAGMA page_count").fetchone()[0])
    assert small < large / 2
