"""`Shape`: what one request is like, without anything that tells requests of the same kind apart. Pure.

Two requests that differ only in ids, tokens, arguments, numbers or free text have the same shape. It holds no value but
small words of the protocols. Knows nothing of stores, loops or what became of the request.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Self

Pairs = tuple[tuple[str, str], ...]

MCP: Final = "mcp"
OAUTH: Final = "oauth"
DISCOVERY: Final = "discovery"
OTHER: Final = "other"
"""The channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it came, secrets included. It never leaves memory.

    `path` is decoded, without the query; `query` is as it was sent, without the question mark. `headers` are pairs of
    texts in the order they came. `body` is None if it was not read, or was too long to be kept.
    """

    verb: str
    path: str
    query: str = field(default="", repr=False)
    headers: Pairs = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)


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
    raise NotImplementedError


def _pairs(said: Any) -> Pairs:
    return tuple((str(first), str(second)) for first, second in said)
