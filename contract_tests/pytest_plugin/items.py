"""Sessions and contracts as test items, `ballast::create-noauth-modern`, `ballast::CT-12`, for the configured target.

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

from ..baseline.baseline import Baseline, observed, read_baseline
from ..baseline.comparing import drift, with_drift
from ..checks.contract import Contract
from ..checks.registry import choose_contracts, choose_sessions
from ..checks.unaskable import WIRE
from ..configuration import Configuration, read_project
from ..errors import BallastTestError
from ..notation.corpus import load_sessions
from ..notation.session import Session
from ..outcome import Run, SessionRun, Verdict
from ..play import Options, play_sessions
from ..target.command import started
from ..target.opening import open_target
from ..target.target import Target
from .failure import failure_text
from .marking import keywords, marks
from .sharing import has_workers, is_worker, turn
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
        baseline = _baseline(config)
    except BallastTestError as problem:
        raise pytest.UsageError(str(problem)) from problem
    config.pluginmanager.register(_Sessions(config, configuration, baseline), "ballast-sessions")


def _baseline(config: pytest.Config) -> Baseline | None:
    file = config.getoption("ballast_baseline")
    return read_baseline(Path(config.invocation_params.dir, file)) if file else None


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
    """Collects sessions and contracts once, and holds the open target for them."""

    def __init__(self, config: pytest.Config, configuration: Configuration, baseline: Baseline | None) -> None:
        self.configuration = configuration
        self._baseline = baseline
        self._config = config
        self._stack = ExitStack()
        self._target: tuple[Target, Options] | None = None
        self._trouble: BallastTestError | None = None
        config.add_cleanup(self._stack.close)

    @property
    def has_baseline(self) -> bool:
        """Whether sessions are compared with what was accepted."""
        return self._baseline is not None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add the sessions before anyone selects among the items."""
        collector = _Corpus.from_parent(session, name="ballast", nodeid="ballast", sessions=self)
        report = collect_one_node(collector)
        self._config.hook.pytest_collectreport(report=report)
        items.extend(item for item in report.result or () if isinstance(item, pytest.Item))

    def pytest_sessionstart(self) -> None:
        """Start the target's command here, where others run the tests: it can be started once only."""
        if has_workers(self._config) and self.configuration.command:
            try:
                self._stack.enter_context(started(self.configuration.command, self.configuration.target))
            except BallastTestError as problem:
                raise pytest.UsageError(str(problem)) from problem

    def play(self, subject: Session | Contract) -> SessionRun:
        """Play a session, or check a contract, against the target, which is opened for the first."""
        target, options = self._opened()
        alone = isinstance(subject, Contract) and (subject.is_alone or subject.is_destructive)
        sessions, contracts = ([], [subject]) if isinstance(subject, Contract) else ([subject], [])
        with turn(self._config, alone=alone):
            run = run_to_end(partial(play_sessions, sessions, target, options=options, contracts=contracts))
        return self._compared(run)

    def _compared(self, run: Run) -> SessionRun:
        """The session, or what the baseline has against it."""
        if self._baseline is None or run.sessions[0].verdict is not Verdict.PASSED:
            return run.sessions[0]
        before, now = replace(self._baseline, times={}), observed(run)
        (decided,) = (one for one in with_drift(run, drift(before, now), compared=1).sessions if one.id == WIRE)
        return decided if decided.verdict is Verdict.FAILED else run.sessions[0]

    def _opened(self) -> tuple[Target, Options]:
        if self._trouble is not None:
            raise self._trouble
        if self._target is None:
            try:
                self._target = self._open()
            except BallastTestError as problem:
                self._trouble = problem  # so that the other items need not try again
                raise
        return self._target

    def _open(self) -> tuple[Target, Options]:
        configuration, options = self.configuration, self.configuration.options
        options = replace(options, named=configuration.only)
        if configuration.command and not is_worker(self._config):
            process = self._stack.enter_context(started(configuration.command, configuration.target))
            means = replace(options.means, pid=lambda: process.pid, leave=process.leave)
            options = replace(options, restart=process.restart, means=means)
        return self._stack.enter_context(open_target(configuration.target, path=configuration.path)), options


class _Corpus(pytest.Collector):
    """The node under which sessions and contracts stand."""

    def __init__(self, *, sessions: _Sessions, **others: Any) -> None:
        super().__init__(**others)
        self._sessions = sessions

    def collect(self) -> Iterator[pytest.Item]:
        """Yield one item per chosen session and contract. With a baseline every session is compared, not CT-37."""
        configuration = self._sessions.configuration
        try:
            known = load_sessions(*configuration.sessions)
            chosen = choose_sessions(known, configuration.only, configuration.host_profile)
        except BallastTestError as problem:
            raise self.CollectError(str(problem)) from problem
        contracts = choose_contracts(configuration.only, configuration.host_profile)
        if self._sessions.has_baseline:
            contracts = tuple(contract for contract in contracts if contract.id != WIRE)
        subjects: Sequence[Session | Contract] = (*chosen, *contracts)
        for subject in subjects:
            yield _Item.from_parent(self, name=subject.id, subject=subject, sessions=self._sessions)


class _Broken(Exception):
    """A session that does not hold."""

    def __init__(self, run: SessionRun) -> None:
        super().__init__(run.id)
        self.run = run


class _Item(pytest.Item):
    """One session or contract as a test."""

    def __init__(self, *, subject: Session | Contract, sessions: _Sessions, **others: Any) -> None:
        super().__init__(**others)
        self._subject = subject
        self._sessions = sessions
        self.extra_keyword_matches |= keywords(subject)
        for mark in marks(subject):
            self.add_marker(mark)

    def runtest(self) -> None:
        """Play it: a finding fails, what cannot be checked is skipped."""
        run = self._sessions.play(self._subject)
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
        """Where it stands, and its name in the heading of a failure."""
        place = self._subject.file if isinstance(self._subject, Session) else sys.modules[Contract.__module__].__file__
        return Path(place or ""), 0, self.nodeid
