"""From a client id to the client: named beforehand, self-contained, or described by a document.

The id of a client that registered holds what it registered, sealed. So nothing about it is stored: it survives every
restart, outlives its tokens, and registering costs an attacker more than it costs the store (incident T-08).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...noticed import Kind, Where
from ..refused import not_now, unknown_client
from ..sealing import Seal
from .cabinet import Cabinet
from .client import Client, Origin, Proof
from .documents import KNOWN, client_of, is_address
from .fetching import Unfetchable, Unreachable
from .registration import Registration

_UNKNOWN = "This client is not known here: register again, or use the id that registration answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """All clients. `reads_documents` is False where client documents are turned off."""

    seal: Seal
    cabinet: Cabinet
    see: Callable[[Kind, Where, object], None]
    predefined: Mapping[str, Client]
    reads_documents: bool = True

    def admit(self, registration: Registration) -> Client:
        """The client that a registration makes, with its id, and a secret if it is to have one."""
        return self._registered(self.seal.close("client", _sealed(registration)))

    async def find(self, client_id: str, *, admit: Callable[[], None] = lambda: None) -> Client:
        """The client of this id. `admit` is asked before a document is fetched, and may refuse.

        Raises:
            Refused: No client has this id, or its document cannot be had now.
        """
        if client_id in self.predefined:
            return self.predefined[client_id]
        if self.reads_documents and is_address(client_id, loopback=self.cabinet.fetcher.loopback):
            return await self._documented(client_id, admit)
        return self._registered(client_id)

    async def keys(self, client: Client, *, newer_than: float | None = None) -> tuple[Mapping[str, Any], float]:
        """The client's JWK set, and when it was fetched (seconds since 1970; 0 for keys that came with the client).

        Raises:
            Refused: There are none, or they cannot be fetched now.
        """
        if client.jwks is not None:
            return client.jwks, 0.0
        if client.jwks_uri is None or not is_address(client.jwks_uri, loopback=self.cabinet.fetcher.loopback):
            raise unknown_client("The client names no usable keys: give jwks, or jwks_uri with an https address")
        try:
            found = await self.cabinet.get(client.jwks_uri, newer_than=newer_than)
        except Unreachable as failed:
            raise not_now(f"The client's keys cannot be fetched now: {failed}") from None
        except Unfetchable as failed:
            raise unknown_client(f"The client's keys cannot be used: {failed}") from None
        return found.members, found.fetched_at

    async def _documented(self, client_id: str, admit: Callable[[], None]) -> Client:
        try:
            document = await self.cabinet.get(client_id, admit=admit)
        except Unreachable as failed:
            raise not_now(f"The client document cannot be fetched now: {failed}") from None
        except Unfetchable as failed:
            raise unknown_client(f"The client document cannot be used: {failed}") from None
        for name in document.members:
            if name not in KNOWN:
                self.see(Kind.MEMBER, Where.CLIENT_DOCUMENT, name)
        return client_of(client_id, document.members)

    def _registered(self, client_id: str) -> Client:
        said = self.seal.open("client", client_id)
        if said is None:
            raise unknown_client(_UNKNOWN)
        proof = Proof(said["p"])
        has_secret = proof in {Proof.BASIC, Proof.POST}
        return Client(
            client_id=client_id,
            name=said["n"],
            redirect_uris=tuple(said["r"]),
            origin=Origin.REGISTERED,
            proofs=frozenset({Proof.BASIC, Proof.POST}) if has_secret else frozenset({proof}),
            scopes=frozenset(said["s"]),
            secret=self.seal.digest("client-secret", client_id) if has_secret else None,
            jwks_uri=said.get("j"),
        )


def _sealed(registration: Registration) -> dict[str, Any]:
    """What of a registration its id holds. Short names: the id travels in URLs."""
    said = {
        "p": registration.proof.value,
        "n": registration.name,
        "r": registration.redirect_uris,
        "s": registration.scopes,
    }
    return said if registration.jwks_uri is None else said | {"j": registration.jwks_uri}
