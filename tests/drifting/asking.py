"""`Asked`: one request of the simulated platform, with the time it is made and how the client behaves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from connector.recorder.shape import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request before it is sent. `at` is seconds since 1970; `cut` is when the client leaves; `who` is nobody's name.

    `code` says that the answer carries an authorization code, or that a code becomes a token here.
    """

    at: float
    verb: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    who: str = ""
    cut: float | None = None
    is_retry: bool = False
    together: int = 1
    code: str = ""

    @property
    def method(self) -> str:
        """The JSON-RPC method; empty without one."""
        return str(self.json.get("method", "")) if isinstance(self.json, dict) else ""

    def body(self) -> bytes | None:
        """The body as it is on the wire."""
        if self.form is not None:
            return urlencode(self.form).encode()
        return None if self.json is None else json.dumps(self.json).encode()

    def seen(self) -> Seen:
        """The request as a connector sees it."""
        return Seen(
            verb=self.verb,
            path=self.path,
            query=urlencode(self.query),
            headers=tuple(self.headers.items()),
            body=self.body() if self.verb != "GET" else b"",
        )
