"""Fetches one published document, politely and with bounds: conditional, so many seconds, so many bytes, few redirects.

Gives JSON or a reason; knows nothing of what is in it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import anyio
import httpx2

from ...replay.values import is_loopback

LONGEST: Final = 20.0
"""Seconds for one document with its redirects."""
LARGEST: Final = 2 * 1024 * 1024
"""Bytes of one document; the largest that is known has a few thousand."""
_MOST_REDIRECTS: Final = 3
_AGENT: Final = "mcp-ballast-canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came. Exactly one of `content`, `is_unchanged` and `problem` says something.

    `is_gone` says that the problem is the document's own: it is not there any more.
    """

    content: Any = None
    is_unchanged: bool = False
    problem: str = ""
    is_gone: bool = False
    etag: str = ""
    modified: str = ""


async def fetch(client: httpx2.AsyncClient, url: str, known: Mapping[str, Any]) -> Fetched:
    """Fetch a document; `known` is what is remembered of it. Never raises for what the network does."""
    headers = {"User-Agent": _AGENT, "Accept": "application/json"}
    if known.get("url") == url and "content" in known:
        headers |= {"If-None-Match": str(known["etag"])} if known.get("etag") else {}
        headers |= {"If-Modified-Since": str(known["modified"])} if known.get("modified") else {}
    try:
        with anyio.fail_after(LONGEST):
            return await _follow(client, url, headers)
    except TimeoutError:
        return Fetched(problem=f"no complete answer within {LONGEST:g} s")
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        return Fetched(problem=f"{type(problem).__name__}: {problem}".rstrip(": "))


async def _follow(client: httpx2.AsyncClient, url: str, headers: Mapping[str, str]) -> Fetched:
    for _ in range(_MOST_REDIRECTS + 1):
        async with client.stream("GET", url, headers=dict(headers)) as response:
            location = response.headers.get("location", "")
            if not (response.is_redirect and location):
                return await _read(response)
        there = urljoin(url, location)
        if not _may_follow(url, there):
            return Fetched(problem=f"it redirects to {urlsplit(there).scheme}://{urlsplit(there).netloc}: not followed")
        url = there
    return Fetched(problem=f"more than {_MOST_REDIRECTS} redirects")


def _may_follow(here: str, there: str) -> bool:
    """To https, and never from elsewhere to this machine: a document is public, and so is where it moved."""
    if is_loopback(here):
        return is_loopback(there)
    return urlsplit(there).scheme == "https" and not is_loopback(there)


async def _read(response: httpx2.Response) -> Fetched:
    if response.status_code == HTTPStatus.NOT_MODIFIED:
        return Fetched(is_unchanged=True)
    if response.status_code != HTTPStatus.OK:
        is_gone = response.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
        return Fetched(problem=f"status {response.status_code}", is_gone=is_gone)
    body = bytearray()
    async for data in response.aiter_bytes():
        body += data
        if len(body) > LARGEST:
            return Fetched(problem=f"more than {LARGEST} bytes: stopped reading")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        media = response.headers.get("content-type", "no media type").partition(";")[0]
        return Fetched(problem=f"no JSON ({media}, {len(body)} bytes)")
    if not isinstance(content, dict | list):
        return Fetched(problem=f"neither an object nor a list, but {type(content).__name__}")
    return Fetched(
        content=content, etag=response.headers.get("etag", ""), modified=response.headers.get("last-modified", "")
    )
