"""Every numbered contract, which of them are meant, and which sessions show those that need no check."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ..notation.corpus import choose
from ..notation.session import Session
from .abandoned import CT_03
from .aborts import CT_31
from .buffering import CT_16
from .client_identification import CT_26
from .connections import CT_06
from .contract import Contract
from .documents import CT_24
from .duplicates import CT_04, CT_05
from .framing import CT_41
from .fuzz import CT_08
from .ids import CT_12
from .media import CT_13
from .meta import CT_09
from .methods import CT_10, CT_11
from .one_string import CT_21
from .only_members import CT_34
from .outside import CT_40
from .pings import CT_42
from .redirects import CT_23
from .registration import CT_22
from .resource_forms import CT_25
from .restart import CT_29
from .revisions import CT_07
from .session_ids import CT_01, CT_02
from .sizes import CT_35
from .slow_calls import CT_15
from .spellings import CT_18, CT_19, CT_43
from .streams import CT_14, CT_33
from .token_binding import CT_28
from .tools import CT_32
from .unaskable import CT_37, CT_38, CT_39
from .widgets import CT_36
from .workers import CT_30

OAUTH: Final[tuple[Contract, ...]] = (CT_21, CT_22, CT_23, CT_24, CT_25, CT_26, CT_28, CT_29)
"""Contracts of the authorization server."""

CONTRACTS: Final[tuple[Contract, ...]] = (
    CT_01, CT_02, CT_03, CT_04, CT_05, CT_06, CT_07, CT_08, CT_09, CT_10, CT_11, CT_12, CT_13, CT_14, CT_15,
    CT_16, CT_18, CT_19, *OAUTH, CT_30, CT_31, CT_32, CT_33, CT_34, CT_35, CT_36, CT_37, CT_38, CT_39, CT_40,
    CT_41, CT_42, CT_43,
)  # fmt: skip

EVIDENCE: Final[Mapping[str, tuple[str, ...]]] = {
    "CT-06": ("create-bad-discover", "create-fail-404", "create-noauth-modern"),
    "CT-17": ("legacy-2025-03-26", "legacy-2025-06-18"),
    "CT-20": ("oauth-discovery", "oauth-well-known", "noauth-well-known"),
    "CT-24": (
        "oauth-cimd-iss", "oauth-cimd-callback-id", "oauth-cimd-plural", "oauth-cimd-scalar", "oauth-codex-loopback",
    ),
    "CT-27": ("oauth-refresh-parallel",),
    "CT-28": ("oauth-session-rotated",),
}  # fmt: skip
"""Contracts that whole sessions show, and which. Some have a check beside them, for what a dialogue cannot show."""


def choose_sessions(known: Iterable[Session], only: Sequence[str] = (), host: str = "") -> tuple[Session, ...]:
    """The sessions that are meant where `only` may name contracts too: none if it names nothing else.

    Raises:
        UnknownSession: something named is neither.
    """
    checks = {contract.id for contract in CONTRACTS}
    named = [one for key in only for one in EVIDENCE.get(key, () if key in checks else (key,))]
    return choose(known, named, host) if named or not only else ()


def choose_contracts(only: Sequence[str] = (), host: str = "") -> tuple[Contract, ...]:
    """The contracts named in `only`; all of them without names, but none where one host is asked for."""
    if only:
        return tuple(contract for contract in CONTRACTS if contract.id in only)
    return () if host else CONTRACTS
