"""Serves an ASGI app for real, on a free loopback port."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

Serve = Callable[[Any], str]


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an ASGI app in a thread on a free loopback port; yields its origin."""
    started = threading.Event()
    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="on", ws="none", log_level="warning")
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
