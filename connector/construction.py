"""What a connector is made from: its settings, its store, and an SDK whose constructor leaves the log alone."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from .settings import Settings
from .stores.opening import open_store
from .stores.port import Store


def configured(settings: Settings | None, public_url: str | None) -> Settings:
    """The settings that were given, or what the environment says; with the public URL, if one was given beside."""
    settings = settings or Settings.from_environment()
    if public_url is None:
        return settings
    return replace(settings, access=replace(settings.access, public_url=public_url))


@contextmanager
def logging_untouched() -> Iterator[None]:
    """The SDK's constructor gives the root logger a handler. A module that is imported must not: `serve` does it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def store_of(name: str, store: str | Store | None, settings: Settings) -> Store:
    """The store that was given or named; else one file for each connector that is started in this folder."""
    if store is not None and not isinstance(store, str):
        return store
    default = f"sqlite:///.ballast/{re.sub(r'[^A-Za-z0-9_-]+', '-', name)}.sqlite3"
    return open_store(store or settings.store.url or default)
