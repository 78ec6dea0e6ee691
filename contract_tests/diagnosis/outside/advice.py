"""What to set in a proxy that holds streams back or cuts them. Only what was tried on that proxy stands under its name:
the rows of `python -m tests.proxies`, and what docs/proxies.md says was seen by hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proxy:
    """One proxy: how it names itself in `Server` or `Via`, and what makes streams and silent calls pass."""

    names: tuple[str, ...]
    streams: str = ""
    time: str


_KNOWN: Final = (
    _Proxy(
        names=("nginx", "openresty"),
        streams="nginx: `proxy_buffering off;` in the location. Or let it honour X-Accel-Buffering (no "
        "`proxy_ignore_headers`), with `proxy_http_version 1.1;` and no `gzip` for text/event-stream.",
        time="nginx: a `proxy_read_timeout` above the longest silence.",
    ),
    _Proxy(
        names=("haproxy",),
        streams="HAProxy: no `http-response wait-for-body` for this backend.",
        time="HAProxy: a `timeout server` above the longest silence; `timeout tunnel` does not count here.",
    ),
    _Proxy(
        names=("lighttpd",),
        streams="lighttpd: `server.stream-response-body = 1`; by default it holds every reply back to its end.",
        time='lighttpd: a `"read-timeout"` in `proxy.server` above the longest silence.',
    ),
    _Proxy(
        names=("caddy",),
        streams="Caddy: no `encode` for text/event-stream with a `minimum_length` below the default.",
        time="Caddy: a `read_timeout` of the transport above the longest silence, and `keepalive` below it.",
    ),
    _Proxy(names=("apache",), time="Apache httpd: a `ProxyTimeout` above the longest silence."),
    _Proxy(
        names=("varnish",),
        time="Varnish: `first_byte_timeout` and `between_bytes_timeout` of the backend above the longest silence.",
    ),
)
_OTHERS: Final = "Other proxies and edges: no response buffering and no compression for text/event-stream on this path."
_SERVER_TIME: Final = "The server: a heartbeat on every response at least every 5 s, which makes any of them last."


def against_buffering(carriers: str) -> tuple[str, ...]:
    """What makes streams pass, for the proxy that names itself, else for those that may be there unnamed."""
    named = tuple(proxy.streams for proxy in _named(carriers) if proxy.streams)
    return named or (*(proxy.streams for proxy in _KNOWN if proxy.streams), _OTHERS)


def against_cuts(carriers: str) -> tuple[str, ...]:
    """What keeps a silent call from being cut."""
    return (_SERVER_TIME, *(proxy.time for proxy in _named(carriers) or _KNOWN))


def _named(carriers: str) -> Sequence[_Proxy]:
    said = carriers.lower()
    return [proxy for proxy in _KNOWN if any(name in said for name in proxy.names)]
