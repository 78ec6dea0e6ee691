"""From what the user typed to a `Target` that answers: an address as it is, an object served for the time being."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from ..errors import BadTarget
from .application import as_application
from .resolving import resolve
from .serving import served
from .target import Target


@contextmanager
def open_target(target: object, *, path: str = "/mcp") -> Iterator[Target]:
    """Give a target that answers, and stop serving it at the end.

    Args:
        target: an http(s) address; `module:attribute`; `file.py[:attribute]`; or an object: one with `.app()`, an
            MCP server of the SDK or of FastMCP, or an ASGI application.
        path: where an object answers. If it does not, `/` is tried too. An address without a path is tried as it
            is, then with this one.

    Raises:
        BadTarget: it cannot be imported, is missing, is no server, or does not start; the sentence says which.
    """
    if isinstance(target, str) and "://" in target:
        yield _at_address(target, path)
        return
    name = target if isinstance(target, str) else type(target).__name__
    found = resolve(target) if isinstance(target, str) else target
    with served(as_application(found, name=name), name=name) as origin:
        yield Target(
            name=name, url=f"{origin}{path}", otherwise=(f"{origin}/",) if path != "/" else (), pid=os.getpid()
        )


def _at_address(url: str, path: str) -> Target:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadTarget(f"{url} is not an http or https address. Give one such as https://example.com/mcp.")
    if parts.fragment:
        url = url.partition("#")[0]
    if parts.path in {"", "/"} and not parts.query:
        return Target(name=url, url=url, otherwise=(url.rstrip("/") + path,))
    return Target(name=url, url=url)
