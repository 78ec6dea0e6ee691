"""What one authorization server says of itself, and its keys: found, checked against its issuer, remembered.

Decides which document counts: only one whose `issuer` is the configured string (RFC 8414, section 3.3).
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from ..errors import DeclarationError
from .bridges import Bridge
from .fetching import Outside
from .one_string import is_same_issuer, metadata_urls
from .remembered import IssuerUnavailable, Keeping, Remembered

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Issuer:
    """One authorization server as this resource sees it. `url` is its issuer, as it was given."""

    def __init__(
        self,
        url: str,
        bridge: Bridge,
        outside: Outside,
        *,
        keeping: Keeping,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self.bridge = bridge
        self._outside = outside
        self._metadata = Remembered(self._fetch_metadata, keeping=keeping, clock=clock)
        self._keys = Remembered(self._fetch_keys, keeping=keeping, clock=clock)

    async def metadata(self) -> dict[str, Any]:
        """Its metadata, as it gives it.

        Raises:
            IssuerUnavailable: It cannot be had.
        """
        return await self._metadata.get()

    async def keys(self, *, newer: bool = False) -> dict[str, Any]:
        """Its key set; `newer` for a caller who misses a key in it.

        Raises:
            IssuerUnavailable: It cannot be had.
        """
        return await (self._keys.newer() if newer else self._keys.get())

    async def prepare(self) -> None:
        """Compare the configured issuer with what it calls itself, and fetch its keys. Outages are let pass.

        Raises:
            DeclarationError: The two differ. The sentence gives both.
        """
        with suppress(IssuerUnavailable):
            self._require_one_string((await self.metadata()).get("issuer"))
            await self.keys()

    def _require_one_string(self, said: object) -> None:
        if said != self.url:
            raise DeclarationError(
                f"issuer {self.url!r} calls itself {said!r} in its metadata, and hosts compare the two byte by byte "
                f"(incident P-33): configure {said!r}"
            )

    async def aclose(self) -> None:
        """End what is being fetched."""
        await self._metadata.aclose()
        await self._keys.aclose()

    async def _fetch_metadata(self) -> dict[str, Any]:
        troubles = []
        for url in metadata_urls(self.url):
            try:
                found = await self._outside.get(url)
            except IssuerUnavailable as trouble:
                troubles.append(str(trouble))
                continue
            if self._is_own(found):
                return found
            troubles.append(f"{url} is of the issuer {found.get('issuer')!r}.")
        raise IssuerUnavailable(f"No metadata of {self.url} was found: {' '.join(troubles)}")

    def _is_own(self, found: dict[str, Any]) -> bool:
        # By a slash it may differ here: start-up says so in words, and only bridges that know it verify such tokens.
        return is_same_issuer(found.get("issuer"), self.url, tolerates_slash=True)

    async def _fetch_keys(self) -> dict[str, Any]:
        where = (await self._metadata.get()).get("jwks_uri")
        if not isinstance(where, str) or not _is_safe(where):
            raise IssuerUnavailable(f"The metadata of {self.url} names no https address of its keys.")
        found = await self._outside.get(where)
        if not isinstance(found.get("keys"), list):
            raise IssuerUnavailable(f"{where} holds no key set.")
        return found


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
