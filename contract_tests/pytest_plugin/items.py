"""Sessions as test items with ids such as `ballast::create-noauth-modern`, played against the configured target.

The target is opened for the first item and closed after the last. Not checked is skipped, a finding fails.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import collect_one_node  # pytest has no public way to add a collector that is no file

from ..checks.registry import choose_sessions
from ..configuration import Configuration, read_project
from ..errors import BallastTestError
from ..notation.corpus import load_sessions
from ..notation.session import Session
from ..outcome import SessionRun, Verdict
from ..play import play_sessions
from ..target.opening import open_target
from ..target.target import Target
from .failure import failure_text
from .threads import run_to_end

PREFIX = "ballast::"


def collect_sessions(config: pytest.Config) -> None:
    """Have this pytest run collect sessions, as the command line and `[tool.ballast]` say.

    Raises:
        pytest.UsageError: the configuration is wrong, or there is no target.
    """
    named = [argument.removeprefix(PREFIX) for argument in config.args if argument.startswith(PREFIX)]
    config.args = [argument for argument in config.args if not argument.startswith(PREFIX)]
    is_asked = bool(named or config.getoption("ballast") or config.getoption("ballast_target"))
    if not is_asked and _names_files(config):
        return
    try:
        configuration = _configuration(config, named)
    except BallastTestError as problem:
        raise pytest.UsageError(str(problem)) from problem
    config.pluginmanager.register(_Sessions(config, configuration), "ballast-sessions")


def _names_files(config: pytest.Config) -> bool:
    """Whether the user asked for files or tests by name; folders are no such request."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return False
    return any(
        "::" in argument or not Path(config.invocation_params.dir, argument).is_dir() for argument in config.args
    )


def _configuration(config: pytest.Config, named: Sequence[str]) -> Configuration:
    file = config.rootpath / "pyproject.toml"
    found = (read_project(file) if file.is_file() else None) or Configuration()
    only = (*named, *config.getoption("ballast_only")) or found.only
    target = config.getoption("ballast_target") or _from_root(found.target, config.rootpath)
    if not target:
        raise pytest.UsageError(
            "mcp-ballast has no target: give --ballast-target, "
            'or write target = "..." under [tool.ballast] in pyproject.toml'
        )
    return replace(found, target=target, only=tuple(only))


def _from_root(target: str, root: Path) -> str:
    """What the project names is found from its root, wherever pytest was started."""
    place, colon, attribute = target.partition(":")
    if place.endswith(".py"):
        return f"{root / place}{colon}{attribute}"
    if target and "://" not in target and str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return target


class _Sessions:
    """Collects the sessions once, and holds the open target for them."""

    def __init__(self, config: pytest.Config, configuration: Configuration) -> None:
        self.configuration = configuration
        self._config = config
        self._stack = ExitStack()
        self._target: Target | None = None
        self._trouble: BallastTestError | None = None
        config.add_cleanup(self._stack.close)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add the sessions before anyone selects among the items."""
        collector = _Corpus.from_parent(session, name="ballast", nodeid="ballast", sessions=self)
        report = collect_one_node(collector)
        self._config.hook.pytest_collectreport(report=report)
        items.extend(item for item in report.result or () if isinstance(item, pytest.Item))

    def play(self, session: Session) -> SessionRun:
        """Play one session against the target, which is opened for the first."""
        run = run_to_end(partial(play_sessions, [session], self._opened(), options=self.configuration.options))
        return run.sessions[0]

    def _opened(self) -> Target:
        if self._trouble is not None:
            raise self._trouble
        if self._target is None:
            try:
                self._target = self._stack.enter_context(
                    open_target(self.configuration.target, path=self.configuration.path)
                )
            except BallastTestError as problem:
                self._trouble = problem  # so that the other items need not try again
                raise
        return self._target


class _Corpus(pytest.Collector):
    """The node under which sessions stand."""

    def __init__(self, *, sessions: _Sessions, **others: Any) -> None:
        super().__init__(**others)
        self._sessions = sessions
        self.add_marker("ballast")

    def collect(self) -> Iterator[pytest.Item]:
        """Yield one item per chosen session."""
        configuration = self._sessions.configuration
        try:
            known = load_sessions(*configuration.sessions)
            chosen = choose_sessions(known, configuration.only, configuration.host_profile)
        except BallastTestError as problem:
            raise self.CollectError(str(problem)) from problem
        for session in chosen:
            yield _SessionItem.from_parent(self, name=session.id, recorded=session, sessions=self._sessions)


class _Broken(Exception):
    """A session that does not hold."""

    def __init__(self, run: SessionRun) -> None:
        super().__init__(run.id)
        self.run = run


class _SessionItem(pytest.Item):
    """One session as a test."""

    def __init__(self, *, recorded: Session, sessions: _Sessions, **others: Any) -> None:
        super().__init__(**others)
        self._recorded = recorded
        self._sessions = sessions

    def runtest(self) -> None:
        """Play it: a finding fails, what cannot be checked is skipped."""
        run = self._sessions.play(self._recorded)
        if run.verdict is Verdict.FAILED:
            raise _Broken(run)
        if run.verdict is Verdict.NOT_CHECKED:
            raise pytest.skip.Exception(f"not checked: {run.reason}", _use_item_location=True)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Tell the exchange and the findings, never our own traceback."""
        if isinstance(excinfo.value, _Broken):
            return failure_text(excinfo.value.run)
        if isinstance(excinfo.value, BallastTestError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the session stands, and its name in the heading of a failure."""
        return Path(self._recorded.file), 0, self.nodeid
