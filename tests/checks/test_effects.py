"""What needs more than requests: effects that are counted, two processes, a process that is killed."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector import Connector, tool
from contract_tests import Options, Run, Verdict
from contract_tests.checks.means import Means
from contract_tests.configuration import to_configuration
from contract_tests.offer.catalogue import Example
from contract_tests.target.application import as_application
from contract_tests.target.command import started
from contract_tests.target.serving import served
from tests.checks.broken import Notes
from tests.checks.judging import ids, judged, told
from tests.replay.servers import plain_sdk

pytestmark = pytest.mark.usefixtures("untraced")

ORDER = Example(arguments={"what": "tea"})
COUNTED = Means(write="order", counter="orders")


class Shop(Connector):
    """Orders, guarded as everything that writes is."""

    name = "shop"

    def __init__(self) -> None:
        super().__init__(store="memory:")
        self.taken = 0

    @tool(read_only=True)
    def orders(self) -> int:
        """How many there are."""
        return self.taken

    @tool
    def order(self, what: str) -> str:
        """Order something."""
        self.taken += 1
        return f"{what}, number {self.taken}"


class Careless(Shop):
    """The same without a guard."""

    @tool(guard=False)
    def order(self, what: str) -> str:
        """Order something."""
        self.taken += 1
        return f"{what}, number {self.taken}"


def counted(shop: object, *only: str, means: Means = COUNTED) -> Run:
    """Check what writes, with the counter."""
    return judged(shop, *only, options=Options(pace="none", seed=1, examples={"order": ORDER}, means=means))


@pytest.mark.parametrize("contract", ["CT-04", "CT-05"])
def test_a_guarded_tool_has_its_effect_once(contract: str) -> None:
    """CT-04 and CT-05, incidents P-04 and D-03."""
    shop = Shop()
    run = counted(shop, contract)

    assert told(run) == []
    assert ids(run, Verdict.PASSED) == {contract}
    assert shop.taken == 1


@pytest.mark.parametrize(("contract", "effects"), [("CT-04", "3"), ("CT-05", "2")])
def test_a_tool_that_runs_as_often_as_it_is_called_is_found(contract: str, effects: str) -> None:
    """CT-04 and CT-05: the counter tells, not the answers."""
    run = counted(Careless(), contract)

    assert ids(run, Verdict.FAILED) == {contract}
    assert ("what the counter says", "effects", effects) in [finding[1:] for finding in told(run)]


def test_without_a_counter_nothing_is_called_and_nothing_passes() -> None:
    """Issue 6, item 2: not checked, with what to set."""
    shop = Careless()
    run = counted(shop, "CT-04", "CT-05", means=Means(write="order"))

    assert ids(run, Verdict.NOT_CHECKED) == {"CT-04", "CT-05"}
    assert all("counter = " in session.reason for session in run.sessions)
    assert shop.taken == 0


@pytest.fixture
def pairs() -> Iterator[dict[str, tuple[str, ...]]]:
    """Two processes of two kinds, as far as sessions go: each has a memory of its own."""
    with (
        served(as_application(Notes(), name="a"), name="a") as one,
        served(as_application(Notes(), name="b"), name="b") as two,
        served(as_application(plain_sdk(), name="c"), name="c") as three,
        served(as_application(plain_sdk(), name="d"), name="d") as four,
    ):
        yield {"stateless": (f"{one}/mcp", f"{two}/mcp"), "sessions": (f"{three}/mcp", f"{four}/mcp")}


def test_sessions_in_the_memory_of_one_process_are_found(pairs: dict[str, tuple[str, ...]]) -> None:
    """CT-30, incident T-07."""
    found = {}
    for kind, urls in pairs.items():
        options = Options(pace="none", seed=1, means=Means(workers=urls))
        found[kind] = judged(urls[0], "CT-30", options=options).sessions[0].verdict.value

    assert found == {"stateless": "passed", "sessions": "failed"}


SERVER = """
import sys
import uvicorn
sys.path[:0] = {path!r}
from tests.checks.broken import Notes
uvicorn.run(Notes().app(), host="127.0.0.1", port={port}, log_level="critical")
"""


def test_a_target_that_is_started_by_a_command_can_be_killed_and_is_known(tmp_path: Path) -> None:
    """CT-03 measures its memory; CT-29 restarts it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    file = tmp_path / "server.py"
    file.write_text(SERVER.format(path=[str(Path(__file__).parents[2])], port=port))
    url = f"http://127.0.0.1:{port}/mcp"

    with started([sys.executable, str(file)], url) as process:
        before = process.pid
        process.restart()
        options = Options(pace="none", seed=1, means=Means(pid=lambda: process.pid), restart=process.restart)
        run = judged(url, "CT-03", options=options)
        after = process.pid

    assert before != after
    assert told(run) == []
    assert [step.name for step in run.sessions[0].steps if step.skipped] == [
        "sessions that are closed",
        "refreshes of many clients",
        "introspections, log rate and CPU afterwards",
    ]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 1)


def test_the_keys_of_the_configuration_become_means(tmp_path: Path) -> None:
    """docs/sessions.md, numbered contracts."""
    data: dict[str, Any] = {
        "target": {
            "url": "http://127.0.0.1:1/mcp",
            "command": ["python", "server.py"],
            "counter": "orders",
            "workers": ["http://127.0.0.1:1/mcp", "http://127.0.0.1:2/mcp"],
            "hosts": ["connector.example.com"],
        },
        "checks": {
            "destructive": True,
            "slow_tool": "report",
            "write": "order",
            "removed_tools": ["old"],
            "published_ui": ["ui://old"],
        },
        "tools": {"order": {"arguments": {"what": "tea"}, "earlier": [{"item": "tea"}]}},
    }
    found = to_configuration(data, source="test", folder=tmp_path)

    assert found.command == ("python", "server.py")
    assert found.options.examples["report"].is_slow
    assert found.options.means == Means(
        is_destructive=True,
        write="order",
        counter="orders",
        workers=("http://127.0.0.1:1/mcp", "http://127.0.0.1:2/mcp"),
        hosts=("connector.example.com",),
        removed_tools=("old",),
        published_ui=("ui://old",),
        earlier={"order": ({"item": "tea"},)},
    )
