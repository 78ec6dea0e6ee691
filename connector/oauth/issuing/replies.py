"""Answers as OAuth endpoints word them: JSON that nobody keeps, and errors with the right status."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from ...errors import StoreUnavailable
from .refused import Refused, not_now

Endpoint = Callable[[Request], Awaitable[Response]]

_ANY_ORIGIN: Final = {"Access-Control-Allow-Origin": "*"}
"""Inspectors in a browser read these answers. They carry no cookie's authority, so any origin may."""

_UNKEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def json_reply(value: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer that is not kept. Escaped to ASCII: names may hold what UTF-8 cannot encode."""
    said = {"Content-Type": "application/json", **_ANY_ORIGIN, **_UNKEPT, **(headers or {})}
    return Response(json.dumps(value, separators=(",", ":")), status, headers=said)


def refusal(refused: Refused, *, challenge: str | None = None) -> Response:
    """The JSON answer to a request that is refused."""
    headers = {} if refused.retry_after is None else {"Retry-After": str(refused.retry_after)}
    if challenge is not None and refused.status == 401:  # noqa: PLR2004 RFC 6749 section 5.2
        headers["WWW-Authenticate"] = challenge
    return json_reply(refused.members(), status=refused.status, headers=headers)


def answering(endpoint: Endpoint) -> Endpoint:
    """The endpoint, with refusals and a store that cannot answer turned into JSON, and preflights answered."""

    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**_ANY_ORIGIN, **_PREFLIGHT})
        try:
            return await endpoint(request)
        except Refused as refused:
            return refusal(refused, challenge=_challenge(request))
        except StoreUnavailable:
            return refusal(not_now("The store cannot answer now; try again"))

    return answer


_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, MCP-Protocol-Version",
    "Access-Control-Max-Age": "600",
}


def _challenge(request: Request) -> str | None:
    """A client that proved itself by a header is answered by one (RFC 6749 section 5.2); others would see a dialog."""
    return 'Basic realm="token", charset="UTF-8"' if "authorization" in request.headers else None
