"""What the errors of SQLite mean to who waits: a table, and the sentences.

It decides whether an error is about one operation or about the store, and whether the connection is worth keeping.
"""

import errno
import sqlite3

from ...errors import BallastError, StoreUnavailable

SENTENCES = {
    sqlite3.SQLITE_BUSY: "another process has kept it locked for too long: look for one that holds a transaction open",
    sqlite3.SQLITE_FULL: "its disk is full: make room; it goes on by itself then",
    sqlite3.SQLITE_READONLY: "it cannot be written: give this user the right to write the file and its folder",
    sqlite3.SQLITE_PERM: "this user may not open it: give the right to read and write the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: it must be a file in a folder that this user may write",
    sqlite3.SQLITE_NOTADB: "it is not a database of SQLite: name another file, or move that one away",
    sqlite3.SQLITE_CORRUPT: "it is damaged: move it away together with its -wal and -shm, and start with a new one",
    sqlite3.SQLITE_IOERR: "reading or writing it failed: look at the disk and its limits; it is tried again",
    sqlite3.SQLITE_PROTOCOL: "it cannot be locked: it must be on a disk of this host, not on a network file system",
}
OF_THE_SYSTEM = {
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EDQUOT: sqlite3.SQLITE_FULL,
    errno.EROFS: sqlite3.SQLITE_READONLY,
}
"""What creating a file and its folder says, in the words of SQLite; anything else is that it cannot be opened."""
OF_ONE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH}
"""What says nothing of the other operations of a transaction: when a disk is full, reading still works."""
HARMLESS = OF_ONE | {sqlite3.SQLITE_BUSY}
"""What the connection survives."""


def code(raised: BaseException) -> int | None:
    """The primary result code of SQLite; None if it is not an error of SQLite's own."""
    full = getattr(raised, "sqlite_errorcode", None)
    return full & 0xFF if isinstance(full, int) else None


def is_busy(raised: BaseException) -> bool:
    """Whether it may go by itself in a moment."""
    return code(raised) == sqlite3.SQLITE_BUSY


def is_of_one(raised: Exception) -> bool:
    """Whether the other operations of the transaction may be tried without the one that raised."""
    if isinstance(raised, BallastError):
        return False
    found = code(raised)
    return found is None or found in OF_ONE


def spares_the_connection(raised: Exception) -> bool:
    """Whether the connection can be used on."""
    found = code(raised)
    return found in HARMLESS or (found is None and not isinstance(raised, BallastError | OSError))


def told(raised: Exception, path: str) -> Exception:
    """What the caller is to see; a new object each time, since each caller adds its own traceback."""
    if isinstance(raised, BallastError):
        return type(raised)(*raised.args)
    found = (
        OF_THE_SYSTEM.get(raised.errno or 0, sqlite3.SQLITE_CANTOPEN) if isinstance(raised, OSError) else code(raised)
    )
    if found is None and not isinstance(raised, sqlite3.Error):
        return raised
    said = SENTENCES.get(found or 0, "it cannot be used now")
    told = StoreUnavailable(f"the store {path!r} did not answer: {said} ({_name(raised)}: {raised})")
    told.__cause__ = raised
    return told


def _name(raised: Exception) -> str:
    return str(getattr(raised, "sqlite_errorname", type(raised).__name__))
