"""One connection to one file: opened when needed, given up when it is spoilt, and never kept for a file that is gone.

It is used from one thread. It runs operations in transactions, and knows none of them.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ...errors import StoreUnavailable
from . import failures, schema

MOST_WAL = 64 * 1024 * 1024
"""Bytes of log left on the disk once it has been copied into the file: one burst must not occupy it for ever."""

LONGEST_PAUSE = 0.001
"""Seconds between two tries for the lock: about as long as another process holds it, and 2 % of a CPU while waiting."""

_creating = threading.Lock()


class Operation(Protocol):
    """What is done in a transaction, together with others. It may be run more than once; the last run counts."""

    writes: bool

    def run(self, connection: sqlite3.Connection, now: float) -> None:
        """Do it, and keep the result. `now` is the store's time, the same for a whole transaction."""
        ...

    def fail(self, raised: Exception) -> None:
        """Keep the reason why it was not done."""
        ...


@dataclass(slots=True, kw_only=True)
class File:
    """The file and the connection to it. `patience`: seconds to wait for other processes. `clock`: the store's time."""

    path: Path
    synchronous: str
    patience: float
    clock: Callable[[], float]
    connection: sqlite3.Connection | None = None
    identity: tuple[int, int] | None = None

    def transact(self, operations: Sequence[Operation]) -> None:
        """Run the operations in one transaction; if one of them fails, each in its own."""
        try:
            self._together(operations)
        except Exception as raised:  # noqa: BLE001  # whatever it is, somebody waits for it
            if len(operations) > 1 and failures.is_of_one(raised):
                self._one_by_one(operations)
            else:
                self._fail(operations, raised)

    def _one_by_one(self, operations: Sequence[Operation]) -> None:
        for number, operation in enumerate(operations):
            try:
                self._together([operation])
            except Exception as raised:  # noqa: BLE001  # as above
                if not failures.is_of_one(raised):
                    self._fail(operations[number:], raised)
                    return
                self._fail([operation], raised)

    def _fail(self, operations: Sequence[Operation], raised: Exception) -> None:
        if not failures.spares_the_connection(raised):
            self.close()
        for operation in operations:
            operation.fail(failures.told(raised, str(self.path)))

    def _together(self, operations: Sequence[Operation]) -> None:
        """Begin, run, commit; while another process has the lock, from the beginning."""
        begin = "BEGIN IMMEDIATE" if any(operation.writes for operation in operations) else "BEGIN"
        self._patiently(lambda: self._once(begin, operations))

    def _once(self, begin: str, operations: Sequence[Operation]) -> None:
        connection = self._opened()
        connection.execute(begin)
        try:
            schema.require_known(connection, str(self.path))
            now = self.clock()  # Within the transaction, so that no later one is given an earlier time.
            for operation in operations:
                operation.run(connection, now)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                with suppress(sqlite3.Error):  # The reason is on its way already.
                    connection.execute("ROLLBACK")

    def _patiently(self, action: Callable[[], Any]) -> None:
        """Repeat while SQLite is busy. Its own waiting grows to 100 ms a step, which starves one of two processes."""
        until, pause = time.monotonic() + self.patience, 0.0002
        while True:
            try:
                action()
            except sqlite3.OperationalError as raised:
                if not failures.is_busy(raised) or time.monotonic() > until:
                    raise
            else:
                return
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _opened(self) -> sqlite3.Connection:
        if self.connection is None:
            self._open()
        elif _identity(self.path) != self.identity:
            self.close()
            raise StoreUnavailable(
                f"the store {str(self.path)!r} was deleted or replaced while it was open: what it held cannot be "
                "reached any more; the next use begins with the file that is there then, or a new one"
            )
        assert self.connection is not None  # noqa: S101  # opened above, or an error was raised
        return self.connection

    def _open(self) -> None:
        _create(self.path)
        connection = sqlite3.connect(self.path, timeout=0, isolation_level=None, cached_statements=64)
        try:
            _prepare(connection, str(self.path), self.synchronous)
        except BaseException:
            connection.close()
            raise
        self.connection, self.identity = connection, _identity(self.path)

    def close(self) -> None:
        """Close the connection, if there is one. The next transaction opens another."""
        connection, self.connection = self.connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _create(path: Path) -> None:
    """An empty file that only this user can read, unless there is one; SQLite gives its log the same rights.

    The lock is there since closing a file drops every lock that this process has on it: no connection of another store
    of this process may come between. What exists is not opened, for the same reason.
    """
    with _creating:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    if path.is_dir():
        raise StoreUnavailable(f"the store {str(path)!r} is a folder: name a file in it")


def _prepare(connection: sqlite3.Connection, path: str, synchronous: str) -> None:
    if schema.is_foreign(connection):
        raise StoreUnavailable(f"the store {path!r} is another program's database: name another file")
    schema.require_known(connection, path)
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # It takes effect in an empty file only.
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise StoreUnavailable(f"the store {path!r} cannot have a write-ahead log (mode {mode!r}): use a local disk")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute(f"PRAGMA journal_size_limit = {MOST_WAL}")
    schema.bring_up_to_date(connection, path)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # once for every transaction: a tenth of the time of Path.stat
    except OSError:
        return None
    return found.st_dev, found.st_ino
