"""Passwords of the few people a small connector knows, as scrypt hashes (RFC 7914)."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final, Self

from ..sealing import decoded

_COST: Final = 2**15
_BLOCK: Final = 8
_PARALLEL: Final = 3
"""OWASP's recommendation of 2023 that needs 32 MiB: about a tenth of a second, which a person does not notice."""

_COSTS: Final = frozenset(2**power for power in range(1, 21))

_MOST_MEMORY: Final = 256 * 1024 * 1024

_LONGEST: Final = 1024
"""Characters of a password that are looked at all."""


def password_hash(password: str, *, cost: int = _COST) -> str:
    """What to write into `people=` for this password. Never the same twice.

    `cost` is scrypt's N, a power of two. Lower it only in tests.
    """
    salt = secrets.token_bytes(16)
    return _Hash(cost=cost, block=_BLOCK, parallel=_PARALLEL, salt=salt, digest=b"").of(password).text()


def is_password(password: str, stored: str) -> bool:
    """Whether `password` is the one `stored` was made of. Takes as long whether it is or not.

    Raises:
        ValueError: `stored` was not made by `password_hash`.
    """
    hashed = _Hash.read(stored)
    return hmac.compare_digest(hashed.of(password[:_LONGEST]).digest, hashed.digest)


def require_hash(stored: str) -> None:
    """Look whether `stored` was made by `password_hash`.

    Raises:
        ValueError: It was not; a password in clear, perhaps.
    """
    _Hash.read(stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hash:
    cost: int
    block: int
    parallel: int
    salt: bytes
    digest: bytes

    @classmethod
    def read(cls, stored: str) -> Self:
        kind, *rest = stored.split("$")
        if kind != "scrypt" or len(rest) != 5:  # noqa: PLR2004
            raise ValueError("this is no hash made by password_hash()")
        cost, block, parallel = (int(each) for each in rest[:3])
        salt, digest = decoded(rest[3]), decoded(rest[4])
        if not salt or not digest or cost not in _COSTS or not 128 * cost * block < _MOST_MEMORY:
            raise ValueError("this hash is cut off, or needs more memory than is allowed")
        return cls(cost=cost, block=block, parallel=parallel, salt=salt, digest=digest)

    def of(self, password: str) -> "_Hash":
        digest = hashlib.scrypt(
            password.encode("utf-8", "surrogatepass"),
            salt=self.salt,
            n=self.cost,
            r=self.block,
            p=self.parallel,
            maxmem=_MOST_MEMORY,
            dklen=32,
        )
        return _Hash(cost=self.cost, block=self.block, parallel=self.parallel, salt=self.salt, digest=digest)

    def text(self) -> str:
        parts = (self.cost, self.block, self.parallel, _text(self.salt), _text(self.digest))
        return "scrypt$" + "$".join(map(str, parts))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
