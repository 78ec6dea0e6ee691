"""The fixtures `ballast_session` and `ballast_contract`: a test that asks for one runs once for each id."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

import pytest

from ..checks.contract import Contract
from ..checks.registry import CONTRACTS
from ..notation.corpus import load_sessions
from ..notation.session import Session
from .marking import marks

FIXTURES: Final = ("ballast_session", "ballast_contract")


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Give a test function its ids; `@pytest.mark.ballast(only=[...], host=...)` says which, `*` stands for anything.

    Raises:
        pytest.UsageError: nothing has such an id.
    """
    marker = metafunc.definition.get_closest_marker("ballast")
    wanted = marker.kwargs if marker else {}
    for name in FIXTURES:
        if name in metafunc.fixturenames and not _is_own(metafunc, name):
            known: Sequence[Session | Contract] = load_sessions() if name == FIXTURES[0] else CONTRACTS
            chosen = [one for one in known if _is_wanted(one, wanted)]
            if not chosen:
                raise pytest.UsageError(
                    f"{metafunc.definition.nodeid}: no {name} is {dict(wanted)}. Correct only or host."
                )
            metafunc.parametrize(name, [pytest.param(one.id, id=one.id, marks=[*marks(one)]) for one in chosen])


def _is_own(metafunc: pytest.Metafunc, name: str) -> bool:
    """Whether the test says itself which ids it wants."""
    return any(name in _names(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize") if mark.args)


def _names(argument: Any) -> list[str]:
    return [part.strip() for part in argument.split(",")] if isinstance(argument, str) else list(argument)


def _is_wanted(one: Session | Contract, wanted: Mapping[str, Any]) -> bool:
    patterns, host = wanted.get("only", ("*",)), wanted.get("host", one.host)
    return one.host == host and any(fnmatchcase(one.id, pattern) for pattern in patterns)
