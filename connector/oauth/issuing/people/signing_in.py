"""The few people a small connector knows: name and password, with a limit on guessing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio
import anyio.lowlevel
import anyio.to_thread

from ..limits import Failures
from ..refused import too_many
from ..sealing import Seal
from .passwords import is_password, password_hash

_AT_ONCE = 2
"""Hashes computed at the same time: each takes 32 MiB and a core."""

_TIMES_WIDER = 10
"""One address may fail that much more often with different names, and one name from different addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Names and password hashes. `most` is how many wrong passwords one name gets from one address in a window."""

    hashes: Mapping[str, str] = field(repr=False)
    failures: Failures
    seal: Seal
    most: int
    _nobody: str = field(default_factory=lambda: password_hash("nobody"), repr=False)

    async def sign_in(self, name: str, password: str, *, address: str) -> str | None:
        """The subject; None if name and password do not fit. An unknown name takes as long as a wrong password.

        Raises:
            Refused: Too many wrong passwords. Nothing was compared.
        """
        limits = self._limits(name, address)
        counts = {key: await self.failures.add(key, 1) for key in limits}  # before it is compared: guesses come at once
        if any(counts[key] > most for key, most in limits.items()):
            raise too_many(self.failures.window)
        stored = self.hashes.get(name)
        async with _limiter():
            fits = await anyio.to_thread.run_sync(is_password, password, stored or self._nobody)
        if not fits or stored is None:
            return None
        for key in limits:
            await self.failures.add(key, -1)
        return name

    def _limits(self, name: str, address: str) -> dict[str, int]:
        def key(*parts: str) -> str:
            return self.seal.digest("failures", "\0".join(parts))

        wide = _TIMES_WIDER * self.most
        return {key("both", name, address): self.most, key("name", name): wide, key("address", address): wide}


_slots = anyio.lowlevel.RunVar[anyio.CapacityLimiter]("ballast_password_slots")


def _limiter() -> anyio.CapacityLimiter:
    """One for each event loop."""
    try:
        return _slots.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_AT_ONCE)
        _slots.set(limiter)
        return limiter
