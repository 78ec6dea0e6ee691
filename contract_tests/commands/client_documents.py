"""`mcp-ballast client-documents`: what a team publishes so that a real authorization server can read our clients."""

from collections.abc import Sequence
from pathlib import Path

import click

from ..notation.corpus import load_sessions
from .exits import exit_codes


@click.command("client-documents")
@click.argument("folder", type=Path)
@click.option("--base", metavar="URL", required=True, help="Where the folder will be published, https.")
@click.option("--sessions", metavar="PATH", multiple=True, type=Path, help="More sessions: a file or a folder.")
def client_documents(folder: Path, base: str, sessions: Sequence[Path]) -> None:
    """Write the client documents of the sessions into FOLDER, to be published, and their private key beside it."""
    from ..login.publishing import Published, write_documents  # noqa: PLC0415 - only this command needs it
    from ..login.signing_key import SigningKey  # noqa: PLC0415

    with exit_codes():
        place = Published(base=base.rstrip("/"), key=SigningKey.generate())
        for file in write_documents(load_sessions(*sessions), place, folder):
            click.echo(f"written: {file}", err=True)
        click.echo(f'[oauth]\nclient_documents = "{place.base}"\nclient_key = "{folder.parent / folder.name}.key.pem"')
