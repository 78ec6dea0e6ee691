"""The authorization endpoint: verifies who asks and where the answer goes, then has a person decide.

Whom it cannot verify it tells on a page, never by a redirect. Everybody else gets every answer by redirect, with `iss`
(RFC 9207), so that no client takes it for another server's.
"""

from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...errors import StoreUnavailable
from ..noticed import Kind, Where
from .grants.codes import Consent
from .office import Office
from .people.approval import Approval, Denial, Wish
from .people.asking import Asking
from .reading import Parameters, form_of, parameters_of
from .refused import Refused, not_now
from .replies import Endpoint, refusal
from .wishing import KNOWN, answer_url, redirect_of, wish_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizing:
    """The authorization endpoint, and the form on its page."""

    office: Office
    asking: Asking

    async def ask(self, request: Request) -> Response:
        """GET or POST `/authorize`."""
        return await self._told(request, self._ask)

    async def answer(self, request: Request) -> Response:
        """POST of the form on the page."""
        return await self._told(request, self._answer)

    async def _told(self, request: Request, serve: Endpoint) -> Response:
        """What `serve` answers, or why it cannot."""
        try:
            return await serve(request)
        except Refused as refused:
            return self._stopped(request, refused)
        except StoreUnavailable:
            return self._stopped(request, not_now("The store cannot answer now; try again"))

    async def _answer(self, request: Request) -> Response:
        asked = await self.asking.answered(request)
        if isinstance(asked, Response):
            return asked
        reply = await self._decided(*asked)
        reply.status_code = 303  # the browser comes with a POST, and must not bring it to the client
        return reply

    async def _ask(self, request: Request) -> Response:
        parameters = (
            await form_of(request) if request.method == "POST" else parameters_of(request.scope["query_string"])
        )
        client_id = parameters["client_id"]
        if client_id is None:
            raise Refused("invalid_request", "client_id is missing")
        client = await self.office.clients.find(client_id, admit=self.office.admitting(request))
        redirect_uri = redirect_of(client, parameters)
        try:
            wish = wish_of(client, redirect_uri, parameters, self.office.offer)
        except Refused as refused:
            return self._redirect(redirect_uri, parameters.all("state")[:1], refused.members())
        self._note(parameters)
        answer = await self.asking.ask(request, wish)
        return answer if isinstance(answer, Response) else await self._decided(wish, answer)

    async def _decided(self, wish: Wish, decision: Approval | Denial) -> Response:
        state = () if wish.state is None else (wish.state,)
        if isinstance(decision, Approval) and decision.scopes is not None:
            wish = replace(wish, scopes=tuple(each for each in wish.scopes if each in decision.scopes))
        if isinstance(decision, Denial) or not wish.scopes:
            denied = Refused("access_denied", "The person did not allow it")
            return self._redirect(wish.redirect_uri, state, denied.members())
        code = await self._code(wish, decision.subject)
        return self._redirect(wish.redirect_uri, state, {"code": code})

    async def _code(self, wish: Wish, subject: str) -> str:
        office, code = self.office, self.office.tokens.new_code()
        consent = Consent(
            client_id=wish.client.client_id,
            redirect_uri=wish.redirect_uri,
            challenge=wish.challenge,
            subject=subject,
            scopes=wish.scopes,
            resource=wish.resource,
            expires_at=office.now() + office.lifetimes.code,
        )
        await office.codes.keep(code, consent, seconds=office.lifetimes.code)
        return code

    def _redirect(self, redirect_uri: str, state: tuple[str, ...], said: dict[str, str]) -> Response:
        answer = {**said, "state": state[0] if state else None, "iss": self.office.issuer}
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        reply = RedirectResponse("/", status_code=302, headers=headers)
        reply.headers["Location"] = answer_url(redirect_uri, answer)  # as it is: RedirectResponse would spell it anew
        return reply

    def _stopped(self, request: Request, refused: Refused) -> Response:
        """A page for a person, JSON for a program. What may go better later is JSON for both: programs retry."""
        is_person = "text/html" in request.headers.get("accept", "")
        is_later = refused.status == 503  # noqa: PLR2004
        return self.asking.pages.stopped(refused) if is_person and not is_later else refusal(refused)

    def _note(self, parameters: Parameters) -> None:
        for name in parameters.besides(KNOWN):
            self.office.see(Kind.PARAMETER, Where.AUTHORIZE, name)
        for scope in self.office.offer.unknown(parameters["scope"]):
            self.office.see(Kind.SCOPE, Where.AUTHORIZE, scope)
