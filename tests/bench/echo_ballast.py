"""The echo tool as a connector of this project, with all defaults on."""

from connector import Connector, tool


class Echo(Connector):
    """Returns what it is given."""

    name = "echo"
    version = "1"

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Return the text."""
        return text


def app(_mode: str) -> object:
    """Build the ASGI app; it is the same for every mode."""
    return Echo(public_url="http://127.0.0.1:8000").app()
