"""Fetches what a stranger names, without letting the stranger use this server as a tool (SSRF).

No redirects, no proxies from the environment, no compression; size and time are bounded. Which address may be called is
decided in `connector.reaching`. Knows nothing of what is fetched.
"""

import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

import anyio
import httpx2

from ....errors import BallastError
from ....reaching import Forbidden, Lost, Resolve, aimed, checked_addresses, resolve

_MAX_AGE: Final = re.compile(r"max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


class Unreachable(BallastError):
    """It could not be fetched now; it may be later."""


class Unfetchable(BallastError):
    """It is not to be had: a forbidden address, or an answer that is no document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was fetched. `max_age` is how many seconds its sender lets it be kept; None if it says nothing."""

    body: bytes
    max_age: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Fetches documents. `loopback` also admits this machine, and plain http to it: for development.

    `timeout` is seconds for everything, the name included; `most` is bytes. `trust` replaces the system's certificates.
    """

    loopback: bool = False
    timeout: float = 5.0
    most: int = 64 * 1024
    resolve: Resolve = resolve
    trust: ssl.SSLContext | None = None

    async def fetch(self, url: str) -> Fetched:
        """GET `url`.

        Raises:
            Unreachable: No answer in time, or a server that has trouble.
            Unfetchable: It may not be called, or what it answers is no document.
        """
        try:
            with anyio.fail_after(self.timeout):
                return await self._fetch(url, urlsplit(url))
        except TimeoutError:
            raise Unreachable(f"no answer within {self.timeout:g} s") from None

    async def _fetch(self, url: str, parts: SplitResult) -> Fetched:
        addresses = await self._addresses(parts)
        async with httpx2.AsyncClient(
            verify=self.trust or True, trust_env=False, follow_redirects=False, timeout=self.timeout
        ) as client:
            for address in addresses:
                try:
                    return await self._get(client, url, parts, address)
                except (httpx2.ConnectError, httpx2.ConnectTimeout):
                    continue
                except httpx2.HTTPError as failed:
                    raise Unreachable(f"the answer broke off ({type(failed).__name__})") from None
        raise Unreachable("no connection")

    async def _addresses(self, parts: SplitResult) -> Sequence[str]:
        try:
            return await checked_addresses(parts, loopback=self.loopback, resolve=self.resolve)
        except Forbidden as refused:
            raise Unfetchable(str(refused)) from None
        except Lost as failed:
            raise Unreachable(str(failed)) from None

    async def _get(self, client: httpx2.AsyncClient, url: str, parts: SplitResult, address: str) -> Fetched:
        aim = aimed(url, parts, address)
        headers = {**aim.headers, "Accept": "application/json"}
        async with client.stream("GET", aim.url, headers=headers, extensions=aim.extensions) as answer:
            _check(answer)
            body = b""
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > self.most:
                    raise Unfetchable(f"it is larger than {self.most} bytes")
            return Fetched(body=body, max_age=_max_age(answer.headers.get("cache-control", "")))


def _check(answer: httpx2.Response) -> None:
    if answer.status_code >= 500 or answer.status_code in {403, 408, 425, 429}:  # noqa: PLR2004 403: some hosts block data centres
        raise Unreachable(f"it answers {answer.status_code}")
    if answer.status_code != 200:  # noqa: PLR2004
        raise Unfetchable(f"it answers {answer.status_code}; redirects are not followed")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise Unfetchable("it is compressed although nobody asked")


def _max_age(said: str) -> float | None:
    if "no-store" in said or "no-cache" in said:
        return 0.0
    found = _MAX_AGE.search(said)
    return float(found[1]) if found else None
