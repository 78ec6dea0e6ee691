"""A URL names a store, or is refused with a sentence that says how to write it and gives nothing away."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import DeclarationError
from connector.stores.memory import MemoryStore
from connector.stores.opening import open_store
from connector.stores.sqlite import SqliteStore
from connector.stores.url import shown


@pytest.mark.parametrize("url", ["memory:", "memory://", " memory: "])
def test_memory_is_a_store_of_this_process(url: str) -> None:
    """Ours."""
    assert isinstance(open_store(url), MemoryStore)


@pytest.mark.parametrize(
    ("url", "file", "synchronous"),
    [
        ("sqlite:///calls.sqlite3", "calls.sqlite3", "full"),
        ("sqlite:///var/a%20b.sqlite3", "var/a b.sqlite3", "full"),
        ("SQLITE:///x?synchronous=NORMAL", "x", "normal"),
    ],
)
def test_three_slashes_are_a_relative_path(
    url: str, file: str, synchronous: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: as in other programs, the third slash ends the host."""
    monkeypatch.chdir(tmp_path)
    store = open_store(url)
    assert isinstance(store, SqliteStore)
    assert repr(store) == f"SqliteStore({str(tmp_path / file)!r}, synchronous={synchronous!r})"
    assert list(tmp_path.iterdir()) == []


def test_four_slashes_are_an_absolute_path() -> None:
    """Ours."""
    assert repr(open_store("sqlite:////var/lib/x.db")) == "SqliteStore('/var/lib/x.db', synchronous='full')"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "has no scheme: write memory:, sqlite:///relative/path, sqlite:////absolute/path, postgresql://"),
        ("host=db password=hunter2", "has no scheme"),
        ("mysql://root:hunter2@db/x", "has the scheme 'mysql': write memory:"),
        ("postgresql+psycopg://root:hunter2@db/x", "has the scheme 'postgresql+psycopg'"),
        ("memory:/tmp/x", "write memory:"),
        ("sqlite:", "names no file: write sqlite:///relative/path or sqlite:////absolute/path"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:calls.sqlite3", "names no file"),
        ("sqlite://calls.sqlite3", "names no file"),
        ("sqlite:////var/lib/", "names no file"),
        ("sqlite:///a%00b", "names no file"),
        ("sqlite:///a#b", "has a `#` in its path: write %23"),
        ("sqlite:///:memory:", "write memory:"),
        ("sqlite:///a?synchronous=off", "has synchronous='off': write full or normal"),
        ("sqlite:///a?mode=ro", "has the unknown option 'mode': there is only synchronous"),
        ("sqlite://[a", "is no URL"),
        ("sqlite://me:hunter2@host/a", "'sqlite://***@host/a' names no file"),
    ],
)
def test_what_is_no_store_is_refused_with_what_to_write(url: str, says: str) -> None:
    """Issue 4, bad input."""
    with pytest.raises(DeclarationError) as refused:
        open_store(url)
    assert says in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "driver", "extra"),
    [
        ("postgresql://db/x", "psycopg", "mcp-ballast[postgres]"),
        ("postgres://db/x", "psycopg", "mcp-ballast[postgres]"),
        ("redis://db", "redis", "mcp-ballast[redis]"),
        ("valkey://db", "redis", "mcp-ballast[redis]"),
    ],
)
def test_a_missing_driver_is_named_with_its_extra(url: str, driver: str, extra: str) -> None:
    """Ours: drivers are extras, and a traceback of an import helps nobody."""
    program = (
        f"import sys; sys.modules[{driver!r}] = None\n"
        "from connector.errors import DeclarationError\n"
        "from connector.stores.opening import open_store\n"
        f"try: open_store({url!r})\n"
        "except DeclarationError as refused: print(refused)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert f"pip install '{extra}'" in done.stdout


def test_no_driver_is_imported_for_a_file() -> None:
    """Ours: the start of a connector must not pay for drivers it does not use."""
    program = (
        "import sys; from connector.stores.opening import open_store; open_store('sqlite:///x');"
        "print({'psycopg', 'redis', 'psycopg_pool'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("redis://db:6379/0", "redis://db:6379/0"),
        ("redis://:hunter2@db:6379/0", "redis://***@db:6379/0"),
        ("postgresql://me:hun/ter@2@db/x", "postgresql://***@db/x"),
        ("postgresql://db/x?user=me&p%61ssword=hunter2&sslmode=require", None),
        ("hunter2", "***"),
        ("redis:hunter2", "redis:***"),
    ],
)
def test_a_url_is_shown_without_what_may_be_a_password(url: str, seen: str | None) -> None:
    """Common ground: no secret reaches a report."""
    assert shown(url) == (seen or "postgresql://db/x?user=me&p%61ssword=***&sslmode=require")


@given(user=st.text(), password=st.text(min_size=8), scheme=st.sampled_from(["redis", "postgresql"]))
def test_no_password_is_ever_shown(user: str, password: str, scheme: str) -> None:
    """Ours: also one that nobody has percent-encoded."""
    assert shown(f"{scheme}://{user}:{password}@db/0") == f"{scheme}://***@db/0"
