"""`Seen`: one request as it came. Holds, and decides nothing."""

from dataclasses import dataclass, field

Pairs = tuple[tuple[str, str], ...]


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

    def header(self, name: str) -> str:
        """The last value of a header by its lower-case name; empty without one."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")
