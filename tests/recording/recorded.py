"""A recorder in front of an application or an address, on real sockets, and what it wrote."""

import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import anyio

from contract_tests import Options, Recorder, Run, load_sessions, open_target, play_sessions
from contract_tests.recording.notebook import Notebook
from contract_tests.recording.origins import Origins
from contract_tests.recording.relay import Relay
from tests.loopback import served


@contextmanager
def proxied(target: str, out: Path, *allowed: str, keeps_host: bool = True) -> Iterator[str]:
    """A recording proxy in front of an origin; yields its own origin. What it wrote is complete at the end."""
    origins = Origins(target=target, keeps_host=keeps_host)
    relay = Relay(origins)
    recorder = Recorder(relay, notebook=Notebook(out, origins=[target], allowed=allowed))
    with served(Lifespan(recorder, relay)) as url:
        yield url


class Lifespan:
    """Answers the lifespan that uvicorn asks the tests' applications for."""

    def __init__(self, app: Any, during: AbstractAsyncContextManager[Any] | None = None) -> None:
        self._app = app
        self._during = during or nullcontext()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        async with self._during:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


class Told:
    """An application that a test lets go on, event by event, and that tells when its client left."""

    def __init__(self) -> None:
        self.go_on = threading.Semaphore(0)
        self.left = threading.Event()
        self.asked: list[tuple[str, str, bytes, dict[str, str]]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await Lifespan(None)(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append((scope["method"], scope["raw_path"].decode(), body, headers))
        await self.answer(scope, body, receive, send)

    async def answer(self, scope: Any, body: bytes, receive: Any, send: Any) -> None:
        """Stream three events, each when the test says so."""
        head = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        async with anyio.create_task_group() as group:
            group.start_soon(self._notice, receive, group.cancel_scope)
            for number in range(3):
                await anyio.to_thread.run_sync(self.go_on.acquire, abandon_on_cancel=True)
                event = f'event: message\ndata: {{"jsonrpc":"2.0","method":"n/{number}"}}\n\n'.encode()
                await send({"type": "http.response.body", "body": event, "more_body": True})
            group.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _notice(self, receive: Any, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()
        self.go_on.release()  # no thread is left waiting
        scope.cancel()


def replayed(out: Path, target: Any, **options: Any) -> Run:
    """Play what was recorded against a target."""
    sessions = load_sessions(out, shipped=False)

    async def run() -> Run:
        with open_target(target) as opened:
            return await play_sessions(sessions, opened, options=Options(pace="none", seed=1, **options))

    return anyio.run(run)


def written(out: Path) -> str:
    """Everything in the folder, file by file."""
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(out.rglob("*")) if file.is_file())
