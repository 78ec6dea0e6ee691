"""One look at a night: read the book and the lock, decide, try, approve. The edge that opens stores and targets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from connector.errors import BallastError
from connector.recorder.reading import BookContents, read_book
from connector.stores.opening import open_store

from ..notation.corpus import load_sessions
from ..notation.session import Session
from ..outcome import SessionRun
from ..play import Options, play_sessions
from ..target.target import Target
from .approving import approve
from .deciding import Night, decide
from .errors import NoBook
from .finding import Decision
from .letting_in import let_in
from .lock import Lock
from .lockfile import LockFile
from .trying import Tester


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What an approval wrote: whether there was no lock before, how many places it has now, which comments moved."""

    is_first: bool
    places: int
    moved: tuple[str, ...] = ()


async def contents_of(url: str) -> BookContents:
    """Read the visitors' book in a store.

    Raises:
        NoBook: the URL names no store, or it cannot be reached.
    """
    try:
        store = open_store(url)
    except BallastError as problem:
        raise NoBook(f"--store: {problem}") from problem
    if url.lower().startswith("sqlite:") and not _file_exists(url):
        raise NoBook(f"There is no store at {url}. Is the path right? sqlite:////absolute/path has four slashes.")
    try:
        async with store:
            return await read_book(store)
    except BallastError as problem:
        raise NoBook(f"The store cannot be read: {problem}") from problem


def night_of(contents: BookContents, *, connector: str, now: float, since: float) -> Night:
    """The night of one connector, or of all that share the store.

    Raises:
        NoBook: the book has nothing of it.
    """
    known = sorted({each.connector for each in contents.sightings})
    if not known:
        raise NoBook("The store has no visitors' book yet: serve the connector with it, and let somebody call.")
    if connector and connector not in known:
        raise NoBook(f"The book has no connector {connector!r}. It has: {', '.join(known)}.")
    own = [connector] if connector else known
    return Night(
        sightings=tuple(each for each in contents.sightings if each.connector in own),
        cadences=tuple(each for each in contents.cadences if each.connector in own),
        now=now,
        since=since,
    )


def decided(night: Night, lock: Lock, contents: BookContents, *, connector: str) -> Decision:
    """What the night came to, with what should be known about the book itself."""
    decision = decide(night, lock)
    notes = list(decision.notes)
    names = sorted({each.connector for each in contents.sightings})
    if len(names) > 1 and not connector:
        notes.append(f"connectors that share this store are judged together: {', '.join(names)}; see --connector")
    if contents.unreadable:
        notes.append(f"{contents.unreadable} rows of the book cannot be read by this version and were left out")
    return replace(decision, notes=tuple(notes))


async def tried(decision: Decision, lock: Lock, target: Target, options: Options) -> Decision:
    """The decision with what became of every finding at a target.

    Raises:
        TargetUnreachable: nothing answers there.
    """
    quick = replace(await let_in(target, options), pace="none", seed=options.seed or 1)

    async def play(sessions: Sequence[Session]) -> Sequence[SessionRun]:
        return (await play_sessions(sessions, target, options=quick)).sessions

    shipped = {session.id: session for session in load_sessions()}
    tester = Tester(play=play, lock=lock, shipped=shipped)
    return replace(decision, findings=await tester.tried(decision.findings))


def approved(file: LockFile, decision: Decision, night: Night) -> Approval:
    """Write the lock with everything in a decision approved.

    Raises:
        BadLock: the file changed meanwhile, or cannot be written.
    """
    lock = approve(file.lock, decision, night)
    moved = file.replaced(lock)
    return Approval(is_first=not file.lock.places, places=len(lock.places), moved=moved)


def _file_exists(url: str) -> bool:
    """A store that is not there would be made, and be empty: nobody who asks for drift wants that."""
    path = unquote(url.partition(":")[2].partition("?")[0].removeprefix("///"))
    return Path(path).is_file()
