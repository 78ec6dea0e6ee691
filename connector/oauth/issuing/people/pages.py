"""The pages a person sees: the question, and why it cannot be asked. No script, no image, nothing from elsewhere.

Every value is escaped. Nobody may show a page inside another one (clickjacking), keep it, or learn its address.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from ..clients.client import Origin
from ..clients.redirects import place_of
from ..refused import Refused
from .approval import Wish

ANSWER_PATH: Final = "/authorize/answer"

_HERE: Final = Path(__file__).parent

_STYLE: Final = (_HERE / "page.css").read_text(encoding="utf-8")

_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Final = {
    # No form-action: browsers apply it to every redirect after the form, and platforms redirect on from their callback
    # to addresses we cannot know (vscode.dev to a loopback port, others to their own application's scheme).
    # No Cross-Origin-Opener-Policy: platforms open this page in a popup and wait for it.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The pages of one connector. `connector` is how it is called, `scopes` says in words what each scope allows."""

    connector: str
    scopes: Mapping[str, str] = field(default_factory=dict)

    def question(
        self,
        wish: Wish,
        sealed: str,
        *,
        signs_in: bool,
        person: str = "",
        name: str = "",
        problem: str = "",
        status: int = 200,
    ) -> Response:
        """Whether a person allows it. With `signs_in` it also asks who they are."""
        return self._page(
            "consent.html",
            status,
            client=wish.client.name,
            vouched_by=wish.client.host or "",
            is_known=wish.client.origin is Origin.PREDEFINED,
            scopes=self._in_words(wish.scopes),
            place=place_of(wish.redirect_uri),
            action=ANSWER_PATH,
            wish=sealed,
            signs_in=signs_in,
            person=person,
            name=name,
            problem=problem,
        )

    def stopped(self, refused: Refused) -> Response:
        """Why there is no question. Only fixed sentences: nothing of the request is shown."""
        page = self._page(
            "stopped.html",
            refused.status if refused.status != 401 else 400,  # noqa: PLR2004 a 401 would need a challenge
            title="This app cannot be connected",
            reason=str(refused).rstrip("."),
            error=refused.error,
        )
        if refused.retry_after is not None:
            page.headers["Retry-After"] = str(refused.retry_after)
        return page

    def _in_words(self, scopes: Iterable[str]) -> list[str]:
        return [self.scopes.get(scope) or scope for scope in scopes]

    def _page(self, template: str, status: int, **values: object) -> Response:
        text = _TEMPLATES.get_template(template).render(
            style=_STYLE,
            connector=self.connector,
            **values,
        )
        return HTMLResponse(text, status, headers=HEADERS)
