"""What a difference in a platform's document means: the first rule whose kind, place and change fit. Data."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..findings import Change, Severity
from .differences import Difference

_CRITICAL, _SERIOUS, _MINOR = Severity.CRITICAL, Severity.SERIOUS, Severity.MINOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A kind of document, a place in it (regular expression), and the kinds of difference that it is about."""

    kind: str
    place: str
    changes: tuple[str, ...]
    severity: Severity | None
    says: str
    advice: str = ""
    incidents: tuple[str, ...] = ()

    def fits(self, kind: str, difference: Difference) -> bool:
        """Whether it speaks of a difference."""
        return (
            self.kind in {kind, "*"}
            and difference.kind in self.changes
            and re.fullmatch(self.place, difference.place) is not None
        )


_ANY: Final = ("added", "removed", "changed")
_GAINED: Final = ("added", "changed")

RULES: Final = (
    Rule(
        kind="client", place=r"token_endpoint_auth_methods?(_supported(\[\])?)?", changes=_ANY, severity=_CRITICAL,
        says="another way for the client to prove who it is at the token endpoint",
        advice="Accept it, or publish methods that leave one both sides know: contracts CT-24 and CT-26.",
        incidents=("P-02",),
    ),
    Rule(
        kind="client", place=r"token_endpoint_auth_signing_alg.*", changes=_ANY, severity=_CRITICAL,
        says="another algorithm for the client's signed assertions",
        advice="Allow it where assertions are verified.", incidents=("P-02",),
    ),
    Rule(
        kind="client", place=r"redirect_uris(\[\])?", changes=_GAINED, severity=_SERIOUS,
        says="another redirect address",
        advice="Let the authorization server's rules for redirects accept it: contract CT-23.",
        incidents=("P-10", "P-11"),
    ),
    Rule(
        kind="client", place=r"redirect_uris(\[\])?", changes=("removed",), severity=_SERIOUS,
        says="a redirect address is gone", advice="Clients that are registered with it will use another.",
        incidents=("P-10",),
    ),
    Rule(
        kind="client", place=r"(client_id|jwks_uri)", changes=_ANY, severity=_CRITICAL,
        says="what identifies the client, or its keys, is another",
        advice="Refresh copies of the document and of the keys; allow-lists that name it need the new one.",
        incidents=("P-02",),
    ),
    Rule(
        kind="client", place=r"(grant_types|response_types|scope|application_type)(\[\])?", changes=_ANY,
        severity=_SERIOUS, says="the client asks for other grants, responses or scopes",
        advice="Answer with the part that you support and never with a refusal: contract CT-22.",
        incidents=("P-28", "O-16"),
    ),
    Rule(kind="client", place=r"(client_name|logo_uri|client_uri|tos_uri|policy_uri)", changes=_ANY, severity=_MINOR,
         says="how the client presents itself"),
    Rule(
        kind="client", place=r".*", changes=("added",), severity=_SERIOUS, says="a member that was not there before",
        advice="Ignore what you do not know: contract CT-24.", incidents=("O-16",),
    ),
    Rule(kind="client", place=r".*", changes=_ANY, severity=_SERIOUS, says="a member of the document is another"),
    Rule(
        kind="keys", place=r"keys\[kid=.*\]\.(n|e|x|y|crv|kty)", changes=_ANY, severity=_CRITICAL,
        says="a key changed under the same id", advice="Drop cached keys: assertions signed with it are refused.",
    ),
    Rule(
        kind="keys", place=r"keys\[\]", changes=("added",), severity=_SERIOUS, says="a new signing key",
        advice="Fetch keys again when an unknown kid comes; a pinned copy ends now.", incidents=("P-02",),
    ),
    Rule(
        kind="keys", place=r"keys\[\]", changes=("removed",), severity=_SERIOUS, says="a signing key is gone",
        advice="Whoever pinned it refuses the platform from now on.", incidents=("P-02",),
    ),
    Rule(kind="keys", place=r".*", changes=_ANY, severity=_SERIOUS, says="the keys are described in another way",
         advice="Check that the algorithm is one you allow."),
    Rule(kind="egress", place=r"(creationTime|syncToken|createDate)", changes=_ANY, severity=None, says="its date"),
    Rule(
        kind="egress", place=r".*\[\]", changes=("added",), severity=_SERIOUS,
        says="the platform calls from another range of addresses",
        advice="Add it wherever addresses are allowed or bot rules make exceptions.", incidents=("P-19",),
    ),
    Rule(kind="egress", place=r".*\[\]", changes=("removed",), severity=_MINOR,
         says="the platform no longer calls from a range of addresses",
         advice="Take it out of what is allowed: it may become somebody else's."),
    Rule(kind="egress", place=r".*", changes=_ANY, severity=_SERIOUS, says="the list has another form",
         advice="Whatever reads it automatically may read nothing now."),
    Rule(kind="*", place=r".*", changes=_ANY, severity=_MINOR, says="the document differs"),
)  # fmt: skip


def changes_of(kind: str, found: Iterable[Difference]) -> tuple[Change, ...]:
    """What differences mean, the worst first; what is none of anybody's business is left out."""
    order = list(Severity)
    changes = [change for difference in found if (change := _change(kind, difference)) is not None]
    return tuple(sorted(changes, key=lambda change: order.index(change.severity)))


def _change(kind: str, difference: Difference) -> Change | None:
    rule = next(rule for rule in RULES if rule.fits(kind, difference))
    if rule.severity is None:
        return None
    return Change(
        place=difference.place,
        sentence=f"{rule.says} ({difference.kind})",
        severity=rule.severity,
        before=difference.before,
        after=difference.after,
        advice=rule.advice,
        incidents=rule.incidents,
    )
