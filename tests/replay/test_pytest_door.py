"""The pytest door: small projects, and all that a run of pytest shows of them."""

import re
import sys

import pytest

pytest_plugins = ["pytester"]

SERVER = """\
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

mcp = MCPServer("plain")


@mcp.tool(annotations=ToolAnnotations(read_only_hint=True))
def find(query: str) -> str:
    return query
"""

PROJECT = """\
[tool.ballast]
target = "server.py"
only = ["create-noauth-modern", "create-noauth-modern-sse", "relink"]
pace = "none"

[tool.pytest.ini_options]
filterwarnings = ["error"]
addopts = ["--strict-markers", "--strict-config"]
"""

ALONE = ["-p", "no:asyncio"]
SCOPE = ["-o", "asyncio_default_fixture_loop_scope=function"]
MODES = [ALONE, ["-o", "asyncio_mode=strict", *SCOPE], ["-o", "asyncio_mode=auto", *SCOPE]]


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyprojecttoml(PROJECT)
    pytester.makepyfile(server=SERVER, test_own="def test_own():\n    pass\n")
    return pytester


def shown(result: pytest.RunResult) -> list[str]:
    """What pytest printed, without versions, paths and times."""
    text = re.sub(r"\d+(\.\d+)? ?m?s\b", "TIME", result.stdout.str())
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST", text)
    keep = text[text.index("collecting") if "collecting" in text else 0 :]
    return [line.rstrip() for line in keep.splitlines() if line.strip()]


@pytest.mark.parametrize("mode", MODES, ids=["without asyncio", "strict", "auto"])
def test_sessions_are_tests_that_pass_fail_or_are_skipped(project: pytest.Pytester, mode: list[str]) -> None:
    """Issue 2, item 5: collected for the configured target, in every mode of pytest-asyncio."""
    result = project.runpytest_subprocess("-v", "-rs", *mode)

    assert result.ret == 1
    lines = shown(result)
    assert lines[0] == "collecting ... collected 4 items"
    assert [re.sub(r" +\[ *\d+%\]$", "", line) for line in lines[1:5]] == [
        "test_own.py::test_own PASSED",
        "ballast::create-noauth-modern PASSED",
        "ballast::create-noauth-modern-sse FAILED",
        "ballast::relink SKIPPED (not checked: no tool's securitySchemes ask ...)",
    ]
    start = next(number for number, line in enumerate(lines) if re.match(r"_+ ballast::\S+ _+$", line)) + 1
    assert lines[start : start + 4] == [
        "create-noauth-modern-sse: The same creation by a client that reads only event streams",
        "  chatgpt, creation; only inferred, seen 2026-10-06",
        "step discover-as-stream",
        "  sent      POST http://HOST/mcp",
    ]
    text = "\n".join(lines)
    assert "  received  406 Not Acceptable, 0 bytes; first byte after TIME, 0 chunks, complete after TIME" in text
    assert (
        "  finding   status\n    expected  status 200\n    got       status 406\n    guards    P-41, CT-13, CT-41"
        in text
    )
    assert "    next      Never answer 406: give what the client accepts, or JSON." in text
    assert re.search(r"SKIPPED \[1\] .*relink\.yaml:1: not checked: no tool's securitySchemes ask for OAuth", text)
    assert re.search(r"=+ 1 failed, 2 passed, 1 skipped in TIME =+", lines[-1])


OWN, SESSIONS = "test_own.py::test_own", [
    "ballast::create-noauth-modern",
    "ballast::create-noauth-modern-sse",
    "ballast::relink",
]  # fmt: skip


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], [OWN, *SESSIONS]),
        (["test_own.py"], [OWN]),
        (["test_own.py", "--ballast"], [OWN, *SESSIONS]),
        (["ballast::relink"], ["ballast::relink"]),
        (["test_own.py", "ballast::relink"], [OWN, "ballast::relink"]),
        (["-k", "relink or own"], [OWN, "ballast::relink"]),
        (["-m", "not ballast"], [OWN]),
        (["--ballast-only", "refresh-actions"], [OWN, "ballast::refresh-actions"]),
    ],
    ids=" ".join,
)
def test_sessions_are_added_unless_tests_were_named(
    project: pytest.Pytester, arguments: list[str], expected: list[str]
) -> None:
    """Issue 2, item 5: not added when the user asked for files or node ids; selected by pytest's own means."""
    result = project.runpytest_subprocess("-q", "--collect-only", *ALONE, *arguments)

    assert [line for line in result.outlines if "::" in line] == expected


def test_a_project_that_asks_for_nothing_sees_nothing(pytester: pytest.Pytester) -> None:
    """style.md section 6: installing mcp-ballast must not change other people's runs, nor import contract_tests."""
    pytester.makepyprojecttoml("[tool.other]\n")
    pytester.makepyfile(
        "import sys\n\ndef test_own():\n    assert not {'contract_tests', 'uvicorn', 'mcp'} & set(sys.modules)\n"
    )
    pytester.runpytest_subprocess(*ALONE).assert_outcomes(passed=1)


