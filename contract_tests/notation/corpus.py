"""Finding and reading session files: the ones that ship, and a user's own.

Reads the disk; every file is checked for shape, then for meaning, before a session is made of it.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from ..errors import SessionFileError, UnknownSession
from .document import Document, parse
from .meaning import captured_names, check_meaning
from .reading import to_session
from .schema import check_shape
from .session import Session

SHIPPED = Path(__file__).parent.parent / "sessions"


def load_sessions(*places: Path | str, shipped: bool = True) -> tuple[Session, ...]:
    """Load the sessions that ship with this package and those in `places` (files or folders), sorted by id.

    Raises:
        SessionFileError: a file is malformed; it names file, line and field.
    """
    folders = ([SHIPPED] if shipped else []) + [Path(place) for place in places]
    documents = [_parsed(file) for folder in folders for file in _files(folder)]
    by_id = _by_id(documents)
    for document in by_id.values():
        check_meaning(document, inherited=_inherited(document, by_id))
    sessions = {key: to_session(document.value, file=str(document.path)) for key, document in by_id.items()}
    return tuple(_with_opening(sessions[key], sessions) for key in sorted(sessions))


def choose(sessions: Iterable[Session], only: Sequence[str] = (), host: str = "") -> tuple[Session, ...]:
    """Choose sessions by id and by host; everything by default.

    Raises:
        UnknownSession: nothing has that id or host; near matches are named.
    """
    available = tuple(sessions)
    _refuse_unknown(only, [session.id for session in available], "session", "mcp-ballast sessions")
    hosts = [session.host for session in available]
    _refuse_unknown([host] if host else [], hosts, "host profile", "mcp-ballast sessions")
    return tuple(
        session for session in available if (not only or session.id in only) and (not host or session.host == host)
    )


def _refuse_unknown(wanted: Sequence[str], known: Sequence[str], noun: str, command: str) -> None:
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(set(known)), n=3, cutoff=0.5)
            hint = f"Near: {', '.join(near)}." if near else f"`{command}` lists them."
            raise UnknownSession(f"There is no {noun} {name!r}. {hint}")


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        return sorted(path for path in place.iterdir() if path.suffix in {".yaml", ".yml"})
    if place.is_file():
        return [place]
    raise SessionFileError(place, 1, "", "There is no such file or folder.", "Name an existing one.")


def _parsed(file: Path) -> Document:
    state = file.stat()
    return _parsed_once(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _parsed_once(file: Path, _changed: int, _size: int) -> Document:
    """Parse a file that has not changed once per process: reading the corpus takes most of a second."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise SessionFileError(file, 1, "", f"It cannot be read: {problem}.", "Write it as UTF-8 text.") from problem
    document = parse(text, file)
    check_shape(document)
    return document


def _by_id(documents: Iterable[Document]) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for document in documents:
        key = document.value["id"]
        if key in found:
            problem = f"The id {key!r} is taken by {found[key].path}."
            raise document.error(("id",), problem, "Give every session an id of its own.")
        found[key] = document
    return found


def _inherited(document: Document, by_id: dict[str, Document]) -> list[str]:
    opening = document.value.get("begins_with")
    if opening is None:
        return []
    near = difflib.get_close_matches(opening, sorted(by_id), n=1)
    if opening not in by_id or opening == document.value["id"]:
        remedy = f"Did you mean {near[0]!r}?" if near else "Name the id of another session."
        raise document.error(("begins_with",), f"There is no other session {opening!r}.", remedy)
    if "begins_with" in by_id[opening].value:
        raise document.error(
            ("begins_with",), f"{opening!r} begins with another session itself.", "Name one that stands alone."
        )
    return [name for step in by_id[opening].value["steps"] for name in captured_names(step)]


def _with_opening(session: Session, sessions: dict[str, Session]) -> Session:
    if not session.begins_with:
        return session
    opening = sessions[session.begins_with]
    steps = (replace(step, incidents=step.incidents or opening.incidents, opening=opening.id) for step in opening.steps)
    return replace(session, steps=(*steps, *session.steps))
