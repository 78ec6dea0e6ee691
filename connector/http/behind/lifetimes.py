"""How long sessions last: from the reply that names one to the reply that ends it, or to the end of the process.

Counts what the app behind says of itself on the wire, and keeps no more of them than the app does: an id that the app
no longer knows was ended by it, and is dropped when somebody asks for it in vain.
"""

from collections.abc import Callable
from time import monotonic
from typing import Final

from mcp_types.version import KNOWN_PROTOCOL_VERSIONS
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SESSION: Final = b"mcp-session-id"
_VERSION: Final = b"mcp-protocol-version"
_GONE: Final = 404
_REFUSED: Final = 400

Record = Callable[[float, str | None], None]
"""Takes how many seconds a session lasted, and its revision where that is known."""


class Lifetimes:
    """`app` with a clock for its sessions."""

    def __init__(self, app: ASGIApp, record: Record) -> None:
        self._app = app
        self._record = record
        self._began: dict[bytes, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and see whether it opens or ends a session."""
        headers = dict(scope["headers"])
        session = headers.get(_SESSION)

        async def take(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope["method"], session, headers.get(_VERSION), message)
            await send(message)

        await self._app(scope, receive, take)

    def end(self) -> None:
        """Every session that is left ends now."""
        for session in tuple(self._began):
            self._end(session, None)

    def _note(self, verb: str, session: bytes | None, version: bytes | None, start: Message) -> None:
        if session is None:
            named = dict(start.get("headers", ())).get(_SESSION)
            if named is not None and start["status"] < _REFUSED:
                self._began[named] = monotonic()
        elif start["status"] == _GONE or (verb == "DELETE" and start["status"] < _REFUSED):
            self._end(session, version)

    def _end(self, session: bytes, version: bytes | None) -> None:
        began = self._began.pop(session, None)
        if began is not None:
            said = None if version is None else version.decode("latin-1")
            self._record(monotonic() - began, said if said in KNOWN_PROTOCOL_VERSIONS else None)
