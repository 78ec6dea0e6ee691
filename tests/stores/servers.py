"""Real PostgreSQL and Redis servers on free loopback ports, each with a folder of its own, stopped for certain.

Decides how a server is made, started, ended and frozen. Knows nothing of stores. The port and the data stay the same
over `stop` or `kill` and `start`. Every process that imports this makes its own, so parallel runs do not meet.
"""

import atexit
import functools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import pytest
import redis

from tests.proxies.processes import DidNotStart, found, free_ports

PASSWORD: Final = "swordfish-7"
"""What the servers ask for, and what no message may contain."""

_ATTEMPTS: Final = 3
_LONGEST_START: Final = 60.0
_LONGEST_STOP: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    """How one kind of server is run."""

    command: Callable[[Path, int], Sequence[str]]
    url: str
    answers: Callable[[str], bool]
    ends_on: signal.Signals
    user: str | None = None


class Server:
    """A server that can be ended, killed, frozen and started again on the same port and data."""

    def __init__(self, recipe: _Recipe, folder: Path) -> None:
        self._recipe = recipe
        self._folder = folder
        self._port = free_ports(1)[0]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers, with the password."""
        return self._recipe.url.format(port=self._port)

    def start(self) -> None:
        """Start it, and return when it answers. Nothing happens if it runs.

        Raises:
            DidNotStart: It ended early or did not answer; the text is the end of what it said.
        """
        if self._process is not None:
            return
        log = self._folder / "server.log"
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                self._recipe.command(self._folder, self._port),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                user=self._recipe.user,
                group=self._recipe.user,
                extra_groups=_no_groups(self._recipe.user),
            )
        ends = time.monotonic() + _LONGEST_START
        while not self._recipe.answers(self.url):
            if self._process.poll() is not None or time.monotonic() > ends:
                self.kill()
                raise DidNotStart(log.read_text(errors="replace")[-2000:])
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in the way that writes everything down. Nothing happens if it does not run."""
        if self._process is None:
            return
        self._process.send_signal(self._recipe.ends_on)
        try:
            self._process.wait(_LONGEST_STOP)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it and everything it started with SIGKILL."""
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """`stop` and `start`."""
        self.stop()
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It and everything it started stand still: connections are accepted by the kernel, and nobody answers."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, wanted: signal.Signals) -> None:
        assert self._process is not None, "the server does not run"
        for process in (self._process.pid, *_children(self._process.pid)):
            with suppress(ProcessLookupError):
                os.kill(process, wanted)


@contextmanager
def postgres_server(*options: str, durable: bool = False) -> Iterator[Server]:
    """A running PostgreSQL. `options` are settings, `max_connections=20` say; `durable` writes through to the disk."""
    program = _postgres("postgres")
    settings = [f"fsync={'on' if durable else 'off'}", "unix_socket_directories=", *options]
    recipe = _Recipe(
        command=lambda folder, port: [
            program,
            *("-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1"),
            *(word for setting in settings for word in ("-c", setting)),
        ],
        url=f"postgresql://ballast:{PASSWORD}@127.0.0.1:{{port}}/postgres",
        answers=_postgres_answers,
        ends_on=signal.SIGINT,  # "fast": sessions are ended; SIGTERM would wait for them
        user=_postgres_user(),
    )
    with _folder(recipe.user) as folder:
        shutil.copytree(_template(), folder / "data", copy_function=shutil.copyfile)
        _give(folder, recipe.user)
        with _running(recipe, folder) as server:
            yield server


@contextmanager
def redis_server(*options: str, durable: bool = False) -> Iterator[Server]:
    """A running Valkey, or Redis where there is none. `options` are words of its command line.

    What it acknowledged survives `kill`; with `durable` it would also survive the loss of power.
    """
    program = _redis()
    fsync = "always" if durable else "no"
    recipe = _Recipe(
        command=lambda folder, port: [
            *(program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--requirepass", PASSWORD),
            *("--save", "", "--appendonly", "yes", "--appendfsync", fsync, *options),
        ],
        url=f"redis://:{PASSWORD}@127.0.0.1:{{port}}/0",
        answers=_redis_answers,
        ends_on=signal.SIGTERM,
    )
    with _folder(None) as folder, _running(recipe, folder) as server:
        yield server


@contextmanager
def _running(recipe: _Recipe, folder: Path) -> Iterator[Server]:
    server = _started(recipe, folder)
    try:
        yield server
    finally:
        server.kill()


def _started(recipe: _Recipe, folder: Path) -> Server:
    for _ in range(_ATTEMPTS - 1):
        server = Server(recipe, folder)
        with suppress(DidNotStart):  # its port may have been taken between being found and being opened
            server.start()
            return server
    server = Server(recipe, folder)
    server.start()
    return server


@contextmanager
def _folder(user: str | None) -> Iterator[Path]:
    # Not pytest's: nobody but its owner can enter that, and PostgreSQL does not run as root.
    folder = Path(tempfile.mkdtemp(prefix="ballast-server-"))
    _give(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give(folder: Path, user: str | None) -> None:
    if user is None:
        return
    owner = pwd.getpwnam(user)
    for place in (folder, *folder.rglob("*")):
        os.chown(place, owner.pw_uid, owner.pw_gid)


@functools.cache
def _template() -> Path:
    """A fresh cluster, made once for each process: copying one takes a tenth of the time of making one."""
    folder = Path(tempfile.mkdtemp(prefix="ballast-initdb-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    secret = folder / "password"
    secret.write_text(PASSWORD)
    _give(folder, _postgres_user())
    names = ["--username=ballast", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
    subprocess.run(
        [_postgres("initdb"), "-D", str(folder / "data"), "--no-sync", *names],
        cwd=folder,
        check=True,
        capture_output=True,
        user=_postgres_user(),
        group=_postgres_user(),
        extra_groups=_no_groups(_postgres_user()),
    )
    return folder / "data"


def _no_groups(user: str | None) -> list[str] | None:
    return None if user is None else []  # only root may give up groups


def _postgres_user() -> str | None:
    return "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root


def _postgres(name: str) -> str:
    # Debian keeps them where no PATH leads; the newest version is the last.
    homes = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda place: float(place.parts[4]))
    return _installed("postgresql", found(name), *map(str, reversed(homes)))


def _redis() -> str:
    return _installed("redis-server", found("valkey-server"), found("redis-server"))


def _installed(package: str, *places: str | None) -> str:
    """The first place there is. Without one the test is skipped, on CI it fails."""
    place = next(filter(None, places), None)
    if place is not None:
        return place
    reason = f"{package} is not installed: apt-get install {package}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _postgres_answers(url: str) -> bool:
    with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2) as connection:
        connection.execute("SELECT 1")
        return True
    return False


def _redis_answers(url: str) -> bool:
    with suppress(redis.RedisError), redis.Redis.from_url(url, socket_timeout=2) as client:
        return bool(client.ping())
    return False


def _children(parent: int) -> list[int]:
    """The processes a server started. Sessions of PostgreSQL are groups of their own, which `killpg` does not reach."""
    children = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # After the name, which may contain anything but is followed by the last bracket: state, parent.
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                children.append(int(stat.parent.name))
    return children
