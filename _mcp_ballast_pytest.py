"""The pytest door of mcp-ballast: options, markers, fixtures, and sessions and contracts of `[tool.ballast]` as tests.

A top-level module of its own name: `contract_tests` may be somebody else's package, and installing mcp-ballast must
never break a test suite that does not use it. So that package is imported only by those who do.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; nothing is imported for them."""
    group = parser.getgroup("ballast", "mcp-ballast: replay how ChatGPT calls your MCP server")
    group.addoption("--ballast", action="store_true", help="collect the sessions even if files are named")
    group.addoption("--ballast-target", metavar="TARGET", help="an address, module:attribute or file.py[:attribute]")
    group.addoption("--ballast-only", metavar="ID", action="append", default=[], help="only this session or contract")
    group.addoption("--ballast-baseline", metavar="FILE", help="compare sessions with what was accepted earlier")


MARKERS = (
    "ballast(only, host): a session or contract of mcp-ballast; on your own tests, what their fixtures stand for",
    "ballast_session(id, host, surface): one recorded session",
    "ballast_contract(id, severity): one numbered contract, CT-01 to CT-43",
    "ballast_incident(id): what a session or contract guards against",
)


def pytest_configure(config: pytest.Config) -> None:
    """Collect sessions where the command line or the project asks for it."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    asked = config.getoption("ballast") or config.getoption("ballast_target")
    if asked or _project_asks(config.rootpath / "pyproject.toml"):
        _plugin().collect_sessions(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests that ask for `ballast_session` or `ballast_contract` the ids they run for."""
    if {"ballast_session", "ballast_contract"} & set(metafunc.fixturenames):
        _plugin().parametrize(metafunc)


@pytest.fixture(scope="session")
def ballast_serve() -> Any:
    """Serve anything that can be a target: `url = ballast_serve(server)`. Stopped when the session of tests ends."""
    with _plugin().Servers() as servers:
        yield servers


@pytest.fixture(scope="session")
def ballast_replay() -> Any:
    """Replay one session: `ballast_replay("create-noauth-modern", url)` gives its SessionRun."""
    return _plugin().Replay()


@pytest.fixture(scope="session")
def ballast_check() -> Any:
    """Check one contract: `ballast_check("CT-12", url)` gives its SessionRun."""
    return _plugin().Check()


def _project_asks(file: Path) -> bool:
    try:
        return "ballast" in tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError):
        return False  # no project, or one that others complain about


def _plugin() -> Any:
    import contract_tests  # noqa: PLC0415 - only for those who use it

    ours = Path(__file__).resolve().parent / "contract_tests"
    found = [Path(place).resolve() for place in contract_tests.__path__]
    if ours not in found:
        raise pytest.UsageError(
            f"mcp-ballast is asked for, but `import contract_tests` gives {found[0]}, another package of that name, "
            f"instead of {ours}. Rename that folder, run pytest from elsewhere, or use the command `mcp-ballast test`."
        )
    from contract_tests import pytest_plugin  # noqa: PLC0415

    return pytest_plugin
