"""The pytest door: contracts as tests, markers, a baseline, workers, and tests that run once for each id."""

import json
import sys

import pytest

from tests.replay.test_pytest_door import ALONE, SERVER

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.timeout(180)  # several runs of pytest each, on a busy machine

PROJECT = """\
[tool.ballast]
target = "server.py"
only = ["create-noauth-modern", "serial-3", "CT-12", "CT-43"]
pace = "none"

[tool.pytest.ini_options]
filterwarnings = ["error"]
pythonpath = ["."]
addopts = ["--strict-markers", "--strict-config"]
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyprojecttoml(PROJECT)
    pytester.makepyfile(server=SERVER)
    return pytester


def test_contracts_are_tests_beside_the_sessions(project: pytest.Pytester) -> None:
    """Issue 6, item 7: checks too, with what is wrong in words."""
    result = project.runpytest_subprocess("-q", "-rA", *ALONE)

    result.assert_outcomes(passed=1, failed=3)
    text = result.stdout.str()
    assert "PASSED ballast::create-noauth-modern" in text
    assert "CT-43: Where the old transport was, people are told where to go" in text
    assert "status 410" in text


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-k", "P-30 or serial"], ["serial-3", "CT-43"]),
        (["-m", "ballast_session(host='chatgpt')"], ["create-noauth-modern", "serial-3"]),
        (["-m", "ballast_incident(id='P-30') or ballast_contract(id='CT-12')"], ["CT-12", "CT-43"]),
    ],
    ids=" ".join,
)
def test_they_are_selected_by_session_contract_and_incident(
    project: pytest.Pytester, arguments: list[str], expected: list[str]
) -> None:
    """Issue 6, item 7: markers, and -k by session and incident."""
    result = project.runpytest_subprocess("-q", "--collect-only", *ALONE, *arguments)

    assert [line.removeprefix("ballast::") for line in result.outlines if "::" in line] == expected


TESTS = """\
import pytest
from server import mcp


@pytest.fixture(scope="session")
def url(ballast_serve):
    return ballast_serve(mcp.streamable_http_app(stateless_http=True))


@pytest.mark.ballast(only=["create-noauth-*", "call-model"], host="chatgpt")
def test_sessions(ballast_session, ballast_replay, url):
    ballast_replay(ballast_session, url)


@pytest.mark.ballast(only=["CT-1[12]"])
def test_contracts(ballast_contract, ballast_check, url):
    ballast_check(ballast_contract, url)


@pytest.mark.parametrize("ballast_contract", ["CT-02"])
def test_own(ballast_contract, ballast_check, url):
    assert ballast_check(ballast_contract, url).verdict == "passed"
"""


def test_a_test_can_run_once_for_each_session_or_contract(pytester: pytest.Pytester) -> None:
    """Issue 6, item 7: parametrised fixtures, with the markers of what they stand for."""
    pytester.makepyprojecttoml(PROJECT.split("[tool.pytest", 1)[1].join(["[tool.pytest", ""]))
    pytester.makepyfile(server=SERVER, test_it=TESTS)

    found = pytester.runpytest_subprocess("-q", "--collect-only", *ALONE)
    assert [line.partition("::")[2] for line in found.outlines if "::" in line] == [
        "test_sessions[call-model]",
        "test_sessions[create-noauth-legacy]",
        "test_sessions[create-noauth-modern]",
        "test_sessions[create-noauth-modern-sse]",
        "test_contracts[CT-11]",
        "test_contracts[CT-12]",
        "test_own[CT-02]",
    ]
    pytester.runpytest_subprocess(*ALONE, "-m", "ballast_incident(id='CT-11')").assert_outcomes(passed=1, deselected=6)


def test_sessions_are_compared_with_a_baseline(project: pytest.Pytester) -> None:
    """Issue 6, item 3: drift in pytest too; the file is the command's."""
    only = ["--only", "create-noauth-modern"]
    command = [sys.executable, "-c", "from contract_tests.cli import main; main()"]
    accept = [*command, "test", "server.py", *only, "--baseline", "wire.json", "--accept"]
    assert project.run(*accept).ret == 0
    run = ["-q", *ALONE, "ballast::create-noauth-modern", "--ballast-baseline", "wire.json"]
    project.runpytest_subprocess(*run).assert_outcomes(passed=1)

    file = project.path / "wire.json"
    value = json.loads(file.read_text())
    value["steps"]["create-noauth-modern"]["tools-list"] = "200; content-type: text/event-stream"
    file.write_text(json.dumps(value))
    result = project.runpytest_subprocess(*run)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*CT-37*", "*content-type: text/event-stream*"])


def test_several_workers_share_the_work(project: pytest.Pytester) -> None:
    """Issue 6, item 7: xdist-safe."""
    pytest.importorskip("xdist")
    result = project.runpytest_subprocess("-q", "-n", "2", *ALONE)

    result.assert_outcomes(passed=1, failed=3)


SHARED = """
import sys
import uvicorn
sys.path[:0] = {path!r}
from server import mcp
uvicorn.run(mcp.streamable_http_app(stateless_http=True), host="127.0.0.1", port={port}, log_level="critical")
"""


def test_a_command_is_started_once_for_all_workers(project: pytest.Pytester, unused_tcp_port: int) -> None:
    """Ours: a port can be listened on once."""
    pytest.importorskip("xdist")
    url = f"http://127.0.0.1:{unused_tcp_port}/mcp"
    project.makefile(".py", serving=SHARED.format(path=[str(project.path)], port=unused_tcp_port))
    target = f'[tool.ballast.target]\nurl = "{url}"\ncommand = ["{sys.executable}", "serving.py"]\n'
    only = 'only = ["call-model", "CT-02", "CT-31"]\n'
    project.makepyprojecttoml(f"[tool.ballast]\n{only}pace = 'none'\n{target}\n[tool.pytest.ini_options]\n")
    project.runpytest_subprocess("-q", "-n", "2", *ALONE).assert_outcomes(passed=3)
