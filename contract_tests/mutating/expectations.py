"""What a changed step may answer where it need not answer as before: the refusals that a revision or an RFC allows.

Never among them: 5xx, an HTML page, silence, or a dead connection.
"""

from dataclasses import replace
from typing import Any, Final

from ..notation.session import Check, Expect

_CODE: Final = ("error", "code")
UNSUPPORTED_VERSION: Final = -32022
HEADER_MISMATCH: Final = -32020
_METHOD_NOT_FOUND: Final = -32601
_INVALID_PARAMS: Final = -32602

# JSON-RPC carries errors with 200; 400 and 404 are what the revisions say; 401 and 403 where a token is missing.
_CLIENT_ERRORS: Final = (200, 400, 401, 403, 404, 405, 422)


def refusal(*codes: int, name: str = "a refusal as a JSON-RPC error", status: tuple[int, ...] = (200, 400)) -> Expect:
    """A refusal as JSON-RPC writes it; any code unless some are given."""
    check = Check(at=_CODE, operator="type", operand="integer")
    if codes:
        check = Check(at=_CODE, operator="one_of", operand=list(codes))
    return Expect(name=name, status=status, media_not=("text/html",), json=(check,))


def challenge() -> Expect:
    """The challenge of a target that is protected."""
    header = Check(at=("WWW-Authenticate",), operator="present", operand=True)
    return Expect(name="a challenge for a token", status=(401,), headers=(header,))


def or_as_before(expect: Expect, *others: Expect) -> Expect:
    """What the step answered before, or one of the others."""
    before = replace(expect, name="the answer to the request without the change")
    return Expect(ending=expect.ending, any_of=(before, *others))


UNKNOWN_METHOD: Final = Expect(
    any_of=(
        refusal(
            _METHOD_NOT_FOUND,
            name="-32601 (HTTP 200, 400 or 404)",
            status=(200, 400, 404),
        ),
        refusal(
            name="HTTP 400 or 404 with another JSON-RPC error: no session, no envelope, no such revision",
            status=(400, 404),
        ),
        challenge(),
    )
)
"""Answers to a method that nobody has published."""

UNKNOWN_NOTIFICATION: Final = Expect(
    any_of=(
        Expect(name="202 or 204 without a body", status=(202, 204), body="empty"),
        refusal(name="HTTP 400 or 404 with a JSON-RPC error: no session, or no notifications", status=(400, 404)),
        challenge(),
    )
)
"""Answers to a notification that nobody has published."""

OLD_VERSION: Final = refusal(
    UNSUPPORTED_VERSION, name="-32022 with the versions that are spoken (HTTP 400)", status=(400,)
)
LEGACY_VERSION: Final = refusal(name="HTTP 400 with a JSON-RPC error", status=(400,))
MISMATCH: Final = Expect(
    any_of=(
        refusal(HEADER_MISMATCH, name="-32020, for header and body differ (HTTP 400)", status=(400,)),
        OLD_VERSION,
        challenge(),
    )
)
BAD_PARAMS: Final = refusal(_INVALID_PARAMS, name="-32602 (HTTP 200 or 400)")
OTHER_ORIGIN: Final = Expect(name="403 for an Origin that is not allowed", status=(403,), media_not=("text/html",))


def oauth_refusal(*errors: str) -> Expect:
    """A refusal as RFC 6749 and RFC 7591 write it."""
    check: dict[str, Any] = {"operator": "type", "operand": "string"}
    if errors:
        check = {"operator": "one_of", "operand": list(errors)}
    name = f"400 with {' or '.join(errors) or 'an OAuth error'}"
    return Expect(name=name, status=(400, 401), media=("application/json",), json=(Check(at=("error",), **check),))
