"""The configuration that docs/proxies.md advises, as it stands there, in real proxies."""

import asyncio
import re
from collections.abc import Iterable, Iterator

import httpx2
import pytest

from tests.proxies.backends import CONNECTOR, ON_H11, serving
from tests.proxies.chaos import EndRequests, chaos
from tests.proxies.client import Seen, call_through, new_client
from tests.proxies.front import Site
from tests.proxies.haproxy import haproxy
from tests.proxies.lighttpd import lighttpd
from tests.proxies.nginx import nginx
from tests.proxies.processes import ROOT
from tests.proxies.rows import DEAF, GZIP

DOCUMENT = (ROOT / "docs" / "proxies.md").read_text()

BREAKING = {
    "nothing else": (CONNECTOR, ()),
    "deaf": (CONNECTOR, (DEAF,)),
    "deaf, before uvicorn on h11": (ON_H11, (DEAF,)),
    "deaf, compressing": (CONNECTOR, (DEAF, *GZIP)),
}


def _advised(language: str) -> list[str]:
    """The lines inside the block of the document, but for those the fixtures write themselves."""
    block = re.search(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert block is not None
    lines = [line.strip() for line in block[1].splitlines() if line.startswith("    ")]
    return [line for line in lines if not line.startswith(("proxy_pass ", "mode ", "server "))]


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """Connectors in processes of their own."""
    with serving({CONNECTOR: CONNECTOR, ON_H11: ON_H11}, tmp_path_factory.mktemp("behind")) as ports:
        yield ports


@pytest.fixture(scope="module")
def through_nginx(behind: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """Ports of nginx as advised, alone and together with what holds streams back."""
    sites = {
        name: Site(lines=(*_advised("nginx"), *more), behind=behind[server])
        for name, (server, more) in BREAKING.items()
    }
    with nginx(sites, tmp_path_factory.mktemp("nginx")) as ports:
        yield ports


@pytest.fixture(scope="module")
def through_haproxy(behind: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of HAProxy as advised."""
    sites = {"advised": Site(lines=_advised("haproxy"), behind=behind[CONNECTOR])}
    with haproxy(sites, tmp_path_factory.mktemp("haproxy")) as ports:
        yield ports["advised"]


def _rest(ports: Iterable[int]) -> list[Seen]:
    """A call that is quiet for 4 s, through all ports at once."""

    async def call() -> list[Seen]:
        async with new_client(limit=30) as client:
            calls = [call_through(client, port, "rest", {"seconds": 4}, era="2026-07-28") for port in ports]
            return await asyncio.gather(*calls)

    return asyncio.run(call())


def test_nginx_as_advised_passes_heartbeats_on(through_nginx: dict[str, int]) -> None:
    """T-04: `proxy_buffering off` helps against everything that was seen to hold streams back."""
    seen = dict(zip(through_nginx, _rest(through_nginx.values()), strict=True))

    assert {name: saw.result for name, saw in seen.items()} == dict.fromkeys(BREAKING, "rested 4 s")
    assert [name for name, saw in seen.items() if saw.first is None or saw.first >= 4] == []


def test_nginx_as_advised_serves_both_spellings_and_large_bodies(through_nginx: dict[str, int]) -> None:
    """T-10: no redirect between /mcp and /mcp/; a body of 3 MB comes through."""
    origin = f"http://127.0.0.1:{through_nginx['nothing else']}"
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": {"pad": "x" * 3_000_000}}}

    assert [httpx2.post(f"{origin}{path}", json=ping).status_code for path in ("/mcp", "/mcp/")] == [200, 200]


def test_lighttpd_as_advised_passes_heartbeats_on(
    behind: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """T-04: by default it holds everything back."""
    streaming, proxied, *_ = re.findall(r"^(server\..*|proxy\..*)$", DOCUMENT, re.MULTILINE)
    option = re.search(r'"read-timeout" => \d+', proxied)
    assert option is not None
    site = Site(lines=(streaming, option[0]), behind=behind[CONNECTOR])
    with lighttpd({"advised": site}, tmp_path_factory.mktemp("lighttpd")) as ports:
        (seen,) = _rest(ports.values())

    assert seen.result == "rested 4 s"
    assert seen.first is not None
    assert seen.first < 4


def test_haproxy_as_advised_passes_heartbeats_on(through_haproxy: int) -> None:
    """T-03: with a health check on /ready."""
    (seen,) = _rest([through_haproxy])

    assert seen.result == "rested 4 s"
    assert seen.first is not None
    assert seen.first < 4


def test_haproxy_serves_a_client_that_half_closes(through_haproxy: int) -> None:
    """Ours: uvicorn alone takes a half-closed connection for a closed one."""

    async def call() -> Seen:
        async with chaos(through_haproxy, EndRequests(b'"seconds":2')) as port, new_client(limit=30) as client:
            return await call_through(client, port, "rest", {"seconds": 2}, era="2025-11-25")

    assert asyncio.run(call()).result == "rested 2 s"
