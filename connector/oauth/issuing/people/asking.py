"""Asks a person: finds out who they are, shows the page, and believes only an answer that comes from it.

The form carries the wish sealed. An answer counts once, for some minutes, and only from the browser to which the page
was sent: that one has a cookie that the seal names. A page of somebody else can send neither.
"""

import hmac
import inspect
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ....stores.port import Records
from ..clients.finding import Clients
from ..reading import Parameters, form_of
from ..refused import Refused
from ..sealing import Seal
from .approval import DEVELOPER, Answer, Approval, Approve, Denial, SignedIn, Wish
from .pages import HEADERS, Pages
from .signing_in import People

_KIND: Final = "oauth-answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Asks. Exactly one of `approve` and `people` says who answers. `seconds` is how long a page can be answered."""

    approve: Approve | Literal["everyone"] | None
    people: People | None
    pages: Pages
    clients: Clients
    records: Records
    seal: Seal
    now: Callable[[], float]
    seconds: float
    is_https: bool

    async def ask(self, request: Request, wish: Wish) -> Approval | Denial | Response:
        """What the person says, if it is known already; else the page that asks them, or where they sign in."""
        who = await self._who(request, wish)
        return who if isinstance(who, Approval | Denial | Response) else self._question(request, wish, who)

    async def answered(self, request: Request) -> tuple[Wish, Approval | Denial] | Response:
        """What a person said on the page, and to which wish; or the next page.

        Raises:
            Refused: It cannot be believed: not our page, not this browser, too late, or answered before.
        """
        form = await form_of(request)
        wish, subject, nonce = await self._opened(request, form)
        if form["answer"] == "deny":
            await self._only_once(nonce)
            return wish, Denial()
        if form["answer"] != "allow":
            raise Refused("invalid_request", "The form says neither allow nor deny")
        who = await self._sign_in(request, wish, form) if self.people else await self._who(request, wish)
        assert who is not None, "either approve or people"  # noqa: S101
        if isinstance(who, SignedIn) and who.subject != subject and self.people is None:
            return self._again(wish)
        if isinstance(who, Response):
            return who
        await self._only_once(nonce)
        return wish, Approval(subject=who.subject) if isinstance(who, SignedIn) else who

    async def _who(self, request: Request, wish: Wish) -> Answer | None:
        if self.approve == "everyone":
            return DEVELOPER
        if self.approve is None:
            return None
        answer = self.approve(request, wish)
        answer = await answer if inspect.isawaitable(answer) else answer
        if not isinstance(answer, SignedIn | Approval | Denial | Response):
            kind = type(answer).__name__
            raise TypeError(f"approve() returned a {kind}: return SignedIn, Approval, Denial or a Response")
        return answer

    async def _sign_in(self, request: Request, wish: Wish, form: Parameters) -> SignedIn | Response:
        assert self.people is not None, "only called with people"  # noqa: S101
        name = (form["name"] or "").strip()
        address = request.client.host if request.client is not None else ""
        refused = Refused("access_denied", "Name and password do not fit. Try again", status=403)
        try:
            subject = await self.people.sign_in(name, form["password"] or "", address=address)
        except Refused as raised:
            subject, refused = None, raised
        if subject is not None:
            return SignedIn(subject=subject)
        page = self._question(request, wish, None, name=name[:100], problem=f"{refused}.", status=refused.status)
        if refused.retry_after is not None:
            page.headers["Retry-After"] = str(refused.retry_after)
        return page

    def _question(self, request: Request, wish: Wish, who: SignedIn | None, **shown: Any) -> Response:
        browser = request.cookies.get(self._cookie) or secrets.token_urlsafe(24)
        page = self.pages.question(
            wish,
            self._closed(wish, browser, None if who is None else who.subject),
            signs_in=self.people is not None,
            person="" if who is None else who.shown_as or who.subject,
            **shown,
        )
        page.set_cookie(self._cookie, browser, max_age=3600, secure=self.is_https, httponly=True, samesite="lax")
        return page

    @property
    def _cookie(self) -> str:
        """`__Host-` makes browsers refuse it from other hosts of the domain, and needs https."""
        return "__Host-ballast-consent" if self.is_https else "ballast-consent"

    def _closed(self, wish: Wish, browser: str, subject: str | None) -> str:
        return self.seal.close(
            "wish",
            {
                "client_id": wish.client.client_id,
                "redirect_uri": wish.redirect_uri,
                "state": wish.state,
                "challenge": wish.challenge,
                "scopes": wish.scopes,
                "resource": wish.resource,
                "url": wish.url,
                "subject": subject,
                "browser": self.seal.digest("browser", browser),
                "nonce": secrets.token_urlsafe(16),
                "until": self.now() + self.seconds,
            },
        )

    async def _opened(self, request: Request, form: Parameters) -> tuple[Wish, str | None, str]:
        said: Mapping[str, Any] | None = self.seal.open("wish", form["wish"] or "")
        if said is None:
            raise Refused("invalid_request", "The form is not one of ours")
        if said["until"] < self.now():
            raise Refused("invalid_request", "The page was open for too long")
        browser = request.cookies.get(self._cookie)
        if browser is None or not hmac.compare_digest(self.seal.digest("browser", browser), said["browser"]):
            raise Refused("invalid_request", "The answer does not come from the browser that was asked; allow cookies")
        wish = Wish(
            client=await self.clients.find(said["client_id"]),
            redirect_uri=said["redirect_uri"],
            state=said["state"],
            challenge=said["challenge"],
            scopes=tuple(said["scopes"]),
            resource=said["resource"],
            url=said["url"],
        )
        return wish, said["subject"], said["nonce"]

    async def _only_once(self, nonce: str) -> None:
        key = self.seal.digest("nonce", nonce)
        if await self.records.put(_KIND, key, b"1", expires_in=self.seconds, version=0) is None:
            raise Refused("invalid_request", "This page was answered before")

    def _again(self, wish: Wish) -> Response:
        """Somebody else is signed in than the page said: ask them."""
        return RedirectResponse(wish.url, status_code=303, headers=HEADERS)
