"""Serves an ASGI app for real, on a free loopback port."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx2
import uvicorn

Serve = Callable[[Any], str]


@contextmanager
def served(app: Any, *, port: int = 0) -> Iterator[str]:
    """Serve an ASGI app in a thread, on a free loopback port unless one is named; yields its origin."""
    started = threading.Event()
    config = uvicorn.Config(app, host="127.0.0.1", port=port, lifespan="on", ws="none", log_level="warning")
    server = uvicorn.Server(config)
    on_startup = server.startup

    async def startup(*args: Any, **kwargs: Any) -> None:
        await on_startup(*args, **kwargs)
        started.set()

    server.startup = startup  # type: ignore[method-assign]  # uvicorn has no event for it
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(20), "the app did not start"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def await_health(url: str) -> None:
    """Return when a server in another process answers on /health."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with suppress(httpx2.TransportError):
            if httpx2.get(f"{url}/health").is_success:
                return
        time.sleep(0.05)
    raise AssertionError(f"{url} did not start to serve")
