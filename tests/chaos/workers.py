"""Workers as real processes that can be killed often: a process that has imported everything forks one for each port.

Starting Python and importing the connector takes more than a second of processor time, forking hundredths. Run as
`python -m tests.chaos.workers STORE LEDGER_PORT`; each line of its input is a port, and a variable of the environment
if wanted; it answers with the process id of the worker it made. When its input ends, or it dies, its workers die.
"""

import ctypes
import gc
import os
import signal
import sys
import time
from typing import Final

import uvicorn

from connector.http.serving import BACKLOG, KEEP_ALIVE
from tests.chaos.shop import app

_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG of prctl(2)


def serve(store: str, ledger_port: int, port: int) -> None:
    """Serve in this process until it is killed."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    uvicorn.Server(_configured(store, ledger_port, port)).run()


def _configured(store: str, ledger_port: int, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app(store, ledger_port),
        host="127.0.0.1",
        port=port,
        lifespan="on",
        ws="none",
        log_level="warning",
        access_log=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=1,
    )


def main(store: str, ledger_port: int) -> None:
    """Make workers until the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a worker ended
    # Once here, for all that it imports; a connector opens nothing before it serves.
    _configured(store, ledger_port, 0).load()
    gc.freeze()
    _say("ready")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            port, *more = line.split()
            os.environ.update(dict(each.split("=", 1) for each in more))
            _begin(store, ledger_port, int(port))
        _say(str(pid))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _begin(store: str, ledger_port: int, port: int) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if ahead := float(os.environ.get("CHAOS_CLOCK", "0")):
        now = time.time
        time.time = lambda: now() + ahead
    with open(os.devnull) as nothing:  # noqa: PTH123  # its input is the list of ports
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    status = 1
    try:
        serve(store, ledger_port, port)
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
