"""`mcp-ballast diagnose` through real proxies: what it says, and what schedules and scripts read."""

import asyncio
import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from contract_tests.cli import main
from contract_tests.diagnosis import Certainty, Culprit, Diagnosis, Evidence, Suspect, as_lines, diagnose, document
from contract_tests.offer.catalogue import Example
from contract_tests.target.target import Target
from tests.proxies.backends import BRISK, CONNECTOR, ON_H11, PLAIN_EVENTS, serving
from tests.proxies.chaos import Hoard, chaos
from tests.proxies.front import Site
from tests.proxies.haproxy import haproxy
from tests.proxies.nginx import nginx
from tests.proxies.processes import free_ports, installed
from tests.proxies.rows import DEAF, GZIP, UPSTREAM_1_1

QUICK = 1.5
SECRET = "s3cr3t-0123456789abcdef"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for logs and configuration."""
    return tmp_path_factory.mktemp("diagnosis")


@pytest.fixture(scope="module")
def behind(folder: Path) -> Iterator[dict[str, int]]:
    """Ports of servers in processes of their own."""
    with serving({kind: kind for kind in (CONNECTOR, BRISK, ON_H11, PLAIN_EVENTS)}, folder) as ports:
        yield ports


@pytest.fixture(scope="module")
def before(behind: dict[str, int], folder: Path) -> Iterator[dict[str, int]]:
    """Ports of nginx and HAProxy, told in different ways."""
    sites = {
        "passing": Site(lines=UPSTREAM_1_1, behind=behind[CONNECTOR]),
        "compressing": Site(lines=(*UPSTREAM_1_1, *GZIP, DEAF), behind=behind[CONNECTOR]),
        "buffering": Site(lines=(DEAF,), behind=behind[ON_H11]),
        "down": Site(lines=(), behind=free_ports(1)[0]),
        "impatient": Site(lines=("proxy_read_timeout 1s;",), behind=behind[PLAIN_EVENTS]),
    }
    waiting = {
        "waiting": Site(lines=("timeout server 30s", "http-response wait-for-body time 30s"), behind=behind[BRISK])
    }
    installed("nginx")
    with nginx(sites, folder) as of_nginx, haproxy(waiting, folder) as of_haproxy:
        yield {**of_nginx, **of_haproxy}


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}/mcp"


def _diagnose(port: int, **options: Any) -> Diagnosis:
    url = _url(port)
    return asyncio.run(diagnose(Target(name=url, url=url), patience=QUICK, **options))


def _said(found: Diagnosis) -> dict[str, str]:
    return {each.subject: f"{each.standing}: {each.sentence}" for each in found.evidence}


def _of(found: Diagnosis, subject: str) -> Evidence:
    return next(each for each in found.evidence if each.subject == subject)


def test_a_proxy_that_passes_streams_on_is_no_finding(before: dict[str, int]) -> None:
    """T-04: nginx with its default of buffering, which honours X-Accel-Buffering."""
    found = _diagnose(before["passing"])

    assert found.exit_code == 0
    assert _said(found)["buffering"].startswith("holds: a stream's first byte comes after ")
    assert _said(found)["slow call"].startswith("not checked: no slow tool is named in ballast.toml")


def test_a_proxy_that_buffers_is_named_with_what_to_set(before: dict[str, int], behind: dict[str, int]) -> None:
    """T-04: with the connector's own address to compare, it is certain that the server is not at fault."""
    found = _diagnose(before["buffering"], direct=_url(behind[ON_H11]))
    (finding,) = found.findings

    assert found.exit_code == 1
    assert finding.sentence == "a proxy between here and the connector buffers event streams"
    assert (finding.suspects, finding.certainty) == ((Suspect.EDGE,), Certainty.CERTAIN)
    assert "Server: nginx/" in "\n".join(finding.facts)
    assert finding.advice[0].startswith("nginx: `proxy_buffering off;`")
    assert finding.incidents == ("T-04",)
    assert (found.verdict.culprit, found.verdict.confidence > 0.8) == (Culprit.PROXY, True)


def test_without_the_own_address_it_says_how_to_be_certain(before: dict[str, int]) -> None:
    """Ours: from one side alone a proxy is only likely."""
    (finding,) = _diagnose(before["buffering"]).findings

    assert finding.certainty is Certainty.LIKELY
    assert "--direct URL" in finding.advice[-1]


def test_a_proxy_that_holds_back_what_it_compresses_is_told_apart(before: dict[str, int]) -> None:
    """T-04: small lists pass and uncompressed streams too; hosts accept gzip and see nothing."""
    (finding,) = _diagnose(before["compressing"]).findings

    assert finding.sentence == "a proxy between here and the connector compresses event streams and holds them back"
    assert any(fact.startswith("the same stream uncompressed: first byte after ") for fact in finding.facts)


def test_heartbeats_that_come_together_betray_a_proxy(before: dict[str, int]) -> None:
    """T-04: HAProxy names itself in no header; three heartbeats a second apart arrive with the answer."""
    found = _diagnose(before["waiting"], examples={"rest": Example(arguments={"seconds": 4}, is_slow=True)})
    slow = _of(found, "slow call")

    assert _said(found)["slow call"] == "finding: a proxy between here and the connector buffers replies"
    assert (slow.suspects, slow.certainty) == ((Suspect.EDGE,), Certainty.CERTAIN)
    assert "HAProxy: no `http-response wait-for-body` for this backend." in slow.advice


def test_heartbeats_that_come_one_by_one_hold(behind: dict[str, int]) -> None:
    """CT-15: straight to the connector."""
    found = _diagnose(behind[BRISK], examples={"rest": Example(arguments={"seconds": 3}, is_slow=True)})

    assert _said(found)["slow call"].startswith("holds: delivered after ")


