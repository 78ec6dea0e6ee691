"""Notes that belong to people, behind the built-in authorization server. The file is named by `NOTES_DB`.

    mcp-ballast serve examples/private_notes.py     # or: python examples/private_notes.py

As it stands everybody is let in as one person, on this machine only. For real people name a file in `NOTES_PEOPLE` with
a line for each, `anna scrypt$...`, as `python -m connector.oauth.issuing` prints the hash; and give the address that
hosts use in `BALLAST_PUBLIC_URL`.
"""

import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from connector import Call, Connector, ToolFailed, tool
from connector.oauth import AuthorizationServer

SCHEMA = """
CREATE TABLE IF NOT EXISTS note (number INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, text TEXT NOT NULL)
"""
FIND = """
SELECT number, text FROM note WHERE owner = ? AND instr(lower(text), lower(?)) ORDER BY number DESC LIMIT ?
"""
READ, WRITE = "notes.read", "notes.write"
MOST = 50

Text = Annotated[str, Field(description="What to remember.", min_length=1, max_length=4000)]
Number = Annotated[int, Field(description="The number of a note.", ge=1, le=2**53)]


class Note(BaseModel):
    """One note."""

    number: Number
    text: str


class Notes(BaseModel):
    """Notes, newest first; at most fifty."""

    notes: list[Note]


class Notebook:
    """The file. Whoever asks reaches their own notes only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as database:
            database.execute(SCHEMA)

    def add(self, owner: str, text: str) -> Note:
        """Keep a note."""
        with self._open() as database:
            (number,) = database.execute(
                "INSERT INTO note (owner, text) VALUES (?, ?) RETURNING number", (owner, text)
            ).fetchone()
        return Note(number=number, text=text)

    def find(self, owner: str, words: str) -> list[Note]:
        """Notes that contain the words, newest first."""
        with self._open() as database:
            rows = database.execute(FIND, (owner, words, MOST)).fetchall()
        return [Note(number=number, text=text) for number, text in rows]

    def delete(self, owner: str, number: int) -> bool:
        """Forget a note; False if the owner has none of that number."""
        with self._open() as database:
            return database.execute("DELETE FROM note WHERE owner = ? AND number = ?", (owner, number)).rowcount == 1

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=10)
        try:
            with database:
                yield database
        finally:
            database.close()


class PrivateNotes(Connector):
    """Notes of the person who is logged in: add, search and delete them. Nobody sees the notes of somebody else."""

    name = "private-notes"
    version = "1.0.0"
    title = "Private notes"

    def __init__(self, *, path: Path | None = None, **options: Any) -> None:
        super().__init__(lifespan=self._with_notebook, **options)
        self._path = path

    @asynccontextmanager
    async def _with_notebook(self, _: object) -> AsyncIterator[None]:
        self._notebook = Notebook(self._path or Path(os.environ.get("NOTES_DB", "notes.sqlite3")))
        yield

    @tool(read_only=True, open_world=False, scopes=[READ])
    def search_notes(self, call: Call, words: Annotated[str, Field(max_length=200)] = "") -> Notes:
        """Find my notes that contain the words; without words, the newest."""
        return Notes(notes=self._notebook.find(owner_of(call), words))

    @tool(destructive=False, open_world=False, scopes=[WRITE])
    def add_note(self, text: Text, call: Call) -> Note:
        """Keep a note for me."""
        return self._notebook.add(owner_of(call), text)

    @tool(destructive=True, open_world=False, scopes=[WRITE])
    def delete_note(self, number: Number, call: Call) -> str:
        """Delete one of my notes for good."""
        if not self._notebook.delete(owner_of(call), number):
            raise ToolFailed(f"There is no note {number} of yours. Call search_notes for the numbers there are.")
        return f"Note {number} is deleted."


def owner_of(call: Call) -> str:
    """Whose notes a call is about: the subject of its token, which the lock has verified."""
    principal = call.principal
    if principal is None or principal.subject is None:
        raise ToolFailed("It is not known whose notes these are. Connect again, and log in.")
    return principal.subject


def lock(people: str | None) -> AuthorizationServer:
    """The authorization server, for the people in a file, or for a developer alone."""
    scopes = {READ: "Read your notes", WRITE: "Add and delete notes"}
    if people is None:
        return AuthorizationServer(approve="everyone", title="Private notes", scopes=scopes)
    lines = [line.split() for line in Path(people).read_text(encoding="utf-8").splitlines() if line.strip()]
    return AuthorizationServer(people=dict(lines), title="Private notes", scopes=scopes)


connector = PrivateNotes(
    public_url=os.environ.get("BALLAST_PUBLIC_URL", "http://127.0.0.1:8000"), auth=lock(os.environ.get("NOTES_PEOPLE"))
)

if __name__ == "__main__":
    connector.serve()
