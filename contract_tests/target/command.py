"""A target that is started by a command, so that it can be killed and started again, and its process is known."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from time import monotonic, sleep
from urllib.parse import urlsplit

from ..errors import BadTarget

_LONGEST_START = 60.0
_LONGEST_STOP = 20.0
_LAST_LINES = 3
_LONGEST_LEAVING = 150.0  # more than any host waits for a call


class Started:
    """A process behind an address. Its own process group is killed, so that workers go with it."""

    def __init__(self, command: Sequence[str], url: str) -> None:
        self._command = list(command)
        self._url = url
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        try:
            self._process = self._start()
        except BadTarget:
            self._log.close()
            raise

    @property
    def pid(self) -> int:
        """The process of now; another one after a restart."""
        return self._process.pid

    def restart(self) -> None:
        """Kill it as an operating system does, start it again, and return when it accepts connections.

        Raises:
            BadTarget: it does not come back.
        """
        self.kill()
        self._process = self._start()

    def leave(self) -> None:
        """Ask it to leave as platforms do, wait until it is gone, and start it again.

        Raises:
            BadTarget: it does not leave, or does not come back.
        """
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_LONGEST_LEAVING)
        except subprocess.TimeoutExpired:
            self.restart()
            raise BadTarget(
                f"{' '.join(self._command)} did not leave within {_LONGEST_LEAVING:g} s of SIGTERM."
            ) from None
        self.restart()

    def kill(self) -> None:
        """Kill it and everything it started."""
        _kill(self._process)

    def close(self) -> None:
        """Kill it for good."""
        self.kill()
        self._log.close()

    def _start(self) -> subprocess.Popen[bytes]:
        words = " ".join(self._command)
        self._log.seek(0)
        self._log.truncate()
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own
                self._command, stdout=subprocess.DEVNULL, stderr=self._log, start_new_session=True
            )
        except OSError as problem:
            raise BadTarget(
                f"{words} cannot be started: {problem.strerror}. Correct command under [target]."
            ) from problem
        try:
            self._await(process)
        except BaseException:  # an interrupt too: nobody else knows of the process yet
            _kill(process)
            raise
        return process

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        """Return when it accepts connections."""
        parts = urlsplit(self._url)
        address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        until = monotonic() + _LONGEST_START
        while monotonic() < until and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(address, 1):
                return
            sleep(0.05)
        words, said = " ".join(self._command), self._last_words() or "nothing"
        raise BadTarget(
            f"{words} does not answer at {self._url}; it said at last: {said}. Is the address the one it listens on?"
        )

    def _last_words(self) -> str:
        """The end of what it wrote to its standard error, which is kept out of the display."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        return " / ".join(line.strip() for line in lines[-_LAST_LINES:] if line.strip())


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(_LONGEST_STOP)


@contextlib.contextmanager
def started(command: Sequence[str], url: str) -> Iterator[Started]:
    """Run a command until the block ends.

    Raises:
        BadTarget: it cannot be started, does not answer, or something answers there already.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadTarget(f'command needs the address it serves: write url = "http://..." beside it, not {url!r}.')
    with contextlib.suppress(OSError), socket.create_connection((parts.hostname, parts.port or 80), 1):
        raise BadTarget(f"Something answers at {url} already. Stop it, or leave command away.")
    process = Started(command, url)
    try:
        yield process
    finally:
        process.close()
