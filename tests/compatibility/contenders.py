"""The servers that the page compares: the same read-only tool in each, set up as its own documentation does.

Each is served on loopback for the time being. Nothing here judges.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations

from connector import Connector, tool
from contract_tests import Target, open_target

from . import typescript


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A server with a name for its column, and how to have it answer for a while."""

    name: str
    serve: Callable[[], AbstractContextManager[Target]]
    is_python: bool = True


class Echo(Connector):
    """This project's."""

    name = "echo"

    @tool(read_only=True)
    def echo(self, text: str) -> str:
        """Say it again."""
        return text


HINTS = {"readOnlyHint": True, "destructiveHint": False, "openWorldHint": False}
"""What ChatGPT asks of every tool."""


def _sdk() -> MCPServer[None]:
    server: MCPServer[None] = MCPServer("echo")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False))
    def echo(text: str) -> str:
        """Say it again."""
        return text

    return server


def _fastmcp() -> object:
    from fastmcp import FastMCP

    server = FastMCP("echo")

    @server.tool(annotations=HINTS)
    def echo(text: str) -> str:
        """Say it again."""
        return text

    return server


def _here(make: Callable[[], object]) -> Callable[[], AbstractContextManager[Target]]:
    return lambda: open_target(make())


def _node(manner: str) -> Callable[[], AbstractContextManager[Target]]:
    @contextmanager
    def serve() -> Iterator[Target]:
        with typescript.serving(manner) as url:
            yield Target(name=f"TypeScript SDK, {manner}", url=url)

    return serve


CONTENDERS = (
    Contender(name="Connector", serve=_here(Echo)),
    Contender(name=f"mcp {version('mcp')}", serve=_here(_sdk)),
    Contender(
        name=f"mcp {version('mcp')}, stateless",
        serve=_here(lambda: _sdk().streamable_http_app(stateless_http=True)),
    ),
    Contender(name=f"FastMCP {version('fastmcp')}", serve=_here(_fastmcp)),
    Contender(name=f"TypeScript SDK {typescript.VERSION}", serve=_node("sessions"), is_python=False),
    Contender(name=f"TypeScript SDK {typescript.VERSION}, stateless", serve=_node("stateless"), is_python=False),
)
"""The columns, in order."""
