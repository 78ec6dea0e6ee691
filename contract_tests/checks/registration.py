"""CT-22: registration replaces what it does not support; what it refuses it refuses as RFC 7591 says."""

from datetime import date
from http import HTTPStatus
from typing import Any, Final

from ..judging.reply import Reply
from ..replay.territory import LeadsElsewhere
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry
from .registrations import SEEN, base, hostile

_REGISTERED: Final[dict[str, Any]] = {
    "name": "a registration, narrowed if need be",
    "status": [201],
    "media": ["application/json"],
    "json": [
        {"at": "client_id", "type": "string"},
        {"at": "redirect_uris", "min_items": 1, "default": ["as asked"]},
    ],
}
_REFUSED: Final[dict[str, Any]] = {
    "name": "a refusal as RFC 7591 writes it",
    "status": [400],
    "media": ["application/json"],
    "json": [{"at": "error", "matches": "^[a-z_]+$"}],
}


async def ask(inquiry: Inquiry) -> None:
    """Send every body; a server that limits how many clients register is left alone from then on."""
    endpoints = await inquiry.endpoints()
    if not endpoints.registration:
        raise CannotBeChecked("the authorization server offers no dynamic registration")
    bodies = [(name, {**base(number), **change}, _REGISTERED) for number, (name, change) in enumerate(SEEN.items())]
    either = {"any_of": [_REGISTERED, _REFUSED]}
    bodies += [(name, body, either) for name, body in hostile()]
    for number, (name, body, expect) in enumerate(bodies):
        try:
            request = inquiry.agent.json(endpoints.registration, body)
        except LeadsElsewhere as outside:
            raise CannotBeChecked(str(outside)) from outside
        reply = await inquiry.ask(name, request, {"any_of": [expect, _LIMITED]} if number else expect)
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            sent = f"{number} of {len(bodies)} bodies were sent"
            raise CannotBeChecked(f"it limits registrations ({sent}): raise the limit of an instance for tests")
        _refuse_nothing(inquiry, reply)


_LIMITED: Final[dict[str, Any]] = {"name": "429, too many", "status": [429]}


def _refuse_nothing(inquiry: Inquiry, reply: Reply) -> None:
    """An answer with null or an empty string in it breaks the clients that parse it strictly."""
    if reply.status != HTTPStatus.CREATED or not isinstance(reply.message, dict):
        return
    empty = sorted(member for member, value in reply.message.items() if value is None or value == "")
    if empty:
        inquiry.complain(
            where=", ".join(empty),
            expected="to be absent or to have a value",
            actual="null or an empty string",
            advice="Leave members without a value out of the answer; strict clients reject null and empty addresses.",
            incidents=("O-08", "CT-22"),
        )


CT_22: Final = Contract(
    id="CT-22",
    title="Registration takes sixty bodies of many shapes, and never fails",
    about=(
        "Hosts add members, grants and scopes without notice. RFC 7591, 3.2.1, says to replace what is not supported; "
        "a refusal is 400 with an error code. 422 and 500 were read as 'does not support registration'."
    ),
    incidents=("P-28", "O-08", "O-12", "O-16", "CT-22"),
    severity="critical",
    advice="Register the client with what you support of it; refuse what cannot be registered with 400 and a code.",
    source="RFC 7591, 3.2; modelcontextprotocol/python-sdk issue 1379, garrytan/gbrain pull 3819",
    seen=date(2026, 8, 5),
    expires=date(2027, 8, 5),
    residue="up to sixty registered clients",
    ask=ask,
)
