"""`Call`: what a tool can know and do about the call it is answering."""

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Generator, Mapping
from typing import Any

from mcp.server.mcpserver import Context

from ..principal import Principal, principal_of
from ..upstream import Upstream
from .answering import blocks_of
from .attempt import ATTEMPT
from .deadline import ANSWER_BY, NotEnoughTime
from .pieces import PIECES, Pieces
from .process import run_process


class _Breath:
    """What `partial` gives back: nothing, whether or not it is awaited."""

    def __await__(self) -> Generator[Any, None, None]:
        return asyncio.sleep(0).__await__()


class Call:
    """The call a tool is answering. A tool receives it by annotating a parameter with `Call`."""

    __slots__ = ("_answer_by", "_context", "_ends", "_pieces", "attempt", "http", "key", "tool")

    def __init__(self, context: Context[Any, Any], *, tool: str, upstream: Upstream, ends: float | None) -> None:
        self._context = context
        self._ends = ends
        self._answer_by = ANSWER_BY.get()
        self._pieces = PIECES.get() or Pieces()
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
        """Seconds until the work is stopped, never below 0; None if nothing stops it.

        A tool that may be answered before it has ended works on after its answer, to its own `deadline`. One that
        only reads and may not has until its answer.
        """
        return None if self._ends is None else max(0.0, self._ends - time.monotonic())

    @property
    def answer_in(self) -> float | None:
        """Seconds until this call is answered with what there is, never below 0; None where no host waits."""
        return None if self._answer_by is None else max(0.0, self._answer_by - time.monotonic())

    def needs(self, seconds: float) -> None:
        """Say how long the work will take, before it is begun.

        Raises:
            NotEnoughTime: There is less. Let it pass: the model is told, nothing of the call is kept, and a retry is
                looked at anew.
        """
        remaining = self.remaining
        if remaining is not None and seconds > remaining:
            raise NotEnoughTime(
                f"This would take about {seconds:.0f} s, and there are {remaining:.0f} s for it. Nothing was done. Ask "
                "for less at once."
            )

    def partial(self, content: Any) -> Awaitable[None]:
        """Give a part of the result before the rest is there: a text, a content block, or any value JSON has.

        Parts add up. They are shown when the call must be answered before it has ended, or fails; the final result
        replaces them. Works from `def` tools too. It need not be awaited; to await it lets other calls run.
        """
        self._pieces.add(blocks_of(content))
        return _Breath()

    async def run_process(
        self, *command: str, given: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program that is killed when this call is stopped, and that finds its deadline in `BALLAST_DEADLINE`
        (seconds since 1970) and the trace in `TRACEPARENT`. `given` is its standard input.

        From a `def` tool: `subprocess.run(command, timeout=call.remaining)`.

        Raises:
            OSError: It cannot be started.
        """
        return await run_process(*command, given=given, environment=environment, remaining=self.remaining)

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
