"""Certificates as hosts judge them: authorities made here, on loopback."""

import asyncio
from pathlib import Path

import pytest

from contract_tests.diagnosis import Culprit, diagnose
from contract_tests.diagnosis.outside.connecting import connect
from contract_tests.target.target import Target
from tests.diagnosis.certificates import Signed, greeting, signed
from tests.proxies.processes import free_ports

ROOT = signed("root", is_authority=True)
BETWEEN = signed("between", by=ROOT, is_authority=True)


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts the root and nobody else."""
    file = tmp_path / "root.pem"
    file.write_bytes(ROOT.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


@pytest.mark.parametrize(
    ("chain", "answer"),
    [
        ([signed("good", by=ROOT)], "good"),
        ([signed("whole chain", by=BETWEEN), BETWEEN], "good"),
        ([signed("ends soon", by=ROOT, days=10)], "ends-soon"),
        ([signed("ended", by=ROOT, days=-2)], "expired"),
        ([signed("begins later", by=ROOT, since=2)], "not-yet"),
        ([signed("another", by=ROOT, hosts=["elsewhere.example"])], "other-name"),
        ([signed("one link missing", by=BETWEEN)], "incomplete"),
        ([signed("alone")], "self-made"),
        ([signed("of a stranger", by=signed("stranger", is_authority=True))], "incomplete"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.usefixtures("trusted")
def test_a_certificate_is_judged_as_hosts_judge_it(chain: list[Signed], answer: str, tmp_path: Path) -> None:
    """Issue 7, item 4: expiry, chain, name."""
    with greeting(chain, tmp_path) as port:
        found = asyncio.run(connect(f"https://127.0.0.1:{port}/mcp"))

    assert (found.certificate, found.reach) == (answer, "")
    assert found.fact


def test_an_expired_certificate_is_the_edges_and_a_finding(tmp_path: Path) -> None:
    """P-25's class: nothing reaches the connector; the diagnosis says until when it was valid."""
    ended = signed("ended", by=ROOT, days=-2, hosts=["127.0.0.1", "connector.example"])
    with greeting([ended], tmp_path) as port:
        url = f"https://127.0.0.1:{port}/mcp"
        found = asyncio.run(diagnose(Target(name=url, url=url)))

    assert (found.verdict.culprit, found.exit_code) == (Culprit.EDGE, 1)
    assert "connector.example" in "".join(found.findings[0].facts)


@pytest.mark.parametrize(
    ("url", "reach"),
    [("http://no-such-host.invalid/mcp", "name-unknown"), ("http://127.0.0.1:{port}/mcp", "refused")],
)
def test_what_does_not_even_connect_is_told_apart(url: str, reach: str) -> None:
    """Issue 7, item 4: DNS and refused connections."""
    found = asyncio.run(connect(url.format(port=free_ports(1)[0])))

    assert (found.reach, found.certificate) == (reach, "")
