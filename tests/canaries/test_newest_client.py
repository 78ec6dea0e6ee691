"""The newest client library against the pinned one: installed for real from a folder of wheels, compared as values."""

import asyncio
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from connector import Connector, tool
from contract_tests.canary import Report, Settings, Standing, run_canary
from contract_tests.canary.sdk.comparing import compared
from contract_tests.canary.settings import SdkSettings
from contract_tests.target.target import Target
from tests.loopback import Serve

PINNED = {
    "version": "2.3.0",
    "step": "",
    "steps": {
        "connect": {"protocol": "2026-07-28"},
        "tools/list": ["total"],
        "tools/call": {"is_error": False, "content": ["text"], "structured": True},
    },
}
NEWER = """
import os

class Client:
    def __init__(self, url):
        self.protocol_version = "2027-01-01"
    async def __aenter__(self):
        return self
    async def __aexit__(self, *_):
        return None
    async def list_tools(self):
        raise ValueError("refused; secrets here: " + ",".join(name for name in os.environ if "KEY" in name))
"""


class Ledger(Connector):
    """One tool."""

    name = "ledger"

    @tool(read_only=True)
    async def total(self) -> int:
        """The total."""
        return 42


def _wheel(folder: Path, version: str, code: str) -> None:
    """A wheel that calls itself `mcp`."""
    info = f"mcp-{version}.dist-info"
    with ZipFile(folder / f"mcp-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("mcp/__init__.py", code)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: mcp\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def _tried(url: str, state: Path, **settings: Any) -> Report:
    target = Target(name=url, url=url)
    return asyncio.run(run_canary(Settings(state=state, sdk=SdkSettings(**settings)), target))


@pytest.mark.timeout(200)
def test_a_release_that_fails_where_the_pinned_one_works_is_a_finding(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P-33's class: clients became stricter overnight. A pre-release counts, and it is given no key."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdef")
    _wheel(tmp_path, "98.0", "raise RuntimeError")
    _wheel(tmp_path, "99.0a1", NEWER)
    report = _tried(f"{serve(Ledger())}/mcp", tmp_path, pip=("--no-index", "--find-links", str(tmp_path)))
    (part,) = report.parts

    assert (report.exit_code, part.standing) == (1, Standing.FINDING), part.sentence
    assert part.sentence.startswith("99.0a1 against 2.")
    assert part.changes[0].place == "tools/list"
    assert part.changes[0].after == "ValueError: refused; secrets here:"


@pytest.mark.timeout(200)
def test_without_a_release_to_be_had_it_is_not_checked(serve: Serve, tmp_path: Path) -> None:
    """Issue 7, item 3: offline-safe."""
    report = _tried(f"{serve(Ledger())}/mcp", tmp_path, pip=("--no-index",))

    assert (report.exit_code, report.parts[0].standing) == (2, Standing.NOT_CHECKED)
    assert report.parts[0].sentence.startswith("mcp could not be installed: ERROR: No matching distribution")


def test_it_does_not_take_longer_than_it_may(serve: Serve, tmp_path: Path) -> None:
    """Ours: bounded."""
    report = _tried(f"{serve(Ledger())}/mcp", tmp_path, limit=0.05)

    assert report.parts[0].sentence == "it took longer than 0.05 s to install and try it"


def _changed(**steps: Any) -> dict[str, Any]:
    return {"version": "2.4.0b1", "step": "", "steps": {**PINNED["steps"], **steps}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("newest", "standing", "place"),
    [
        (_changed(), "holds", None),
        (_changed(connect={"protocol": "2027-01-01"}), "finding", "connect"),
        (_changed(**{"tools/list": []}), "finding", "tools/list"),
        (_changed(**{"tools/call": {"is_error": True}}), "finding", "tools/call"),
        ({"version": "3.0", "step": "connect", "failed": "McpError: issuer mismatch"}, "finding", "connect"),
        ({"version": "3.0", "step": "connect", "failed": "ModuleNotFoundError: No module"}, "not checked", None),
    ],
)
def test_what_it_does_otherwise_is_told(newest: dict[str, Any], standing: str, place: str | None) -> None:
    """Issue 7, item 3: differences against the pinned SDK are findings; other names of its client are not."""
    part = compared(PINNED, newest)

    assert (part.standing.value, part.changes[0].place if part.changes else None) == (standing, place)


def test_a_target_that_fails_the_pinned_client_says_nothing_of_the_newest() -> None:
    """Ours: no leading indicator without something it leads."""
    part = compared({"version": "2.3.0", "step": "connect", "failed": "ConnectError: refused"}, _changed())

    assert part.sentence == "the pinned client fails itself at connect: ConnectError: refused"
