"""A connector with a lock, as the tests of this room need it."""

import hashlib
from typing import Any

import httpx2
from mcp.server.auth.middleware.auth_context import get_access_token

from connector import AccessSettings, Connector, Settings, tool
from connector.oauth import Lock

PUBLIC = "https://notes.example.com"
METADATA = f"{PUBLIC}/.well-known/oauth-protected-resource/mcp"


class Notes(Connector):
    """Notes of the person who is logged in."""

    name = "notes"

    @tool(read_only=True, scopes=["notes.read"])
    def whose_notes(self) -> str:
        """Say who is asking, by which client, and with which token (its digest)."""
        token = get_access_token()
        assert token is not None
        digest = hashlib.sha256(token.token.encode()).hexdigest()
        return f"{token.subject} {token.client_id} {digest}"

    @tool(scopes=["notes.write"])
    def write_note(self, text: str) -> str:
        """Write a note."""
        return f"wrote {text}"

    @tool(read_only=True)
    def count_notes(self) -> int:
        """Count."""
        return 3


class OpenNotes(Notes):
    """Notes, and one thing that everybody may ask."""

    @tool(read_only=True, anonymous=True)
    def opening_hours(self) -> str:
        """Say when there is somebody."""
        return "nine to five"


def locked(lock: Lock, *, kind: type[Connector] = Notes, **options: Any) -> Connector:
    """A connector behind a lock."""
    settings = Settings(access=AccessSettings(public_url=PUBLIC, self_check=False))
    return kind(auth=lock, settings=settings, store="memory:", **options)


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def told(reply: httpx2.Response) -> str:
    """The text of a tool's result."""
    text: str = reply.json()["result"]["content"][0]["text"]
    return text
