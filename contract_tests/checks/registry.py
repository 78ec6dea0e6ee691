"""Every numbered contract, and which of them are meant."""

from collections.abc import Iterable, Sequence
from typing import Final

from ..notation.corpus import choose
from ..notation.session import Session
from .client_identification import CT_26
from .contract import Contract
from .one_string import CT_21
from .redirects import CT_23
from .registration import CT_22
from .resource_forms import CT_25
from .restart import CT_29

CONTRACTS: Final[tuple[Contract, ...]] = (CT_21, CT_22, CT_23, CT_25, CT_26, CT_29)


def choose_sessions(known: Iterable[Session], only: Sequence[str] = (), host: str = "") -> tuple[Session, ...]:
    """The sessions that are meant where `only` may name contracts too: none if it names nothing else.

    Raises:
        UnknownSession: something named is neither.
    """
    named = [key for key in only if key not in {contract.id for contract in CONTRACTS}]
    return choose(known, named, host) if named or not only else ()


def choose_contracts(only: Sequence[str] = (), host: str = "") -> tuple[Contract, ...]:
    """The contracts named in `only`; all of them without names, but none where one host is asked for."""
    if only:
        return tuple(contract for contract in CONTRACTS if contract.id in only)
    return () if host else CONTRACTS
