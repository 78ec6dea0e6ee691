"""Widgets as the SDK's resources, and the extension by which a server says that it has some."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from mcp.server.apps import EXTENSION_ID
from mcp.server.extension import Extension, ResourceBinding
from mcp.server.mcpserver.resources import FileResource, Resource, TextResource

from ..errors import DeclarationError
from ..widget import Page, Widget


class Widgets(Extension):
    """The MCP Apps extension, for the widgets that tools declare: every address of each, in its dialect.

    Raises:
        DeclarationError: Two different widgets claim one address.
    """

    identifier = EXTENSION_ID

    def __init__(self, widgets: Iterable[Widget]) -> None:
        self._resources: dict[str, Resource] = {}
        owners: dict[str, Widget] = {}
        for widget in widgets:
            for page in widget.pages():
                if owners.setdefault(page.uri, widget) != widget:
                    raise DeclarationError(
                        f"two widgets claim {page.uri}: let both tools name the same Widget, or change an address"
                    )
                self._resources[page.uri] = _resource(widget, page)

    def resources(self) -> tuple[ResourceBinding, ...]:
        """Today's pages, and every earlier one."""
        return tuple(ResourceBinding(resource=resource) for resource in self._resources.values())


def with_widgets(extensions: Iterable[Extension], widgets: Iterable[Widget]) -> Iterator[Extension]:
    """The extensions, with one for the widgets if there are any.

    Raises:
        DeclarationError: There is another one of MCP Apps, or two widgets claim one address.
    """
    extensions, widgets = tuple(extensions), tuple(widgets)
    yield from extensions
    if not widgets:
        return
    if any(each.identifier == EXTENSION_ID for each in extensions):
        raise DeclarationError(
            "widget= and the SDK's Apps extension cannot be used side by side: declare the pages of both as Widget"
        )
    yield Widgets(widgets)


def _resource(widget: Widget, page: Page) -> Resource:
    said = {
        "uri": page.uri,
        "name": page.uri.removeprefix("ui://"),
        "title": widget.title,
        "description": widget.description,
        "mime_type": page.dialect.value,
        "meta": page.meta,
    }
    if isinstance(widget.html, Path):
        return FileResource.model_validate({**said, "path": widget.html.resolve()})
    return TextResource.model_validate({**said, "text": widget.html})
