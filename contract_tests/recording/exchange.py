"""`Exchange`: one request and its reply as they were on the wire, secrets included. It never leaves memory.

What is written is made of it by `steps`; nothing else may take its place in a file, a log or an error message.
"""

from dataclasses import dataclass, field

from ..judging.reply import Reply, read_reply
from ..notation.session import MISSING
from ..outcome import Ending, Received

Headers = tuple[tuple[str, str], ...]

MOST_BYTES = 8 * 1024 * 1024
"""Bytes of a body that are kept to be redacted: far above what hosts send. All bytes are passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What was asked and what came. Times are seconds; `started` counts from the beginning of the recording.

    `target` is the request's path and query as it was sent, `client` the peer's address. A body that was too long to
    keep, or that a HAR file left out, is None.
    """

    method: str
    target: str = field(repr=False)
    headers: Headers = field(default=(), repr=False)
    body: bytes | None = field(default=b"", repr=False)
    status: int | None = None
    reply_headers: Headers = field(default=(), repr=False)
    reply_body: bytes | None = field(default=b"", repr=False)
    ending: Ending = Ending.COMPLETE
    started: float = 0.0
    duration: float = 0.0
    first_byte: float | None = None
    longest_gap: float | None = None
    client: str = ""

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str:
        """A header of the request; empty without one."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def reply_header(self, name: str) -> str:
        """A header of the reply; empty without one."""
        return next((value for key, value in self.reply_headers if key.lower() == name), "")

    def reply(self, request_id: object = MISSING) -> Reply:
        """The reply as the matchers will see it when it is played again."""
        return read_reply(
            Received(
                status=self.status,
                headers=self.reply_headers,
                body=(self.reply_body or b"").decode("utf-8", "replace"),
                chunks=(),
                ending=self.ending,
                duration=self.duration,
                first_byte=self.first_byte,
                longest_gap=self.longest_gap or 0.0,
            ),
            request_id=request_id,
        )
