"""Asks authorization servers over HTTP: JSON documents and answers, bounded in size and time. The only client here.

Follows no redirect: a document that is elsewhere has another issuer. Decides nothing about what it fetched.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx2

from .remembered import IssuerUnavailable

TIMEOUT: Final = httpx2.Timeout(5.0)
"""Seconds. Claude gives a whole login step ten."""

MOST: Final = 1024 * 1024
"""Bytes of one document. Entra ID's key sets are about 20 KiB."""

OK: Final = 200


class Outside:
    """A client, made at first use and closed by `aclose`."""

    def __init__(self) -> None:
        self._client: httpx2.AsyncClient | None = None

    async def get(self, url: str) -> dict[str, Any]:
        """The JSON object at `url`.

        Raises:
            IssuerUnavailable: It could not be had: the sentence says why.
        """
        return await self._ask("GET", url)

    async def post(
        self, url: str, form: Mapping[str, str], *, credentials: tuple[str, str] | None = None
    ) -> dict[str, Any]:
        """The JSON object that `url` answers to a form.

        Raises:
            IssuerUnavailable: There was no such answer: the sentence says why, without the form.
        """
        return await self._ask("POST", url, data=dict(form), auth=credentials)

    async def aclose(self) -> None:
        """Close the connections. The next use opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _ask(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        try:
            async with self._open().stream(method, url, **options) as reply:
                if reply.status_code != OK:
                    raise IssuerUnavailable(f"{url} answered {reply.status_code}, expected {OK}.")
                return _object(url, await _body(url, reply))
        except (httpx2.HTTPError, httpx2.InvalidURL, RuntimeError) as failure:
            raise IssuerUnavailable(f"{url} could not be asked ({type(failure).__name__}).") from None

    def _open(self) -> httpx2.AsyncClient:
        if self._client is None:
            accepts = {"Accept": "application/json"}
            self._client = httpx2.AsyncClient(timeout=TIMEOUT, follow_redirects=False, headers=accepts)
        return self._client


async def _body(url: str, reply: httpx2.Response) -> bytes:
    body = b""
    async for part in reply.aiter_bytes():
        body += part
        if len(body) > MOST:
            raise IssuerUnavailable(f"{url} answered more than {MOST} bytes.")
    return body


def _object(url: str, body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise IssuerUnavailable(f"{url} answered no JSON object.")
    return found
