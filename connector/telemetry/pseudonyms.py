"""Whose request it was, for traces: the same mark for the same person, from which nobody can be told."""

import os
from collections.abc import Callable, Sequence
from hashlib import blake2b

from starlette.types import Scope

from ..principal import principal_of


def pseudonyms(secrets: Sequence[str]) -> Callable[[Scope], str | None]:
    """A function that gives the mark of a request's principal, None for an anonymous one.

    Keyed with the oldest of the connector's secrets, so that workers agree and a rotation changes nothing; without one
    the marks are good for this process only.
    """
    key = blake2b(secrets[-1].encode(), person=b"ballast spans").digest() if secrets else os.urandom(64)

    def mark(scope: Scope) -> str | None:
        principal = principal_of(scope)
        if principal is None:
            return None
        said = repr((principal.issuer, principal.subject, principal.client)).encode()
        return blake2b(said, key=key, digest_size=8).hexdigest()

    return mark
