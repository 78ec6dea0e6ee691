"""A platform that publishes documents on loopback and keeps what it was asked."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

Answer = Callable[[], Response]


@dataclass(slots=True)
class Publisher:
    """Documents by path: JSON data, or a function that answers. `asked` are path and status, in order."""

    documents: dict[str, Any]
    asked: list[tuple[str, int]] = field(default_factory=list)

    def app(self) -> Starlette:
        """As ASGI."""
        app = Starlette()
        app.add_route("/{path:path}", self._answer)
        return app

    async def _answer(self, request: Request) -> Response:
        found = self.documents.get(request.url.path, lambda: Response(status_code=404))
        response = found() if callable(found) else _document(found, request.headers.get("if-none-match"))
        self.asked.append((request.url.path, response.status_code))
        return response


def _document(content: Any, known: str | None) -> Response:
    body = json.dumps(content).encode()
    etag = f'"{sha256(body).hexdigest()[:16]}"'
    if known == etag:
        return Response(status_code=304)
    return Response(body, media_type="application/json", headers={"ETag": etag})
