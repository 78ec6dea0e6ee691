"""Whether a session can be checked against a target at all, and why not. Pure."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from ..notation.session import Session
from ..offer.catalogue import Catalogue
from .values import Client


def why_not_checked(
    session: Session, catalogue: Catalogue, client: Client | None, *, has_documents: bool = False
) -> str:
    """Return why a session's needs are not met; empty if they are. A login has to be tried, which is done elsewhere."""
    return why_unmet(session.needs, catalogue, client, has_documents=has_documents)


def why_unmet(
    needs: Iterable[str], catalogue: Catalogue, client: Client | None = None, *, has_documents: bool = False
) -> str:
    """Return why one of these needs is not met; empty if all are."""
    for need in needs:
        if need == "predefined_client":
            reason = _predefined_client(client)
        elif need == "client_document":
            reason = "" if has_documents else _NO_DOCUMENTS
        else:
            reason = _REASONS[need](catalogue)
        if reason:
            return reason
    return ""


def _access(catalogue: Catalogue) -> str:
    return catalogue.trouble if catalogue.is_locked else ""


def _modern(catalogue: Catalogue) -> str:
    """A target that answers neither era is played all the same: what it answers to a host is the finding."""
    is_other_era = catalogue.is_legacy and not catalogue.is_modern
    return _access(catalogue) or ("the target does not speak 2026-07-28" if is_other_era else "")


def _legacy(catalogue: Catalogue) -> str:
    is_other_era = catalogue.is_modern and not catalogue.is_legacy
    return _access(catalogue) or ("the target does not answer initialize" if is_other_era else "")


def _tool(catalogue: Catalogue) -> str:
    return _access(catalogue) or _reason(catalogue.tool())


def _slow_tool(catalogue: Catalogue) -> str:
    return _access(catalogue) or _reason(catalogue.slow_tool())


def _protected_tool(catalogue: Catalogue) -> str:
    return _access(catalogue) or _reason(catalogue.protected_tool())


def _no_oauth(catalogue: Catalogue) -> str:
    return "the target asks for authorization" if not why_no_oauth(catalogue) else ""


def why_no_oauth(catalogue: Catalogue) -> str:
    """Why nothing about OAuth can be checked; empty if it can."""
    asks = catalogue.is_protected or catalogue.publishes_authorization
    return "" if asks else "the target asks for no authorization"


def _predefined_client(client: Client | None) -> str:
    return "" if client else "no client is registered beforehand: give one in ballast.toml, [oauth] client_id = ..."


_NO_DOCUMENTS = (
    "its client document has to be published where the authorization server can read it: see `mcp-ballast "
    'client-documents --help`, then write client_documents = "https://..." under [oauth] in ballast.toml'
)


def _reason(chosen: object) -> str:
    return chosen if isinstance(chosen, str) else ""


_REASONS: Final[Mapping[str, Callable[[Catalogue], str]]] = MappingProxyType(
    {
        "access": _access,
        "modern": _modern,
        "legacy": _legacy,
        "tool": _tool,
        "slow_tool": _slow_tool,
        "protected_tool": _protected_tool,
        "no_oauth": _no_oauth,
        "oauth": why_no_oauth,
        "login": why_no_oauth,
    }
)
