"""`Notebook`: exchanges in, session files out, one for each conversation, rewritten whole after every exchange.

Redaction happens here, before a byte is written; what a process that dies leaves behind is the file as it was after the
exchange before. Knows no socket.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final

from ..errors import CannotRecord
from ..outcome import Ending
from .addresses import Addresses
from .conversations import Conversations
from .exchange import Exchange
from .linking import Links
from .offers import Offers, types_of
from .placeholders import Placeholders
from .redacting import Redactor
from .speakers import Speaker, speaker_of
from .steps import METHODS, read_question, step_of
from .writing import as_item, as_yaml, replace_file

LASTS: Final = timedelta(days=90)
"""How long a recording is to be trusted: hosts change faster than that, but most of what they do stays."""

MOST_STEPS: Final = 200
"""Steps of one session: later exchanges of the conversation are counted and left out."""

_log = logging.getLogger("ballast.recording")


@dataclass(slots=True, kw_only=True)
class _Page:
    """One step, with the text it was last written as."""

    started: float
    step: dict[str, Any]
    text: str = ""
    captures: int = 0
    searched: int = 0


@dataclass(slots=True, kw_only=True)
class _Session:
    """One file in the making."""

    id: str
    file: Path
    speaker: Speaker
    seen: date
    redactor: Redactor
    pages: list[_Page] = field(default_factory=list)
    withheld: dict[str, None] = field(default_factory=dict)
    left_out: int = 0
    ended: float | None = None


class Notebook:
    """Writes what it is told into a folder. Safe to use from several threads."""

    def __init__(
        self,
        out: Path,
        *,
        path: str = "/mcp",
        origins: Iterable[str] = (),
        allowed: Iterable[str] = (),
        source: str = "recorded by mcp-ballast",
        now: datetime | None = None,
    ) -> None:
        """Make the folder.

        Args:
            out: the folder; it is made if it is missing.
            path: the path of the MCP endpoint.
            origins: the origins the target is known by.
            allowed: tools whose arguments may be written.
            source: how the exchanges came here, for the files.
            now: the moment the recording began.

        Raises:
            CannotRecord: the folder cannot be made.
        """
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise CannotRecord(f"{out} cannot be made: {problem.strerror}. Name another folder.") from problem
        self.out = out
        self._placeholders = Placeholders()
        self._addresses = Addresses(path=path, origins=set(origins), placeholders=self._placeholders)
        self._offers = Offers(allowed)
        self._source = source
        self._began = now or datetime.now(UTC)
        self._sessions: list[_Session] = []
        self._conversations: Conversations[_Session] = Conversations()
        self._lock = Lock()
        self.ignored = 0
        """Exchanges that are in no file: no reply came, or the method is none of the format's."""

    def add(self, exchange: Exchange) -> None:
        """Write one exchange. A fault of this package's own is logged without its words: they may hold secrets."""
        if exchange.ending is Ending.UNREACHABLE or exchange.method not in METHODS:
            self.ignored += 1
            return
        try:
            with self._lock:
                self._add(exchange)
        except Exception as problem:  # noqa: BLE001 - a recorder must not break what it records
            self.ignored += 1
            _log.warning("An exchange was not recorded: %s. The traffic is not affected.", type(problem).__name__)

    def files(self) -> list[tuple[Path, int]]:
        """Every file written, with its number of steps."""
        return [(session.file, len(session.pages)) for session in self._sessions]

    def _add(self, exchange: Exchange) -> None:
        if host := exchange.header("host"):
            self._addresses.origins.update({f"http://{host}", f"https://{host}"})
        session = self._conversations.find(exchange)
        if session is None:
            session = self._begin(exchange)
            self._conversations.begin(exchange, session)
        if len(session.pages) >= MOST_STEPS:
            session.left_out += 1
            return
        since = None if session.ended is None else exchange.started - session.ended
        step = step_of(exchange, redactor=session.redactor, offers=self._offers, since=since)
        question = read_question(exchange)
        if question.method == "tools/call" and question.named not in self._offers.allowed:
            arguments = question.message.get("params", {}).get("arguments")
            session.withheld[f"{step['name']}: {types_of(arguments)}"] = None
        self._offers.learn(exchange.reply().message)
        step["name"] = _unused(step["name"], {page.step["name"] for page in session.pages})
        session.pages.append(_Page(started=exchange.started, step=step))
        session.pages.sort(key=lambda page: page.started)
        session.ended = max(session.ended or 0.0, exchange.started + exchange.duration)
        replace_file(session.file, self._text(session))

    def _begin(self, exchange: Exchange) -> _Session:
        speaker = speaker_of(exchange, read_question(exchange).message)
        moment = self._began + timedelta(seconds=exchange.started)
        stem = f"{speaker.host[:30]}-{moment:%Y-%m-%d-%H%M%S}"
        number = len(self._sessions) + 1
        while (file := self.out / f"{stem}-{number}.yaml").exists():
            number += 1
        redactor = Redactor(placeholders=self._placeholders, links=Links(), addresses=self._addresses)
        session = _Session(id=f"{stem}-{number}", file=file, speaker=speaker, seen=moment.date(), redactor=redactor)
        self._sessions.append(session)
        return session

    def _text(self, session: _Session) -> str:
        """The whole file; steps that did not change are not written anew, but looked through for new secrets."""
        for page in session.pages:
            captures = len(page.step.get("capture", {}))
            if not page.text or captures != page.captures:
                page.text, page.captures, page.searched = as_item(page.step, 2), captures, 0
            if self._placeholders.is_in(page.text, since=page.searched):
                page.text = as_item(self._placeholders.sweep(page.step), 2)
            page.searched = self._placeholders.known
        return as_yaml(self._head(session)) + "steps:\n" + "\n".join(page.text for page in session.pages)

    def _head(self, session: _Session) -> dict[str, Any]:
        speaker, seen = session.speaker, session.seen
        about = "Recorded; secrets and arguments are placeholders."
        if session.withheld:
            about += f" Arguments that were withheld, by type: {'; '.join(session.withheld)}."
        head: dict[str, Any] = {
            "format": 1,
            "id": session.id,
            "title": f"{speaker.host}, recorded on {seen.isoformat()}",
            "about": about,
            "host": speaker.host,
            "surface": speaker.surface,
            "build": speaker.build,
            "seen": seen.isoformat(),
            "provenance": "observed",
            "source": f"{self._source} on {seen.isoformat()}",
            "expires": (seen + LASTS).isoformat(),
        }
        return head | ({"needs": sorted(session.redactor.needs)} if session.redactor.needs else {})


def _unused(name: str, taken: set[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found
