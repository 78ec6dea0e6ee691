"""Whether a client at the token endpoint is who it says: public, by a shared secret, or by a key (RFC 7523).

Reads how the client names itself wherever it does. Secrets are compared in constant time. A proof that is not asked
for is ignored; a proof that is asked for and missing is `invalid_client`.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_plus

import jwt

from ....stores.port import Records
from ..reading import Parameters
from ..refused import Refused, unknown_client
from ..sealing import Seal, decoded
from .client import Client, Proof
from .finding import Clients

ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

ALGORITHMS: Final = ("RS256", "ES256")

_SKEW: Final = 60.0
"""Seconds two clocks may differ."""

_LONGEST: Final = 3600.0
"""Seconds an assertion may be valid: so long its id has to be remembered. ChatGPT's live for minutes."""

_KIND: Final = "oauth-assertion"

_BROKEN: Final = (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError)
"""What a token made by a stranger can raise in a JOSE library."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What a client says of itself."""

    client_id: str | None
    secret: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)


def presented(authorization: str | None, form: Parameters) -> Presented:
    """What the request says of its client: by header, by parameters, or inside an assertion.

    Raises:
        Refused: It names two different clients.
    """
    by_header, secret = _basic(authorization)
    assertion = form["client_assertion"]
    named = [each for each in (form["client_id"], by_header, _subject(assertion)) if each]
    if len(set(named)) > 1:
        raise unknown_client("The request names two different clients; name one")
    return Presented(
        client_id=named[0] if named else None,
        secret=form["client_secret"] if secret is None else secret,
        assertion=assertion if form["client_assertion_type"] in {None, ASSERTION} else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """Checks clients. `audiences` are what an assertion may be addressed to: the token endpoint and the issuer."""

    clients: Clients
    records: Records
    seal: Seal
    audiences: tuple[str, ...]
    now: Callable[[], float]
    requires_keys: bool = True

    async def check(self, said: Presented, *, admit: Callable[[], None] = lambda: None) -> Client:
        """The client, which has shown who it is.

        Raises:
            Refused: It is unknown, or has not shown it.
        """
        if said.client_id is None:
            raise unknown_client("The request names no client: send client_id, as registered")
        client = await self.clients.find(said.client_id, admit=admit)
        if said.assertion is not None and Proof.KEY in client.proofs:
            await self._check_assertion(client, said.assertion)
        elif client.secret is not None:
            _check_secret(client.secret, said.secret)
        elif Proof.NONE not in client.proofs and self.requires_keys:
            raise unknown_client("This client proves itself by a key only: send client_assertion (private_key_jwt)")
        return client

    async def _check_assertion(self, client: Client, assertion: str) -> None:
        claims = await self._claims(client, assertion)
        if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
            raise unknown_client("iss and sub of client_assertion have to be the client_id")
        left = claims["exp"] - self.now()
        if left > _LONGEST + _SKEW:
            raise unknown_client(f"client_assertion is valid for more than {_LONGEST:g} s; make it expire sooner")
        name = json.dumps([client.client_id, claims.get("jti") or assertion])
        fresh = await self.records.put(
            _KIND, self.seal.digest("assertion", name), b"1", expires_in=left + 2 * _SKEW, version=0
        )
        if fresh is None:
            raise unknown_client("This client_assertion was used before; make a new one for each request")

    async def _claims(self, client: Client, assertion: str) -> Mapping[str, Any]:
        """The claims of an assertion whose signature, audience and times are right.

        Keys that do not fit are fetched once more: the client may have changed them since (facts: CIMD keys rotate).
        """
        keys, fetched_at = await self.clients.keys(client)
        try:
            return self._verified(assertion, keys)
        except jwt.InvalidAudienceError:
            raise unknown_client("aud of client_assertion is neither the token endpoint nor the issuer") from None
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError, jwt.MissingRequiredClaimError) as failed:
            raise unknown_client(f"client_assertion is not valid: {failed}") from None
        except _BROKEN:
            if client.jwks is not None or fetched_at > self.now() - 30:
                raise unknown_client("client_assertion is signed by none of the client's keys") from None
        keys, _ = await self.clients.keys(client, newer_than=fetched_at)
        try:
            return self._verified(assertion, keys)
        except _BROKEN:
            raise unknown_client("client_assertion is signed by none of the client's keys") from None

    def _verified(self, assertion: str, keys: Mapping[str, Any]) -> Mapping[str, Any]:
        head = jwt.get_unverified_header(assertion)
        candidates = [key for key in _usable(keys) if head.get("kid") in {None, key.key_id}]
        for key in candidates[:5]:
            try:
                claims: Mapping[str, Any] = jwt.decode(
                    assertion,
                    key.key,
                    algorithms=[each for each in ALGORITHMS if each.startswith(_family(key))],
                    options={"require": ["exp"], "verify_aud": False, "verify_exp": False, "verify_nbf": False,
                             "verify_iat": False},
                )  # fmt: skip
            except jwt.InvalidSignatureError:
                continue
            self._check_times_and_audience(claims)
            return claims
        raise jwt.InvalidSignatureError("no key fits")

    def _check_times_and_audience(self, claims: Mapping[str, Any]) -> None:
        """On the connector's clock, which tests can set; PyJWT takes the system's."""
        said = claims.get("aud")
        if not set(said if isinstance(said, list) else [said]) & set(self.audiences):
            raise jwt.InvalidAudienceError("aud")
        expires, begins = claims["exp"], claims.get("nbf", 0)
        if isinstance(expires, bool) or not isinstance(expires, int | float) or not expires + _SKEW >= self.now():
            raise jwt.ExpiredSignatureError("it has expired")
        if isinstance(begins, int | float) and begins - _SKEW > self.now():
            raise jwt.ImmatureSignatureError("it is not valid yet")


def _check_secret(secret: str, said: str | None) -> None:
    if not hmac.compare_digest(secret.encode(), (said or "").encode("utf-8", "surrogatepass")):
        raise unknown_client("client_secret is missing or wrong")


def _basic(authorization: str | None) -> tuple[str | None, str | None]:
    """Id and secret of HTTP Basic, each form-encoded as RFC 6749 section 2.3.1 asks."""
    scheme, _, text = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None, None
    raw = decoded(text.strip())
    if raw is None or b":" not in raw:
        raise Refused("invalid_client", "The Authorization header holds no id and secret", status=401)
    client_id, _, secret = raw.decode("utf-8", "replace").partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def _subject(assertion: str | None) -> str | None:
    """Who an assertion says it is from. Believed only once its signature is checked."""
    if assertion is None:
        return None
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except _BROKEN:
        return None
    subject = claims.get("sub")
    return subject if isinstance(subject, str) else None


def _usable(keys: Mapping[str, Any]) -> list[jwt.PyJWK]:
    """The keys of a set that can check the signatures we accept; the others are somebody else's business."""
    said = keys.get("keys")
    usable = []
    for each in said[:50] if isinstance(said, list) else []:
        if not isinstance(each, dict) or each.get("kty") not in {"RSA", "EC"} or each.get("use", "sig") != "sig":
            continue
        try:
            usable.append(jwt.PyJWK.from_dict({name: each[name] for name in each if name != "alg"}))
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
    return usable


def _family(key: jwt.PyJWK) -> str:
    return "RS" if key.key_type == "RSA" else "ES"
