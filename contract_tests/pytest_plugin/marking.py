"""What sessions and contracts are marked with, so that `-m` and `-k` select by id, host, surface and incident. Pure."""

from collections.abc import Iterator

import pytest

from ..checks.contract import Contract
from ..notation.session import Session


def marks(subject: Session | Contract) -> Iterator[pytest.MarkDecorator]:
    """The markers of a session or a contract."""
    yield pytest.mark.ballast
    if isinstance(subject, Session):
        yield pytest.mark.ballast_session(id=subject.id, host=subject.host, surface=subject.surface)
    else:
        yield pytest.mark.ballast_contract(id=subject.id, severity=subject.severity)
    yield from (pytest.mark.ballast_incident(id=incident) for incident in incidents(subject))


def incidents(subject: Session | Contract) -> tuple[str, ...]:
    """Everything it guards against, in its steps too."""
    own = [*subject.incidents]
    if isinstance(subject, Session):
        own += [incident for step in subject.steps for incident in step.incidents]
    return tuple(dict.fromkeys(own))


def keywords(subject: Session | Contract) -> set[str]:
    """What `-k` matches beside the id."""
    return {subject.host, subject.surface, *incidents(subject)}
