"""What the fixtures give: servers for the time being, and replays of single sessions."""

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from ..checks.registry import CONTRACTS, choose_contracts
from ..errors import UnknownSession
from ..notation.corpus import choose, load_sessions
from ..offer.catalogue import Example
from ..outcome import Run, SessionRun
from ..play import Options, Pace, play_sessions
from ..target.opening import open_target
from ..target.target import Target
from .threads import run_to_end


class Servers:
    """Serves targets until it is closed: `url = servers(server)`."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __call__(self, target: object, *, path: str = "/mcp") -> str:
        """Serve anything `open_target` takes and return its URL.

        Raises:
            BadTarget: it cannot be served.
        """
        return self._stack.enter_context(open_target(target, path=path)).url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


class Replay:
    """Replays one session against an address.

    Calling it blocks, in tests of either kind: the session is played from a thread of its own. Where the target is
    served by the test's own event loop, await `in_this_loop` instead.
    """

    def __call__(
        self,
        session_id: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        tools: dict[str, dict[str, Any]] | None = None,
        pace: Pace = "none",
    ) -> SessionRun:
        """Play one session and return how it went.

        Args:
            session_id: As `mcp-ballast sessions` lists them.
            url: The target's address.
            headers: Sent with every request that is not anonymous.
            tools: Example arguments by tool: they may be called, even if they write.
            pace: "real" waits as long as the host does.

        Raises:
            UnknownSession: there is no such session.
            TargetUnreachable: nothing answers at the address.
        """
        return run_to_end(partial(self._play, session_id, url, _options(headers, tools, pace)))

    async def in_this_loop(
        self,
        session_id: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        tools: dict[str, dict[str, Any]] | None = None,
        pace: Pace = "none",
    ) -> SessionRun:
        """The same, awaited in the caller's event loop."""
        return await self._play(session_id, url, _options(headers, tools, pace))

    async def _play(self, session_id: str, url: str, options: Options) -> SessionRun:
        chosen = choose(load_sessions(), [session_id])
        run: Run = await play_sessions(chosen, Target(name=url, url=url), options=options)
        return run.sessions[0]


class Check:
    """Checks one numbered contract against an address, as `Replay` plays one session."""

    def __call__(
        self,
        contract_id: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        tools: dict[str, dict[str, Any]] | None = None,
    ) -> SessionRun:
        """Check one contract and return how it went; naming it allows what it leaves behind.

        Args:
            contract_id: CT-01 to CT-43, if it has a check: `mcp-ballast sessions` lists them.
            url: The target's address.
            headers: Sent with every request that is not anonymous.
            tools: Example arguments by tool: they may be called, even if they write.

        Raises:
            UnknownSession: there is no such check.
            TargetUnreachable: nothing answers at the address.
        """
        return run_to_end(partial(self._check, contract_id, url, _options(headers, tools, "none")))

    async def in_this_loop(
        self,
        contract_id: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        tools: dict[str, dict[str, Any]] | None = None,
    ) -> SessionRun:
        """The same, awaited in the caller's event loop."""
        return await self._check(contract_id, url, _options(headers, tools, "none"))

    async def _check(self, contract_id: str, url: str, options: Options) -> SessionRun:
        contracts = choose_contracts([contract_id])
        if not contracts:
            raise UnknownSession(f"There is no check {contract_id!r}. Known: {', '.join(one.id for one in CONTRACTS)}.")
        own = replace(options, named=(contract_id,))
        run = await play_sessions([], Target(name=url, url=url), options=own, contracts=contracts)
        return run.sessions[0]


def _options(headers: dict[str, str] | None, tools: dict[str, dict[str, Any]] | None, pace: Pace) -> Options:
    examples = {name: Example(arguments=arguments) for name, arguments in (tools or {}).items()}
    return replace(Options(), headers=tuple((headers or {}).items()), examples=examples, pace=pace)
