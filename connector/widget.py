"""`Widget`: a page that hosts show beside a tool's result, declared once and published in both dialects.

Decides what is said of it: the `ui` members of MCP Apps and the `openai/*` members of ChatGPT, from the same values, so
that they cannot differ (incident P-14: a host changed from one dialect to the other overnight, and what stood in one
only was gone). Knows neither the SDK nor how a page is served.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from .errors import DeclarationError

SCHEME: Final = "ui://"

LONGEST_STATUS: Final = 64
"""Characters of the words that ChatGPT shows while a tool runs and after it (its descriptor reference)."""


class Dialect(Enum):
    """A way to publish a page. The value is the MIME type by which hosts know it."""

    APPS = "text/html;profile=mcp-app"
    """MCP Apps, and what ChatGPT asks for since June 2026."""
    SKYBRIDGE = "text/html+skybridge"
    """ChatGPT's own, from 2025."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One address under which a widget can be read. `meta` is the resource's `_meta`."""

    uri: str
    dialect: Dialect
    meta: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Widget:
    """A page that hosts show beside the result of every tool that names it: `@tool(widget=...)`.

    Args:
        uri: Its address, `ui://...`. Hosts cache by it, and read it once or never again (incident P-15): change what is
            behind it compatibly, and where you do change it, list the old one as `earlier`.
        html: The page, or the file it is read from each time.
        title: What people read in lists.
        description: What the page shows, for the model.
        connect_domains: Origins that the page may fetch from.
        resource_domains: Origins that it may load scripts, styles, fonts and pictures from.
        frame_domains: Origins that it may put into frames.
        base_uri_domains: Origins that its `<base>` may name. MCP Apps only.
        redirect_domains: Origins that it may open outside. ChatGPT only.
        domain: The origin it is to run under, unique to this connector; ChatGPT asks for one at submission.
        prefers_border: Whether it wants a frame around it. Default: the host decides.
        permissions: What MCP Apps may let it use: `camera`, `microphone`, `geolocation`, `clipboardWrite`.
        earlier: Every address ever published for MCP Apps. They stay readable for ever.
        earlier_skybridge: The same for ChatGPT's own dialect.

    Raises:
        DeclarationError: An address that is not `ui://`, a domain that is no origin, a file that is not there.
    """

    uri: str
    html: str | Path
    title: str | None = None
    description: str | None = None
    connect_domains: Sequence[str] = ()
    resource_domains: Sequence[str] = ()
    frame_domains: Sequence[str] = ()
    base_uri_domains: Sequence[str] = ()
    redirect_domains: Sequence[str] = ()
    domain: str | None = None
    prefers_border: bool | None = None
    permissions: Sequence[str] = ()
    earlier: Sequence[str] = ()
    earlier_skybridge: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("earlier", "earlier_skybridge"):
            _require_list(name, getattr(self, name))
        for uri in (self.uri, *self.earlier, *self.earlier_skybridge):
            if not (uri.startswith(SCHEME) and uri != SCHEME and uri.isprintable() and " " not in uri):
                raise DeclarationError(f"the widget {uri!r} needs an address such as 'ui://board/board.html'")
        for name in ("connect", "resource", "frame", "base_uri", "redirect"):
            _require_list(f"{name}_domains", getattr(self, f"{name}_domains"))
            for origin in getattr(self, f"{name}_domains"):
                _require_origin(f"{name}_domains", origin)
        if self.domain is not None:
            _require_origin("domain", self.domain)
        if isinstance(self.html, Path) and not self.html.is_file():
            raise DeclarationError(
                f"the widget {self.uri} is to be read from {self.html.name!r}, and there is no such file: "
                "name it by Path(__file__).with_name(...)"
            )
        uris = [page.uri for page in self.pages()]
        if doubled := next((uri for uri in uris if uris.count(uri) > 1), None):
            raise DeclarationError(f"the widget {self.uri} has the address {doubled} twice: name it once")

    @property
    def skybridge_uri(self) -> str:
        """The address of the same page in ChatGPT's own dialect: one resource has one MIME type."""
        stem = PurePosixPath(self.uri.removeprefix(SCHEME))
        return f"{SCHEME}{stem.with_suffix('.skybridge' + (stem.suffix or '.html'))}"

    def pages(self) -> Iterator[Page]:
        """Every address that must be readable, today's first."""
        meta = self._meta()
        for uri in (self.uri, *self.earlier):
            yield Page(uri=uri, dialect=Dialect.APPS, meta=meta)
        for uri in (self.skybridge_uri, *self.earlier_skybridge):
            yield Page(uri=uri, dialect=Dialect.SKYBRIDGE, meta=meta)

    def _meta(self) -> dict[str, Any]:
        ui = {
            "csp": _said(
                connectDomains=list(self.connect_domains),
                resourceDomains=list(self.resource_domains),
                frameDomains=list(self.frame_domains) or None,
                baseUriDomains=list(self.base_uri_domains) or None,
            ),
            **_said(
                domain=self.domain,
                prefersBorder=self.prefers_border,
                permissions={name: {} for name in self.permissions} or None,
            ),
        }
        csp = _said(
            connect_domains=list(self.connect_domains),
            resource_domains=list(self.resource_domains),
            frame_domains=list(self.frame_domains) or None,
            redirect_domains=list(self.redirect_domains) or None,
        )
        own = {
            "openai/widgetCSP": csp,
            "openai/widgetDomain": self.domain,
            "openai/widgetPrefersBorder": self.prefers_border,
            "openai/widgetDescription": self.description,
        }
        return {"ui": ui, **_said(**own)}


VISIBLE_TO: Final = ("model", "app")
"""Who may call a tool: the model, and the page of a widget (MCP Apps, `ui.visibility`)."""


def shown_by(
    widget: Widget | None, *, visibility: Sequence[str] | None, invoking: str | None, invoked: str | None
) -> dict[str, Any]:
    """The members of a tool's `_meta` that bind it to its widget, in both dialects.

    Raises:
        DeclarationError: Words that are too long, or somebody unknown to be visible to.
    """
    ui: dict[str, Any] = {}
    meta: dict[str, Any] = {}
    if widget is not None:
        ui["resourceUri"] = widget.uri
        meta["openai/outputTemplate"] = widget.skybridge_uri
    if visibility is not None:
        _require_list("visibility", visibility)
        if not visibility or set(visibility) - set(VISIBLE_TO):
            raise DeclarationError(f"visibility={list(visibility)!r} must name 'model', 'app' or both")
        ui["visibility"] = list(visibility)
        meta["openai/visibility"] = "public" if "model" in visibility else "private"
        meta["openai/widgetAccessible"] = "app" in visibility
    for name, words in (("invoking", invoking), ("invoked", invoked)):
        if words is not None:
            if not 0 < len(words) <= LONGEST_STATUS:
                raise DeclarationError(f"{name}={words!r} has {len(words)} characters: ChatGPT takes 1 to 64")
            meta[f"openai/toolInvocation/{name}"] = words
    return {"ui": ui, **meta} if ui else meta


def _said(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _require_list(name: str, values: Any) -> None:
    if isinstance(values, str):
        raise DeclarationError(f"{name}={values!r} is one text: write a list, e.g. {name}=[{values!r}]")


def _require_origin(name: str, origin: str) -> None:
    parts = urlsplit(origin)
    if parts.scheme not in {"https", "wss", "http"} or not parts.netloc or parts.path or parts.query or parts.fragment:
        raise DeclarationError(
            f"{name} has {origin!r}, which is no origin: write scheme and host, e.g. 'https://api.example.com'"
        )
