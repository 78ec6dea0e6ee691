"""A request as it may be written down: every value a placeholder, names and small words of the protocols kept. Pure."""

from collections.abc import Collection
from typing import Any

from .shape import Seen


def sample_of(seen: Seen, *, endpoint: str = "/mcp", scopes: Collection[str] = ()) -> dict[str, Any]:
    """A request from which a session step can be made again.

    `{"verb", "path", "query": [[name, value]], "headers": [[name, value]]}` and one of `"json"` (any JSON), `"form"`
    ([[name, value]]), `"text"` (what cannot be read), or none of the three if there was no body. Equal values have
    equal placeholders (`<token-1>`, `<id-2>`, `<text-3>`); numbers become small numbers by the same rule; booleans
    become true. Members of an object within an argument are left out, as are headers of hops and of the connection.
    """
    raise NotImplementedError
