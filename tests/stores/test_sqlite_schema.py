"""Files of older and newer versions: brought up to date whole, or left alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from connector.errors import StoreTooNew, StoreUnavailable
from connector.stores.port import Claim, State, Verdict
from connector.stores.sqlite import SqliteStore, schema


def _claim(key: str, holder: str = "first") -> Claim:
    return Claim(key=key, fingerprint="print", holder=holder, lease=600, window=600)


@pytest.mark.asyncio
async def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 4, bad input: at the check and at the first use, with what to do, and nothing is changed."""
    file = tmp_path / "store.sqlite3"
    with monkeypatch.context() as newer:
        newer.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, ("CREATE TABLE ballast_v2_more (x)",)))
        async with SqliteStore(file) as store:
            await store.claim(_claim("key"))
    before = file.read_bytes()
    async with SqliteStore(file) as store:
        with pytest.raises(StoreTooNew, match="schema version 3, and this version of mcp-ballast knows 2: upgrade"):
            await store.check()
        with pytest.raises(StoreTooNew, match="or name another file; nothing was changed"):
            await store.claim(_claim("key", "second"))
    assert file.read_bytes() == before


@pytest.mark.asyncio
async def test_a_file_that_becomes_newer_while_it_is_open_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: a rolling update migrates the file while workers of the old version still run."""
    file = tmp_path / "store.sqlite3"
    async with SqliteStore(file) as store:
        await store.claim(_claim("key"))
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("PRAGMA user_version = 99")
        with pytest.raises(StoreTooNew, match="schema version 99"):
            await store.look("key")


@pytest.mark.parametrize("steps", range(1, len(schema.MIGRATIONS) + 1))
@pytest.mark.asyncio
async def test_a_file_of_any_older_version_is_brought_up_to_date(
    steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 4, part 3: with what is in it, also by one step more than there is today."""
    file = tmp_path / "store.sqlite3"
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:steps])
        async with SqliteStore(file) as store:
            await store.claim(_claim("key"))
            await store.complete("key", epoch=1, holder="first", state=State.DONE, result=b"kept", window=600)
            version = await store.put("kind", "key", b"kept")
    extra = ("ALTER TABLE ballast_v1_calls ADD COLUMN note TEXT", "CREATE TABLE ballast_v2_notes (x)")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, extra))
    async with SqliteStore(file) as store:
        await store.check()
        replayed = await store.claim(_claim("key", "second"))
        assert (replayed.verdict, replayed.entry.result) == (Verdict.ENDED, b"kept")
        assert await store.put("kind", "key", b"new", version=version) is not None
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
        assert other.execute("SELECT note FROM ballast_v1_calls").fetchall() == [(None,)]


@pytest.mark.asyncio
async def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours: all steps or none, and the old version still works afterwards."""
    file = tmp_path / "store.sqlite3"
    async with SqliteStore(file) as store:
        await store.claim(_claim("key"))
    with monkeypatch.context() as broken:
        steps = ("CREATE TABLE ballast_v2_half (x)", "CREATE TABLE ballast_v1_calls (x)")
        broken.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, steps))
        async with SqliteStore(file) as store:
            with pytest.raises(StoreUnavailable, match="already exists"):
                await store.check()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        assert other.execute("SELECT 1 FROM sqlite_master WHERE name = 'ballast_v2_half'").fetchall() == []
    async with SqliteStore(file) as store:
        assert await store.look("key") is not None