def test_somebody_elses_contract_tests_keeps_working(pytester: pytest.Pytester) -> None:
    """style.md section 6: five public repositories have a package of that name."""
    pytester.mkpydir("contract_tests")
    pytester.makepyfile("import contract_tests\n\ndef test_own():\n    assert 'pytester' in __file__ or __file__\n")
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\npythonpath = ['.']\n")
    pytester.runpytest_subprocess(*ALONE).assert_outcomes(passed=1)

    result = pytester.runpytest_subprocess(*ALONE, "--ballast-target", "http://127.0.0.1:9/mcp")
    expected = "ERROR: mcp-ballast is asked for, but `import contract_tests` gives *, another package of that name, *"
    result.stderr.fnmatch_lines([expected])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("table", "arguments", "expected"),
    [
        ("target = 1", [], "ERROR: *[[]tool.ballast[]]: target is 1, which is no str or dict.*"),
        ("traget = 'x'", [], "ERROR: *[[]tool.ballast[]]: traget is unknown. Known here: target,*"),
        ("", [], "ERROR: mcp-ballast has no target: give --ballast-target, or write target = *"),
        ("config = 'absent.toml'", [], "ERROR: There is no file *absent.toml. Create it, or leave *"),
    ],
)
def test_a_wrong_configuration_is_a_usage_error(
    pytester: pytest.Pytester, table: str, arguments: list[str], expected: str
) -> None:
    """Ours: bad input."""
    pytester.makepyprojecttoml(f"[tool.ballast]\n{table}\n")
    result = pytester.runpytest_subprocess(*ALONE, *arguments)

    result.stderr.fnmatch_lines([expected])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_an_unknown_session_is_an_error_of_collection(project: pytest.Pytester) -> None:
    """Ours: bad input."""
    result = project.runpytest_subprocess(*ALONE, "--ballast-only", "relnik")

    result.stdout.fnmatch_lines(["*ERROR collecting ballast*", "There is no session 'relnik'. Near: relink*"])
    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_a_target_that_cannot_be_opened_fails_each_session_with_a_sentence(project: pytest.Pytester) -> None:
    """Ours: bad input; no traceback of ours."""
    result = project.runpytest_subprocess(*ALONE, "--ballast-target", "absent.py")

    result.assert_outcomes(failed=3, passed=1)
    result.stdout.fnmatch_lines(["There is no file absent.py. Give the path of a Python file, or module:attribute."])
    assert "Traceback" not in result.stdout.str()


def test_the_project_is_found_from_a_folder_inside_it(project: pytest.Pytester) -> None:
    """Ours: targets count from the root."""
    inner = project.mkdir("inner")
    inner.joinpath("test_inner.py").write_text("def test_inner():\n    pass\n")
    project.chdir()
    result = project.run("sh", "-c", f"cd inner && {sys.executable} -m pytest -q -p no:asyncio")

    result.assert_outcomes(passed=2, failed=1, skipped=1)


TESTS = """\
import pytest
from server import mcp


def test_in_a_test(ballast_serve, ballast_replay):
    url = ballast_serve(mcp.streamable_http_app(stateless_http=True))
    run = ballast_replay("call-model", url)
    assert run.verdict == "passed"
    assert [step.name for step in run.steps] == ["without-platform-meta", "mac", "iphone"]


def test_what_is_served_twice_is_served_apart(ballast_serve):
    assert ballast_serve("server.py") != ballast_serve("server:mcp")
"""

ASYNC_TESTS = """

@pytest.mark.asyncio
async def test_in_an_async_test(ballast_serve, ballast_replay):
    url = ballast_serve(mcp.streamable_http_app(stateless_http=True))
    assert ballast_replay("create-noauth-modern", url).verdict == "passed"
    assert (await ballast_replay.in_this_loop("create-noauth-modern", url)).verdict == "passed"
"""


@pytest.mark.parametrize(
    ("mode", "tests", "passed"),
    [(MODES[0], TESTS, 2), (MODES[1], TESTS + ASYNC_TESTS, 3), (MODES[2], TESTS + ASYNC_TESTS, 3)],
    ids=["without asyncio", "strict", "auto"],
)
def test_fixtures_serve_and_replay(pytester: pytest.Pytester, mode: list[str], tests: str, passed: int) -> None:
    """Issue 2, item 5: an in-process target, in sync and async tests."""
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\nfilterwarnings = ['error']\npythonpath = ['.']\n")
    pytester.makepyfile(server=SERVER, test_it=tests)
    pytester.runpytest_subprocess(*mode).assert_outcomes(passed=passed)