def test_a_silent_call_that_is_cut_is_a_finding(before: dict[str, int]) -> None:
    """T-03: a plain server says nothing for 15 s, the proxy waits for one."""
    found = _diagnose(before["impatient"], examples={"rest": Example(arguments={"seconds": 3}, is_slow=True)})

    assert _said(found)["slow call"].startswith("finding: a slow call is lost: answered 504 after ")
    assert _of(found, "slow call").incidents == ("T-03",)


def test_a_server_that_is_silent_itself_is_not_blamed_on_a_proxy(behind: dict[str, int]) -> None:
    """T-01: mcp 2.3.0 announces the stream and sends nothing on it for 15 s."""
    (finding,) = _diagnose(behind[PLAIN_EVENTS], direct=_url(behind[PLAIN_EVENTS])).findings

    assert finding.sentence == "the connector opens a stream and sends nothing on it at once"
    assert finding.suspects == (Suspect.CONNECTOR,)


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [
        (b"HTTP/1.1 200 OK", "a proxy between here and the connector buffers event streams"),
        (
            b": open",
            (
                "a stream stays silent too long: either a proxy between here and the connector buffers event streams, "
                "or the connector sends nothing"
            ),
        ),
    ],
    ids=["from the status on", "from the body on"],
)
def test_what_is_held_back_decides_how_far_it_goes(behind: dict[str, int], mark: bytes, sentence: str) -> None:
    """Ours: servers that open a stream announce it, so withheld headers speak against a proxy."""

    async def through() -> Diagnosis:
        async with chaos(behind[CONNECTOR], Hoard(mark)) as port:
            return await diagnose(Target(name="held", url=_url(port)), patience=QUICK)

    assert [finding.sentence for finding in asyncio.run(through()).findings] == [sentence]


def test_an_error_page_of_the_edge_is_a_finding(before: dict[str, int], behind: dict[str, int]) -> None:
    """P-19: the connector's log is empty, and the edge answers for it."""
    found = _diagnose(before["down"], direct=_url(behind[CONNECTOR]))
    finding = _of(found, "reach")

    assert finding.sentence == "what answers a small call is not an MCP server (502)"
    assert finding.suspects == (Suspect.EDGE,)
    assert "proxy" in found.verdict.sentence


def test_an_unreachable_target_is_no_verdict() -> None:
    """DESIGN section 2: exit code 2."""
    found = _diagnose(free_ports(1)[0])

    assert found.exit_code == 2
    assert as_lines(found)[-1] == "nothing could be judged"


@pytest.fixture
def schema() -> Draft202012Validator:
    """The published schema."""
    text = files("contract_tests.diagnosis").joinpath("diagnosis.schema.json").read_text()
    Draft202012Validator.check_schema(json.loads(text))
    return Draft202012Validator(json.loads(text), format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("site", ["passing", "buffering", "down"])
def test_the_json_is_what_the_schema_publishes(before: dict[str, int], schema: Draft202012Validator, site: str) -> None:
    """Issue 3: `--json` with a schema."""
    written = json.loads(json.dumps(document(_diagnose(before[site]))))

    assert [error.message for error in schema.iter_errors(written)] == []
    written["evidence"][0]["verdict"] = "perhaps"
    del written["summary"]["exit_code"]
    assert len(list(schema.iter_errors(written))) == 2


def test_no_credential_is_repeated(before: dict[str, int]) -> None:
    """Ours: not the header's, not one in the address."""
    url = f"http://user:{SECRET}@127.0.0.1:{before['buffering']}/mcp?access_token={SECRET}"
    found = asyncio.run(
        diagnose(
            Target(name=url, url=url), headers=(("Authorization", f"Bearer {SECRET}"),), direct=url, patience=QUICK
        )
    )

    assert SECRET not in "\n".join(as_lines(found)) + json.dumps(document(found))


@pytest.fixture
def ballast(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """The command, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, ["diagnose", *words])


def test_the_command_prints_the_evidence_and_writes_it(
    ballast: Callable[..., Any], before: dict[str, int], behind: dict[str, int], tmp_path: Path
) -> None:
    """DESIGN section 2: `mcp-ballast diagnose TARGET [--json F]`, exit code 1 for a finding."""
    url = _url(before["buffering"])
    done = ballast(
        url, "--direct", f"http://127.0.0.1:{behind[ON_H11]}", "--json", "out/found.json", "--patience", "1.5"
    )

    assert done.exit_code == 1, done.output
    assert done.output.splitlines()[0] == url
    assert "  FINDING      buffering: a proxy between here and the connector buffers event streams" in done.output
    assert json.loads((tmp_path / "out" / "found.json").read_text())["summary"]["findings"] == 1


def test_the_command_reads_the_slow_tool_from_the_configuration(
    ballast: Callable[..., Any], behind: dict[str, int], tmp_path: Path
) -> None:
    """Ours: as `mcp-ballast test` does."""
    (tmp_path / "ballast.toml").write_text("[tools.rest]\nslow = true\narguments = {seconds = 1.5}\n")
    done = ballast(_url(behind[BRISK]), "--patience", "1.5")

    assert done.exit_code == 0, done.output
    assert "  holds        slow call: delivered after 1." in done.output


@pytest.mark.parametrize(
    "words", [("http://127.0.0.1:1/mcp",), (), ("nowhere.py",), ("http://127.0.0.1:1", "--direct", "x")]
)
def test_what_cannot_be_asked_exits_with_2(ballast: Callable[..., Any], words: tuple[str, ...]) -> None:
    """DESIGN section 2: 2 for usage or an unreachable target."""
    assert ballast(*words).exit_code == 2
