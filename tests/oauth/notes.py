"""A connector with a lock, as the tests of this room need it."""

import hashlib
from typing import Any

import httpx2
from mcp.server.auth.middleware.auth_context import get_access_token
from starlette.applications import Starlette

from connector import AccessSettings, Connector, Settings, tool
from connector.oauth import Lock, Notices, Place, ToolAccess
from connector.oauth.chain import at_the_lock
from connector.stores.memory import MemoryStore

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


def locked(lock: Lock, *, kind: type[Connector] = Notes, notices: Notices | None = None, **options: Any) -> Any:
    """A connector's app behind a lock."""
    settings = Settings(access=AccessSettings(public_url=PUBLIC, self_check=False))
    connector = kind(settings=settings, store="memory:", **options)
    tools = {
        "whose_notes": ToolAccess(scopes=frozenset({"notes.read"})),
        "write_note": ToolAccess(scopes=frozenset({"notes.write"})),
        "count_notes": ToolAccess(),
    }
    if kind is OpenNotes:
        tools["opening_hours"] = ToolAccess(anonymous=True)
    fitted = lock.fit(
        Place(
            public_url=PUBLIC,
            path="/mcp",
            store=MemoryStore(),
            secret=b"a secret of thirty-two bytes, ok",
            scopes=frozenset({"notes.read", "notes.write"}),
            notice=notices or Notices(),
            tools=tools,
        )
    )
    connector.middleware.insert(1, at_the_lock(fitted))
    connector._beside.append(fitted.running)
    app = connector.app()
    guarded = fitted.guard(app)

    others = Starlette(routes=fitted.routes())

    async def front(scope: Any, receive: Any, send: Any) -> None:
        is_endpoint = scope["type"] == "http" and scope["path"].rstrip("/") == "/mcp"
        is_document = scope["type"] == "http" and "/.well-known/" in scope["path"]
        others.router.redirect_slashes = False
        await (guarded if is_endpoint else others if is_document else app)(scope, receive, send)

    return front


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def told(reply: httpx2.Response) -> str:
    """The text of a tool's result."""
    text: str = reply.json()["result"]["content"][0]["text"]
    return text
