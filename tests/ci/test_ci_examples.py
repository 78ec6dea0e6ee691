"""The examples for CI: their scripts run for real, their files judged by the schemas and tools of their platforms."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.usefixtures("untraced")

CI = Path(__file__).parents[2] / "examples" / "ci"
HOLDS = """\
from connector import Connector, tool


class Shop(Connector):
    name = "shop"

    @tool(read_only=True)
    async def find(self, query: str) -> str:
        return query


app = Shop()
"""
BREAKS = """\
async def app(scope, receive, send):
    if scope["type"] == "http":
        head = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 500, "headers": head})
        await send({"type": "http.response.body", "body": b"{}"})
"""
FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def loaded(name: str) -> Any:
    return yaml.safe_load((CI / name).read_text())


def needed(module: str) -> None:
    """Skip where a validator is not installed; in CI it has to be."""
    try:
        __import__(module)
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"{module} is not installed")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A folder with two servers, and an environment that finds the command and writes into the folder."""
    (tmp_path / "holds.py").write_text(HOLDS)
    (tmp_path / "breaks.py").write_text(BREAKS)
    place = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    return {**os.environ, "PATH": place, "BALLAST_STORE": "memory:", "BALLAST_REPORTS": "reports", **files}


@pytest.mark.parametrize(
    ("target", "status", "said"),
    [
        ("holds.py:app", 0, "Every session that could be checked holds.\n"),
        ("breaks.py:app", 1, "At least one session breaks: see the report.\n"),
        ("missing.py:app", 2, "Nothing could be judged: see the log.\n"),
    ],
)
def test_the_action_runs_and_fails_as_it_should(
    target: str, status: int, said: str, environment: dict[str, str], tmp_path: Path
) -> None:
    """Issue 6, item 7: run as far as possible. The step's own script, in the shell it names."""
    (step,) = (step for step in loaded("github-action/action.yml")["runs"]["steps"] if step.get("id") == "test")
    told = {
        "BALLAST_TARGET": target,
        "BALLAST_ARGUMENTS": "--pace none --only create-noauth-modern",
        "BALLAST_AUTHORIZATION": "Bearer $(touch owned) `touch owned`",
    }
    script = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(script, cwd=tmp_path, env=environment | told, capture_output=True, text=True, check=False)

    assert done.returncode == status, done.stderr
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text() == said
    assert (tmp_path / "GITHUB_OUTPUT").read_text().splitlines()[0] == "sarif=reports/ballast.sarif"
    assert (tmp_path / "reports" / "ballast.sarif").exists() == (status < 2)
    assert not (tmp_path / "owned").exists(), "inputs are no commands"
    assert set(told) <= set(step["env"])


@pytest.mark.parametrize(("target", "status"), [("holds.py:app", 0), ("breaks.py:app", 1)])
def test_cron_is_told_only_what_is_wrong(target: str, status: int, environment: dict[str, str], tmp_path: Path) -> None:
    """cron mails what is printed. The configuration of the folder is used, as in every run."""
    (tmp_path / "ballast.toml").write_text('only = ["create-noauth-modern"]\npace = "none"\n')
    environment["BALLAST_TARGET"] = target
    done = subprocess.run([CI / "check"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == status
    assert bool(done.stdout) == bool(status)
    assert (tmp_path / "reports" / "last.html").exists()


def schedules() -> list[str]:
    lines = [line for line in (CI / "crontab").read_text().splitlines() if re.match(r"[\d*]", line)]
    workflow = loaded("github-workflow.yml")[True]["schedule"]  # YAML 1.1 takes `on` for true
    return [
        *(" ".join(line.split()[:5]) for line in lines),
        *(entry["cron"] for entry in workflow),
        loaded("kubernetes/cronjob.yaml")["spec"]["schedule"],
    ]


@pytest.mark.parametrize("schedule", schedules())
def test_every_schedule_is_one(schedule: str) -> None:
    """POSIX crontab: five fields, each in its range."""
    fields = schedule.split()

    assert len(fields) == 5
    for field, (least, most) in zip(fields, FIELDS, strict=True):
        assert field == "*" or least <= int(field) <= most


def test_the_crontab_names_a_user_and_has_no_percent() -> None:
    """crontab(5): a percent sign ends the command; a file in cron.d names the user."""
    (line,) = [line for line in (CI / "crontab").read_text().splitlines() if re.match(r"[\d*]", line)]

    assert line.split()[5:] == ["ballast", "/opt/mcp-ballast/check"]
    assert "%" not in line


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("vendor.github-actions", "github-action/action.yml"),
        ("vendor.github-workflows", "github-workflow.yml"),
        ("vendor.gitlab-ci", "gitlab-ci.yml"),
    ],
)
def test_the_platform_s_schema_holds(schema: str, name: str) -> None:
    """Issue 6, item 7: linted with the schemas that check-jsonschema brings along."""
    needed("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(CI / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_kubernetes_would_take_the_manifest() -> None:
    """Issue 6, item 7: linted, with unknown members refused."""
    needed("kubernetes_validate")
    import kubernetes_validate  # type: ignore[import-not-found,import-untyped,unused-ignore]  # not everywhere

    kubernetes_validate.validate(loaded("kubernetes/cronjob.yaml"), "1.30", strict=True)


def test_systemd_would_load_the_units() -> None:
    """Issue 6, item 7: linted by systemd itself."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    units = [str(CI / "systemd" / name) for name in ("mcp-ballast.service", "mcp-ballast.timer")]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units],
        capture_output=True,
        text=True,
        check=False,
    )

    complaints = [line for line in done.stderr.splitlines() if "mcp-ballast" in line]
    assert (done.returncode, complaints) == (0, [])


def test_every_option_of_every_example_exists() -> None:
    """Ours: an example must not outlive an option."""
    from click.testing import CliRunner

    from contract_tests.cli import main

    known = CliRunner().invoke(main, ["test", "--help"]).output
    texts = [file.read_text() for file in CI.rglob("*") if file.is_file() and file.suffix != ".md"]
    calls = [line for text in texts for line in text.splitlines() if "mcp-ballast test" in line or "--j" in line]
    used = {option for line in calls for option in re.findall(r"(?<![\w-])--[a-z-]+", line)}

    assert {"--json", "--junit", "--sarif", "--html"} <= used
    assert [option for option in used if option not in known] == []
