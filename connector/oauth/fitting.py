"""Fits a lock into a connector: the public address it stands for, and the secret it seals with.

Where no secret was given, one is kept in the store, so that restarts and workers share it.
"""

import asyncio
import secrets as random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ..errors import DeclarationError, StoreUnavailable
from ..stores.port import Store
from ..telemetry.meters import Meters
from ..telemetry.watched import Watched
from .deeds import Deeds
from .lock import Fitted, Lock, Place, ToolAccess
from .noticed import Noticed

_SECRET: Final = ("secret", "oauth")


def fit(
    lock: Lock,
    *,
    public_url: str | None,
    path: str,
    store: Store,
    secrets: Sequence[str],
    tools: Mapping[str, ToolAccess],
    notice: Callable[[Noticed], None],
    meters: Meters | None = None,
) -> Fitted:
    """Fit a lock. Of several secrets the last counts, which is the one that stays while they are rotated.

    Raises:
        DeclarationError: There is no public address; the lock contradicts it; a secret is needed and cannot be had.
    """
    if public_url is None:
        raise DeclarationError(
            "auth= needs public_url=, because tokens and documents name the connector by it: give the address that "
            "people enter, e.g. public_url='https://connector.example.com' (BALLAST_PUBLIC_URL); on your own machine "
            "'http://127.0.0.1:8000'"
        )
    deeds = Deeds()
    if meters is not None:
        meters.watch(Watched.OAUTH, deeds.counts)
    place = Place(
        public_url=public_url,
        path=path,
        store=store,
        secret=_secret(lock, store, secrets),
        scopes=frozenset().union(*(access.scopes for access in tools.values())),
        notice=notice,
        tools=tools,
        count=deeds,
    )
    return lock.fit(place)


def _secret(lock: Lock, store: Store, secrets: Sequence[str]) -> bytes:
    if secrets:
        return secrets[-1].encode()
    if not getattr(lock, "needs_secret", True):
        return b""
    try:
        with ThreadPoolExecutor(
            1
        ) as aside:  # the constructor may run within a loop, and the store needs one of its own
            return aside.submit(asyncio.run, _kept_secret(store)).result()
    except StoreUnavailable as gone:
        raise DeclarationError(
            f"the lock needs a secret that outlives this process, and the store, which would keep one, does not answer "
            f"({gone}): set BALLAST_SECRET, e.g. from `openssl rand -base64 32`"
        ) from gone


async def _kept_secret(store: Store) -> bytes:
    try:
        await store.put(*_SECRET, random.token_bytes(32), version=0)
        record = await store.get(*_SECRET)
    finally:
        await store.aclose()
    if record is None:
        raise StoreUnavailable("it does not keep what is written to it")
    return record.value
