"""What a store must not be able to read or guess: results sealed, keys and fingerprints as digests.

Everything derives from the connector's secrets; this file knows neither where they come from nor what is sealed. It
does not hide how long a result is, nor that two digests are of the same.
"""

import hmac
import os
from collections.abc import Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..errors import BallastError, DeclarationError

FORMAT = b"\x01"
ID_SIZE = 8
NONCE_SIZE = 12
"""Bytes, as AES-GCM wants it. Random ones are good for 2**32 seals under one secret (NIST SP 800-38D, 8.3)."""
HEADER_SIZE = len(FORMAT) + ID_SIZE
LEAST_SECRET = 16
"""Bytes. Shorter ones are words; it cannot be seen whether a longer one is random."""


class NotReadable(BallastError):
    """What is sealed cannot be opened: its secret is gone, it was changed, or it belongs to something else.

    Nothing of it is known then. It stays so, however often it is asked for.
    """


class Keyring:
    """Seals with the first secret, opens with any of them, digests with the last.

    To rotate, put a new secret in front, and drop the old one when nothing that it sealed is kept any more: after the
    longest window of a call. Digests must not change while calls are kept, or a retry would not find its call; so they
    come from the last secret, or from `digest_secret` where digests are to outlive every sealing secret.

    Raises:
        DeclarationError: There is no secret, or one that can be guessed.
    """

    def __init__(self, secrets: Sequence[bytes | str], *, digest_secret: bytes | str | None = None) -> None:
        if isinstance(secrets, bytes | str) or not secrets:
            raise DeclarationError("a key ring needs a list with at least one secret, the newest first")
        raw = [_bytes(secret) for secret in secrets]
        seals = {_id(secret): AESGCM(_derived(secret, "seal")) for secret in reversed(raw)}
        self._seals = seals
        self._sealing = _id(raw[0])
        self._digest_key = _derived(raw[-1] if digest_secret is None else _bytes(digest_secret), "digest")

    def __repr__(self) -> str:
        return f"Keyring(sealing={self._sealing.hex()}, opening={sorted(name.hex() for name in self._seals)})"

    def seal(self, plain: bytes, *, bound_to: bytes) -> bytes:
        """Encrypt with AES-256-GCM. It opens only with the same `bound_to`, which says where it belongs."""
        header, nonce = FORMAT + self._sealing, os.urandom(NONCE_SIZE)
        return header + nonce + self._seals[self._sealing].encrypt(nonce, plain, header + bound_to)

    def open(self, sealed: bytes, *, bound_to: bytes) -> bytes:
        """What was sealed.

        Raises:
            NotReadable: By none of these secrets, not for this, or not unchanged.
        """
        header, nonce, rest = (
            sealed[:HEADER_SIZE],
            sealed[HEADER_SIZE:][:NONCE_SIZE],
            sealed[HEADER_SIZE + NONCE_SIZE :],
        )
        if len(header) < HEADER_SIZE or header[: len(FORMAT)] != FORMAT:
            raise NotReadable(f"{len(sealed)} bytes that were not sealed, or by a newer version of this library")
        cipher = self._seals.get(header[len(FORMAT) :])
        if cipher is None:
            name = header[len(FORMAT) :].hex()
            raise NotReadable(
                f"sealed with the secret {name}, which is not on the key ring: add it as a further secret"
            )
        try:
            return cipher.decrypt(nonce, rest, header + bound_to)
        except (InvalidTag, ValueError):  # ValueError: it was cut, and there is not even a nonce.
            raise NotReadable("sealed with a known secret, but changed since, or sealed for something else") from None

    def digest(self, *parts: str) -> str:
        """64 hexadecimal digits that nobody can guess, or test a guess against, without the secret.

        Each part counts with its length, so that ("ab", "c") is not ("a", "bc"). Say what it is for in the first part.
        """
        mac = hmac.new(self._digest_key, digestmod=sha256)
        for part in parts:
            # JSON may carry lone surrogates; what is digested need not be text that can be written.
            encoded = part.encode("utf-8", "surrogatepass")
            mac.update(len(encoded).to_bytes(8) + encoded)
        return mac.hexdigest()


def _bytes(secret: bytes | str) -> bytes:
    raw = secret.encode() if isinstance(secret, str) else bytes(secret)
    if len(raw) < LEAST_SECRET:
        raise DeclarationError(
            f"a secret of {len(raw)} bytes can be guessed: use a random one, as from "
            "`python -c 'import secrets; print(secrets.token_urlsafe(32))'`"
        )
    return raw


def _derived(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose; none of them says anything about another, or about the secret."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"ballast/v1/{purpose}".encode()).derive(secret)


def _id(secret: bytes) -> bytes:
    """The name of a secret in what it has sealed."""
    return _derived(secret, "name")[:ID_SIZE]
