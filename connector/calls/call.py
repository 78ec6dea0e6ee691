"""`Call`: what a tool can know and do about the call it is answering."""

import time
from collections.abc import Mapping
from typing import Any

from mcp.server.mcpserver import Context

from ..principal import Principal, principal_of
from ..upstream import Upstream
from .desk import ATTEMPT


class Call:
    """The call a tool is answering. A tool receives it by annotating a parameter with `Call`."""

    __slots__ = ("_context", "_ends", "attempt", "http", "key", "tool")

    def __init__(self, context: Context[Any, Any], *, tool: str, upstream: Upstream, deadline: float | None) -> None:
        self._context = context
        self._ends = None if deadline is None else time.monotonic() + deadline
        self.tool = tool
        """The name the host called."""
        attempt = ATTEMPT.get()
        self.key = None if attempt is None else attempt.key
        """The same text for every attempt at this one wish, new for the next: hand it to the outside world as its
        idempotency key. None where the call is not guarded.
        """
        self.attempt = 1 if attempt is None else attempt.number
        """1; above, a worker that began this call died before it was finished, and it may have been done in part."""
        self.http = upstream.until(self._ends, self.key)
        """HTTP to the outside world: bound by this call's deadline, reads retried, writes keyed. See
        `connector.upstream`.
        """

    @property
    def remaining(self) -> float | None:
        """Seconds until the deadline, never below 0; None if the tool declares none."""
        return None if self._ends is None else max(0.0, self._ends - time.monotonic())

    @property
    def meta(self) -> Mapping[str, Any]:
        """The request's `_meta` as the host sent it. Empty if there was none. Never an authority on who is asking."""
        params = self._context.request_context.params or {}
        meta = params.get("_meta")
        return meta if isinstance(meta, Mapping) else {}

    @property
    def conversation(self) -> str | None:
        """`openai/session`: constant within one ChatGPT conversation; None when the host does not say."""
        value = self.meta.get("openai/session")
        return value if isinstance(value, str) else None

    @property
    def principal(self) -> Principal | None:
        """Who asks, as the token of this very request says; None where the connector is open to anybody."""
        request = self._context.request_context.request
        return None if request is None else principal_of(request.scope)

    @property
    def context(self) -> Context[Any, Any]:
        """The SDK's own context, for what is not offered here."""
        return self._context

    async def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Say how far the work is. Commits the reply as a stream if the client takes one.

        Sent as `notifications/progress` when the host asked for it with a progress token. ChatGPT neither shows it nor
        waits longer because of it (measured 2026-09-18); proxies do see the bytes.
        From a `def` tool: `anyio.from_thread.run(call.progress, 1, 3)`.
        """
        await self._context.report_progress(done, total, message)
