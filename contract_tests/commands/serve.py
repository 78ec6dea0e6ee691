"""`mcp-ballast serve`: a connector on a port."""

import click

from .exits import exit_codes


@click.command()
@click.argument("target")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, help="The port to listen on; 0 for a free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(min=1), help="How many processes serve.")
def serve(target: str, host: str, port: int, workers: int) -> None:
    """Serve TARGET (module:attribute or file.py[:attribute]) until interrupted."""
    from ..target.running import run_target  # noqa: PLC0415 - pulls in what only this command needs

    with exit_codes():
        run_target(target, host=host, port=port, announce=click.echo, workers=workers)
