"""Where a stranger's URL leads, and how it is called without making this server a tool of strangers (SSRF).

The name is resolved once, every address is checked, and the connection goes to a checked address: a name that changes
its mind in between changes nothing. Knows nothing of what is fetched, and sends nothing itself.
"""

import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult

import anyio
import httpx2

from .addresses import is_loopback, may_be_called
from .errors import BallastError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

MOST_ADDRESSES: Final = 3
"""Tried before a host counts as unreachable."""

HTTPS, HTTP = 443, 80


class Forbidden(BallastError):
    """Its host is none that may be called, now or later. The message says why, as the rest of a sentence."""


class Lost(BallastError):
    """Its host cannot be looked up now; it may be later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One request to a checked address: the URL that is called, and what makes it the one that was asked for."""

    url: httpx2.URL
    headers: dict[str, str]
    extensions: dict[str, Any]


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system knows them."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


async def checked_addresses(parts: SplitResult, *, loopback: bool, resolve: Resolve = resolve) -> Sequence[str]:
    """At most three addresses of the host of `parts`, all of which may be called.

    Over https those on the public internet; with `loopback` this machine too, over http as well.

    Raises:
        Forbidden: The host does not exist, or one of its addresses may not be called.
        Lost: It cannot be looked up now.
    """
    host = parts.hostname or ""
    try:
        addresses = await resolve(host, parts.port or (HTTPS if parts.scheme == "https" else HTTP))
    except ValueError:  # no IDNA name (UnicodeError), a port that is no number
        raise Forbidden("its host is no name") from None
    except OSError as failed:
        if isinstance(failed, socket.gaierror) and failed.errno in {socket.EAI_NONAME, socket.EAI_FAIL}:
            raise Forbidden("its host does not exist") from None
        raise Lost("its host cannot be looked up now") from None
    if not addresses or not all(_may_call(parts.scheme, address, loopback) for address in addresses):
        raise Forbidden("its address is not on the public internet")
    return addresses[:MOST_ADDRESSES]


def aimed(url: str, parts: SplitResult, address: str) -> Aim:
    """A request for `url` that connects to `address`. Names the host in TLS and in `Host`; names nobody who asks.

    Raises:
        httpx2.InvalidURL: It is no URL.
    """
    target = httpx2.URL(url).copy_with(host=address, userinfo=b"", fragment=None)
    said = {"Host": parts.netloc.rpartition("@")[2], "Accept-Encoding": "identity"}
    return Aim(url=target, headers=said, extensions={"sni_hostname": parts.hostname})


def _may_call(scheme: str, address: str, loopback: bool) -> bool:
    if scheme == "https":
        return may_be_called(address, loopback=loopback)
    return scheme == "http" and loopback and is_loopback(address)
