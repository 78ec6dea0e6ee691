"""The client documents of sessions, published: on loopback for a target there, or by the user for one elsewhere.

Whoever publishes them himself gets them as files; then nobody here can know whether they were read.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..notation.session import Session
from ..notation.template import fill
from ..target.application import Application
from ..target.serving import served
from .signing_key import SigningKey

KEYS = "jwks.json"
OWN = "ballast"
"""The id under which a document without a session stands: the one that logs in where no session says how."""

_PLAIN: Mapping[str, Any] = {
    "client_id": "${document.url}",
    "client_name": "ChatGPT",
    "client_uri": "https://chatgpt.com/",
    "redirect_uris": ["https://chatgpt.com/connector_platform_oauth_redirect"],
    "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_signing_alg": "RS256",
    "jwks_uri": "${document.jwks}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Documents under one address. `asked` are the paths that were requested; None where that is not known."""

    base: str
    key: SigningKey
    asked: set[str] | None = field(default=None)

    @property
    def jwks(self) -> str:
        """The address of the public key."""
        return f"{self.base}/{KEYS}"

    def url(self, session_id: str) -> str:
        """The address of one session's document."""
        return f"{self.base}/{session_id}/client.json"

    def was_ignored(self, session_id: str) -> bool:
        """Whether nobody has asked for the document yet; False where that is not known."""
        return self.asked is not None and f"/{session_id}/client.json" not in self.asked

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Sign claims with the published key."""
        return self.key.sign(claims)


@contextmanager
def published_on_loopback(sessions: Iterable[Session]) -> Iterator[Published]:
    """Publish the documents of sessions on a free loopback port for the time being."""
    asked: set[str] = set()
    bodies: dict[str, bytes] = {}

    async def answer(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - ASGI's three arguments
        if scope["type"] != "http":
            return
        asked.add(scope["path"])
        body = bodies.get(scope["path"])
        head = [(b"content-type", b"application/json; charset=utf-8"), (b"cache-control", b"public, max-age=300")]
        status = 404 if body is None else 200
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": b"{}" if body is None else body})

    with served(Application(app=answer, has_lifespan=False), name="the client documents") as origin:
        place = Published(base=origin, key=SigningKey.generate(), asked=asked)
        bodies |= {f"/{name}": body for name, body in documents(sessions, place)}
        yield place


def documents(sessions: Iterable[Session], place: Published) -> Iterator[tuple[str, bytes]]:
    """Every file to publish: its path under the base, and its bytes."""
    yield KEYS, _json(place.key.jwk_set())
    forms = {session.id: session.client_document for session in sessions if session.client_document is not None}
    for name, form in {OWN: _PLAIN, **forms}.items():
        values = {"document.url": place.url(name), "document.jwks": place.jwks}
        yield f"{name}/client.json", _json(fill(form, values))


def write_documents(sessions: Iterable[Session], place: Published, folder: Path) -> list[Path]:
    """Write the files to publish, and beside the folder the private key, readable by its owner only."""
    written = []
    for name, body in documents(sessions, place):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        written.append(file)
    key = folder.parent / f"{folder.name}.key.pem"
    key.touch(mode=0o600)
    key.write_bytes(place.key.pem)
    return [*written, key]


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@contextmanager
def published(
    sessions: Iterable[Session], *, is_near: bool, base: str = "", key: SigningKey | None = None
) -> Iterator[Published | None]:
    """Give the place that the target's authorization server can read documents from; None if there is none.

    Args:
        sessions: whose documents are meant.
        is_near: whether the target is on this machine, so that documents on loopback can be read.
        base: where the user has published them, with `key` to sign.
    """
    if base and key:
        yield Published(base=base.rstrip("/"), key=key)
    elif is_near:
        with published_on_loopback(sessions) as place:
            yield place
    else:
        yield None
