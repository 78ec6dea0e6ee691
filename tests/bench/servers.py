"""The servers that are compared: one echo tool each, one uvicorn worker, the same loop and HTTP parser for all.

A server runs as `python -m tests.bench.servers KIND MODE`, prints its port and serves until it is told to
stop. Only the contender's own module is imported, so that none pays memory for another.
"""

import cProfile
import logging
import os
import pstats
import socket
import sys
from contextlib import suppress
from importlib import import_module

import click
import uvicorn

from .cases import CONTENDERS, MODES

_BACKLOG = 2048
_PROFILE_LINES = 45
# Longer than any pause of the benchmark: no server may close the idle connections that are being weighed.
_KEEP_ALIVE_SECONDS = 120


@click.command()
@click.argument("kind", type=click.Choice([*CONTENDERS, "scale", "floor", "no_book"]))
@click.argument("mode", type=click.Choice(MODES))
@click.option("--cpu", type=int, help="Pin the process to this CPU where the system can.")
@click.option("--fast", is_flag=True, help="Run on uvloop and httptools instead of asyncio and h11.")
@click.option("--profile", is_flag=True, help="Print what the time went into when the server is stopped.")
def main(kind: str, mode: str, *, cpu: int | None, fast: bool, profile: bool) -> None:
    """Serve one contender on a free loopback port, and print the port."""
    logging.basicConfig(level=logging.ERROR)
    listener = _listen()
    server = uvicorn.Server(_config(import_module(f".echo_{kind}", __package__).app(mode), fast=fast))
    if cpu is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cpu})
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    _run(server, listener, cProfile.Profile() if profile else None)


def _listen() -> socket.socket:
    # asyncio sets TCP_NODELAY only on sockets that say IPPROTO_TCP, and socket.create_server's do not: every
    # answer that is written in two parts would then wait 40 ms for the client's delayed ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(_BACKLOG)
    return listener


def _config(app: object, *, fast: bool) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type] # the contenders return different ASGI classes
        loop="uvloop" if fast else "asyncio",
        http="httptools" if fast else "h11",
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="error",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=5,
    )


def _run(server: uvicorn.Server, listener: socket.socket, profiler: cProfile.Profile | None) -> None:
    with suppress(KeyboardInterrupt):  # uvicorn raises the signal again after it has shut down in order
        if profiler is None:
            server.run(sockets=[listener])
        else:
            profiler.runcall(server.run, sockets=[listener])
    if profiler is not None:
        pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(_PROFILE_LINES)


if __name__ == "__main__":
    main()
