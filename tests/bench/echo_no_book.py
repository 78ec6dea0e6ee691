"""The echo tool of this project without the visitors' book, to weigh the book against."""

from dataclasses import replace

from connector.settings import Settings

from .echo_ballast import Echo


def app(_mode: str) -> object:
    """Build the ASGI app; it is the same for every mode."""
    settings = Settings.from_environment()
    settings = replace(settings, book=replace(settings.book, is_on=False))
    return Echo(public_url="http://127.0.0.1:8000", settings=settings).app()
