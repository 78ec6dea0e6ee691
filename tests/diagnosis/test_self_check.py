"""The connector's question to its own public URL: do heartbeats get through?"""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import Connector
from connector.http.selfcheck import probe_public_stream
from tests.loopback import Serve
from tests.proxies.backends import CONNECTOR, ON_H11, serving
from tests.proxies.chaos import Hoard, chaos
from tests.proxies.front import Site
from tests.proxies.nginx import nginx
from tests.proxies.processes import free_ports
from tests.proxies.rows import DEAF, GZIP, UPSTREAM_1_1

QUICK = 1.5


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """URLs of connectors behind nginx, which is told to buffer in two ways and not to in a third."""
    folder: Path = tmp_path_factory.mktemp("nginx")
    with serving({"httptools": CONNECTOR, "h11": ON_H11}, folder) as behind:
        wanted = {
            "passing": Site(lines=UPSTREAM_1_1, behind=behind["httptools"]),
            "compressing": Site(lines=(*UPSTREAM_1_1, *GZIP, DEAF), behind=behind["httptools"]),
            "buffering": Site(lines=(DEAF,), behind=behind["h11"]),
        }
        with nginx(wanted, folder) as ports:
            yield {name: f"http://127.0.0.1:{port}/mcp" for name, port in ports.items()}


@pytest.mark.parametrize("site", ["compressing", "buffering"])
@pytest.mark.asyncio
async def test_a_proxy_that_buffers_is_named(sites: dict[str, str], site: str) -> None:
    """T-04: nginx deaf to X-Accel-Buffering, once because it compresses, once over HTTP/1.0."""
    said = await probe_public_stream(sites[site], patience=QUICK)

    assert said is not None
    assert said.startswith("A proxy between http://127.0.0.1 and this connector buffers event streams")
    assert "Server: nginx/" in said
    assert "`proxy_buffering off`" in said


@pytest.mark.asyncio
async def test_a_proxy_that_passes_streams_on_is_not_mentioned(sites: dict[str, str]) -> None:
    """T-04: nginx with its default of buffering honours X-Accel-Buffering."""
    assert await probe_public_stream(sites["passing"], patience=QUICK) is None


@pytest.mark.parametrize("mark", [b"HTTP/1.1 200 OK", b": open"], ids=["from the status on", "from the body on"])
@pytest.mark.asyncio
async def test_it_does_not_matter_where_the_proxy_begins_to_hold_back(serve: Serve, mark: bytes) -> None:
    """T-01: some withhold the headers as well, some only the body."""
    port = int(serve(Connector(name="quiet")).rpartition(":")[2])
    async with chaos(port, Hoard(mark)) as public:
        assert await probe_public_stream(f"http://127.0.0.1:{public}/mcp", patience=QUICK) is not None


@pytest.mark.asyncio
async def test_what_is_no_stream_is_no_finding(serve: Serve) -> None:
    """Ours: another server, another path or a door that wants a token cannot be judged."""
    assert await probe_public_stream(f"{serve(Connector(name='quiet'))}/elsewhere", patience=QUICK) is None


@pytest.mark.asyncio
async def test_an_unreachable_public_url_is_no_finding_and_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    """Ours: from inside a container the public name often leads nowhere."""
    (port,) = free_ports(1)
    with caplog.at_level(logging.INFO):
        said = await probe_public_stream(f"http://127.0.0.1:{port}/mcp", patience=QUICK, pause=0.01)

    assert said is None
    assert [record for record in caplog.records if record.name.startswith("ballast")] == []


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "http://[::1", "ftp://127.0.0.1/mcp"])
@pytest.mark.asyncio
async def test_a_url_that_cannot_be_fetched_is_no_finding(url: str) -> None:
    """Ours: a check that nobody asked for never raises."""
    assert await probe_public_stream(url, patience=QUICK, pause=0.01) is None


@pytest.mark.asyncio
async def test_it_can_be_cancelled_while_it_waits(serve: Serve) -> None:
    """Ours: a process that leaves does not wait for a check."""
    port = int(serve(Connector(name="quiet")).rpartition(":")[2])
    async with chaos(port, Hoard()) as public:
        check = asyncio.create_task(probe_public_stream(f"http://127.0.0.1:{public}/mcp", patience=60))
        await asyncio.sleep(0)
        check.cancel()
        with pytest.raises(asyncio.CancelledError):
            await check
