"""A challenge: what a caller without the right token is told, as a header, as a JSON body and inside a tool's result.

Pure. Decides wording and order of members; refuses to know who gets which form (`admitting` does).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .bridges import IDENTITY_SCOPES

IN_BAND: Final = "mcp/www_authenticate"
"""The result's `_meta` member from which ChatGPT makes its card to link an account (its documentation, "auth")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """Why a caller was not let in, and what would let it in.

    `status` is HTTP's. `error` is RFC 6750's code; None where nothing was sent, because then the RFC wants none.
    `scopes` are what the next token needs, all of them at once: clients join them to what they have.
    """

    status: int
    error: str | None
    description: str
    resource_metadata: str
    scopes: tuple[str, ...] = ()

    @property
    def header(self) -> str:
        """The value of `WWW-Authenticate` (RFC 9728, section 5.1)."""
        return self._worded(self.error, self.description if self.error else None)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body that goes with it."""
        return {
            "error": self.error or "unauthorized",
            "error_description": self.description,
            "resource_metadata": self.resource_metadata,
        }

    def in_band(self) -> dict[str, Any]:
        """The tool's result that says the same to a host that ignores HTTP 401 on a call.

        ChatGPT wants `error` and `error_description` always; its sample says `insufficient_scope` also without a token.
        """
        worded = self._worded(self.error or "insufficient_scope", self.description)
        return {
            "content": [{"type": "text", "text": self.description}],
            "isError": True,
            "_meta": {IN_BAND: [worded]},
        }

    def _worded(self, error: str | None, description: str | None) -> str:
        said = {
            "resource_metadata": self.resource_metadata,
            "scope": " ".join(self.scopes) or None,
            "error": error,
            "error_description": description,
        }
        return "Bearer " + ", ".join(f'{name}="{_quotable(text)}"' for name, text in said.items() if text)


def worth_asking(scopes: Iterable[str]) -> tuple[str, ...]:
    """Scopes for a challenge, in one order, without those of OpenID Connect, which a resource does not ask for."""
    return tuple(sorted(set(scopes) - IDENTITY_SCOPES))


def security_schemes(scopes: Iterable[str], *, anonymous: bool) -> list[dict[str, Any]]:
    """`securitySchemes` of one tool."""
    asked = sorted(set(scopes))
    schemes: list[dict[str, Any]] = [{"type": "noauth"}] if anonymous else []
    return [*schemes, {"type": "oauth2", "scopes": asked}] if asked or not anonymous else schemes


def described(descriptor: Mapping[str, Any], scopes: Iterable[str], *, anonymous: bool) -> dict[str, Any]:
    """A tool's descriptor with its `securitySchemes` in both places where ChatGPT reads them.

    Its card to link an account needs them beside the in-band challenge. What the tool says itself stays.
    """
    schemes = security_schemes(scopes, anonymous=anonymous)
    meta = {"securitySchemes": schemes, **(descriptor.get("_meta") or {})}
    return {"securitySchemes": meta["securitySchemes"], **descriptor, "_meta": meta}


def _quotable(text: str) -> str:
    """`text` inside a quoted string of a header: no quotes, no backslashes, nothing outside visible ASCII."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text)
