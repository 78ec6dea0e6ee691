"""The collector as its users hold it: started, asked for spans, stopped.

Owns the socket, the thread and the server in it. Decides nothing about exports.
"""

import asyncio
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

import uvicorn

from ..outcome import Span
from .receiver import ACCEPT, Answer, Receiver
from .shelf import Shelf

MOST_SPANS = 20_000
"""Spans kept in all. A replay of a hundred sessions with twenty spans each stays a factor of ten below."""


_LONGEST_START = 30.0  # seconds; it takes milliseconds, and a machine this busy has no use for a replay


class Collector:
    """Receives traces on a loopback port: `with Collector() as collector`, or `async with`.

    It serves from a thread of its own, so the caller's event loop, if there is one, may be busy or blocked.
    The newest spans are kept, `MOST_SPANS` of them. `answer` may be replaced at any time and holds from the
    next export on.
    """

    def __init__(self, *, port: int = 0, answer: Answer = ACCEPT) -> None:
        self._port = port
        self._shelf = Shelf(most=MOST_SPANS)
        self._receiver = Receiver(self._shelf, answer)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def answer(self) -> Answer:
        """How the next export is answered."""
        return self._receiver.answer

    @answer.setter
    def answer(self, answer: Answer) -> None:
        self._receiver.answer = answer

    @property
    def endpoint(self) -> str:
        """The base URL for OTEL_EXPORTER_OTLP_ENDPOINT, e.g. http://127.0.0.1:4318."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def exports(self) -> int:
        """How many exports of traces arrived, whatever they were answered."""
        return self._receiver.exports

    def start(self) -> None:
        """Begin to serve, unless it does already. Exports are accepted when this returns.

        Raises:
            OSError: the port is taken.
            TimeoutError: the thread that serves did not come up.
        """
        if self._server is not None:
            return
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self._server = _server(self._receiver)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="ballast-collector", daemon=True
        )
        self._thread.start()
        if not self._receiver.ready.wait(_LONGEST_START):
            raise TimeoutError(f"the collector did not begin to serve within {_LONGEST_START:g} s: try again")

    def stop(self) -> None:
        """End serving and wait for the thread. Held-back answers are given up; the spans stay readable."""
        if self._server is None or self._thread is None:
            return
        self._receiver.release()
        self._server.should_exit = True
        self._thread.join()
        self._server = self._thread = None

    def spans(self) -> tuple[Span, ...]:
        """Every span kept, trace by trace, each trace in order of arrival."""
        return self._shelf.every()

    def spans_of(self, trace_id: str) -> tuple[Span, ...]:
        """The spans kept of one trace (32 hexadecimal digits), in order of arrival."""
        return self._shelf.of(trace_id.lower())

    async def wait_for(self, trace_id: str, count: int = 1, *, within: float = 2.0) -> tuple[Span, ...]:
        """The spans of a trace as soon as there are `count`, or those there are after `within` seconds."""
        arrived, loop = asyncio.Event(), asyncio.get_running_loop()
        with (
            self._shelf.telling(lambda: loop.call_soon_threadsafe(arrived.set)),
            suppress(TimeoutError),
        ):
            async with asyncio.timeout(within):
                while len(self.spans_of(trace_id)) < count:
                    await arrived.wait()
                    arrived.clear()
        return self.spans_of(trace_id)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


def _server(app: Receiver) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            access_log=False,
            http="h11",
            lifespan="on",
            limit_concurrency=64,  # times LONGEST_BODY is what a flood of exports can hold in memory
            log_config=None,
            loop="asyncio",
            timeout_graceful_shutdown=1,
            ws="none",
        )
    )
