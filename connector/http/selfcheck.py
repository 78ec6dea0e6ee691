"""Asks the public URL, once after start-up, whether heartbeats get through to the outside.

A proxy that buffers event streams cannot be noticed by the server behind it: every write succeeds, and hosts see a dead
connection (incident T-04). So the connector fetches its own idle stream the long way round. It says what it found and
changes nothing; what it cannot find out (no way to its own public URL, a door that wants a token) is not a finding.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

import httpx2

logger = logging.getLogger("ballast.http")

PATIENCE: Final = 8.0
"""Seconds: the first byte of an idle stream is sent at once, and a slow network is done with it long before."""

_ATTEMPTS: Final = 3
_PAUSE: Final = 5.0
"""Seconds between attempts to reach the public URL at all: balancers send nothing until a worker was found ready."""

_AGENT: Final = {"User-Agent": "mcp-ballast (self-check)", "MCP-Protocol-Version": "2025-11-25"}
_PLAIN: Final = {**_AGENT, "Accept": "application/json"}
_STREAM: Final = {**_AGENT, "Accept": "text/event-stream", "Accept-Encoding": "gzip, deflate, br"}

_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reached:
    """An ordinary reply came through: after how many seconds, and who says to have carried it."""

    seconds: float
    carriers: str


async def probe_public_stream(url: str, *, patience: float = PATIENCE, pause: float = _PAUSE) -> str | None:
    """Fetch the idle stream at `url` (the endpoint as people reach it) and say if its first byte does not come.

    Returns None when it comes, and also when nothing can be known: nothing answers, or what answers is no event
    stream. A silence is believed only if it repeats, with an ordinary reply right before each. Takes at most
    about `8 * patience + 4 * pause` seconds, a moment when all is well. Never raises but for its own cancellation;
    sends no credentials.
    """
    limits = httpx2.Timeout(patience)
    try:
        # No proxy from the environment: one on the way out may buffer as well, and is not what hosts come through.
        async with httpx2.AsyncClient(timeout=limits, trust_env=False, follow_redirects=False) as client:
            if await _silence(client, url, patience, pause) is None:
                return None
            reached = await _silence(client, url, patience, pause)
    except Exception as problem:  # noqa: BLE001  # a check that nobody asked for must not break what it checks
        logger.debug("The self-check of the public URL ended with %s", type(problem).__qualname__)
        return None
    return None if reached is None else _sentence(url, reached, patience)


async def _silence(client: httpx2.AsyncClient, url: str, patience: float, pause: float) -> _Reached | None:
    """The ordinary reply that came right before a stream stayed silent; None if either was not so."""
    reached = await _reach(client, url, patience, pause)
    return reached if reached is not None and await _is_silent(client, url, patience) else None


async def _reach(client: httpx2.AsyncClient, url: str, patience: float, pause: float) -> _Reached | None:
    for attempt in range(_ATTEMPTS):
        if attempt:
            await asyncio.sleep(pause)
        since = monotonic()
        try:
            async with asyncio.timeout(patience), client.stream("GET", url, headers=_PLAIN) as reply:
                if reply.status_code < _SERVER_ERROR:
                    return _Reached(seconds=monotonic() - since, carriers=_carriers(reply.headers))
        except (httpx2.TransportError, TimeoutError) as problem:
            logger.debug("The public URL is not reached from here (%s)", type(problem).__qualname__)
    return None


async def _is_silent(client: httpx2.AsyncClient, url: str, patience: float) -> bool:
    """Whether a stream was asked for and not one byte of it came in time. Anything else is no silence."""
    try:
        async with asyncio.timeout(patience), client.stream("GET", url, headers=_STREAM) as reply:
            media = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
            if reply.status_code != httpx2.codes.OK or media != "text/event-stream":
                return False
            async for piece in reply.aiter_raw():
                if piece:
                    return False
    except (TimeoutError, httpx2.ReadTimeout):
        return True
    return False


def _carriers(headers: Mapping[str, str]) -> str:
    said = [f"{name}: {headers[name.lower()]}" for name in ("Server", "Via") if name.lower() in headers]
    return f" ({', '.join(said)})" if said else ""


def _sentence(url: str, reached: _Reached, patience: float) -> str:
    parts = urlsplit(url)
    return (
        f"A proxy between {parts.scheme}://{parts.hostname} and this connector buffers event streams: an ordinary "
        f"reply came through in {reached.seconds:.1f} s{reached.carriers}, the first byte of a stream, which is sent "
        f"at once, not in {patience:g} s. Hosts will take long calls for dead. Let the proxy pass streams on (nginx: "
        "`proxy_buffering off`, no `gzip` for text/event-stream), then ask `mcp-ballast diagnose` for the evidence."
    )
