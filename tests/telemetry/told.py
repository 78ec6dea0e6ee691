"""A connector to be traced, served from a process of its own because a tracer provider can be installed only once."""

import sys

import anyio
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl

from connector import Call, Connector, Settings, StoreSettings, StreamSettings, ToolFailed, tool


class Told(Connector):
    """Tools that end in every way."""

    name = "told"
    version = "3.1"
    _released: anyio.Event

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Answer."""
        return text

    @tool(read_only=True)
    async def fail(self, text: str) -> str:
        """Fail on purpose."""
        raise ToolFailed(f"no {text}")

    @tool(read_only=True)
    async def crash(self, text: str) -> str:
        """Fail by mistake."""
        raise RuntimeError(f"no {text}")

    @tool(read_only=True)
    async def hold(self, call: Call) -> str:
        """Begin to answer and never end."""
        await call.progress(1)
        await anyio.sleep_forever()
        return "never"


class AnyName:
    """Takes every token for the name of a person."""

    async def verify_token(self, token: str) -> AccessToken:
        """Believe it."""
        return AccessToken(token=token, client_id="host", scopes=[], subject=token, claims={"iss": "https://id.test"})


if __name__ == "__main__":
    port = int(sys.argv[1])
    told = Told(
        settings=Settings(stream=StreamSettings(interval=0.1), store=StoreSettings(secrets=("a secret of the tests",))),
        auth=AuthSettings(issuer_url=AnyHttpUrl("https://id.test"), resource_server_url=None)
        if "private" in sys.argv
        else None,
        token_verifier=AnyName() if "private" in sys.argv else None,
    )
    told.serve(port=port)
