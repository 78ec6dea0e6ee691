"""`Shape`: what one request is like, without anything that tells requests of the same kind apart. Pure.

Two requests that differ only in ids, tokens, arguments, numbers or free text have the same shape. It holds no value but
small words of the protocols. Knows nothing of stores, loops or what became of the request.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from ..http.request.surface import Surface, surface_of
from .anatomy.content import DISCOVERY, MCP, OAUTH, OTHER, REDACTED, content_of
from .anatomy.members import members_of
from .anatomy.naming import name_or
from .anatomy.seen import Pairs, Seen
from .anatomy.vocabulary import HOP_PREFIXES, HOPS, TELLING_OF_BROWSERS
from .anatomy.words import client_name, unknown_surface, version_of, words_of

__all__ = ["DISCOVERY", "MCP", "OAUTH", "OTHER", "REDACTED", "Pairs", "Seen", "Shape", "is_hop", "shape_of"]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a request is like.

    `surface`: a value of `connector.http.request.surface.Surface`, or `unknown:<product>` for a client that is in no
    table and calls itself something harmless. `channel`: `mcp`, `oauth`, `discovery` or `other`. `method`: the JSON-RPC
    method, or verb and path (`POST /token`, `GET /.well-known/{}`), or what stands for a body without a method, in
    round brackets. `version`: the protocol version it was sent under, `""` without one. `headers`: names, sorted, in
    lower case, without those that hops add. `members`: place (see `paths`) and JSON type (`string`, `number`,
    `boolean`, `null`, `object`, `array`), sorted; one place can have several types. `values`: small words of the
    protocols by what they say (`accept`, `client`, `grant_type`, ...), sorted. `hops`: names of headers that proxies,
    load balancers and tracing add on the way. They are no part of what the client is like: neither of `id` nor of
    equality.
    """

    surface: str
    channel: str
    method: str
    version: str = ""
    headers: tuple[str, ...] = ()
    members: Pairs = ()
    values: Pairs = ()
    hops: tuple[str, ...] = field(default=(), compare=False)

    @cached_property
    def id(self) -> str:
        """16 hexadecimal digits of the SHA-256 over everything but `hops`, as canonical JSON."""
        said = {name: value for name, value in self.as_json().items() if name != "hops"}
        canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        """As JSON data; pairs become lists of two."""
        return {
            "surface": self.surface,
            "channel": self.channel,
            "method": self.method,
            "version": self.version,
            "headers": list(self.headers),
            "members": [list(pair) for pair in self.members],
            "values": [list(pair) for pair in self.values],
            "hops": list(self.hops),
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Undo `as_json`. Members that are not known are ignored: a newer version may have written it.

        Raises:
            ValueError: Something is missing, or is not what it should be.
        """
        try:
            return cls(
                surface=str(said["surface"]),
                channel=str(said["channel"]),
                method=str(said["method"]),
                version=str(said.get("version", "")),
                headers=tuple(map(str, said.get("headers", ()))),
                members=_pairs(said.get("members", ())),
                values=_pairs(said.get("values", ())),
                hops=tuple(map(str, said.get("hops", ()))),
            )
        except (KeyError, TypeError, ValueError) as trouble:
            raise ValueError(f"This is no shape of a request: {trouble!r}") from trouble


def shape_of(seen: Seen, *, endpoint: str = "/mcp", scopes: Collection[str] = ()) -> Shape:
    """The shape of a request. Never raises for what the request is.

    `endpoint` is the path of the MCP endpoint; `scopes` are the connector's own, which may be said by name.
    """
    content = content_of(seen, endpoint=endpoint)
    agent = seen.header("user-agent")
    name = client_name(content.json)
    surface = surface_of(agent, name)
    is_browser = agent.startswith("Mozilla/")
    version = version_of(seen, content.json)
    names = {key.lower() for key, _ in seen.headers}
    hops = {key for key in names if is_hop(key)}
    own = (names - hops) & TELLING_OF_BROWSERS if is_browser else names - hops
    return Shape(
        surface=unknown_surface(agent) if surface is Surface.OTHER else surface.value,
        channel=content.channel,
        method=content.method,
        version=version,
        headers=_named(own),
        members=members_of(content),
        values=words_of(seen, content, version=version, scopes=scopes, is_browser=is_browser),
        hops=_named(hops),
    )


def is_hop(header: str) -> bool:
    """Whether a header, in lower case, is one that proxies, load balancers and tracing add on the way."""
    return header in HOPS or header.startswith(HOP_PREFIXES)


def _named(headers: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name_or(header, REDACTED) for header in headers}))


def _pairs(said: Any) -> Pairs:
    return tuple((str(first), str(second)) for first, second in said)
