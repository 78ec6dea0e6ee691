"""The registration endpoint (RFC 7591). Acts on what `clients.registration` decides. Stores nothing."""

from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from ..noticed import Kind, Where
from .clients.redirects import RedirectRule
from .clients.registration import narrowed, unknown_in
from .limits import Throttle
from .office import Office, address_of
from .reading import body_of, json_object
from .refused import Refused, too_many
from .replies import json_reply

_KINDS: Final = {"member": Kind.MEMBER, "grant": Kind.GRANT, "scope": Kind.SCOPE, "auth method": Kind.AUTH_METHOD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
    """The registration endpoint."""

    office: Office
    rules: tuple[RedirectRule, ...]
    throttle: Throttle

    async def __call__(self, request: Request) -> Response:
        """POST `/register`.

        Raises:
            Refused: Too many from one address, no JSON object, or nowhere to send a code to.
        """
        wait = self.throttle.wait(address_of(request))
        if wait is not None:
            raise too_many(wait)
        said = json_object(await body_of(request, error="invalid_client_metadata"))
        if said is None:
            raise Refused("invalid_client_metadata", "The body is not a JSON object; send the client's metadata")
        for kind, name in unknown_in(said, self.office.offer.scopes):
            self.office.see(_KINDS[kind], Where.REGISTRATION, name)
        registration = narrowed(said, rules=self.rules, scopes=self.office.offer.scopes)
        client = self.office.clients.admit(registration)
        answer: dict[str, Any] = {"client_id": client.client_id, "client_id_issued_at": int(self.office.now())}
        if client.secret is not None:
            answer |= {"client_secret": client.secret, "client_secret_expires_at": 0}
        return json_reply(answer | registration.members(), status=201)
