"""What to set in a proxy that holds streams back. Only what was tried on that proxy stands under its name."""

from typing import Final

_NGINX: Final = (
    "nginx: `proxy_buffering off;` in the location. Or let it honour X-Accel-Buffering (no `proxy_ignore_headers`), "
    "with `proxy_http_version 1.1;` and no `gzip` for text/event-stream."
)
_HAPROXY: Final = "HAProxy: no `http-response wait-for-body` for this backend."
_OTHERS: Final = "Other proxies and edges: no response buffering and no compression for text/event-stream on this path."

_NGINX_TIME: Final = "nginx: a `proxy_read_timeout` above the longest silence."
_HAPROXY_TIME: Final = "HAProxy: a `timeout server` above the longest silence; `timeout tunnel` does not count here."
_SERVER_TIME: Final = "The server: a heartbeat on every response at least every 5 s, which makes any of them last."


def against_buffering(carriers: str) -> tuple[str, ...]:
    """What makes streams pass, for the proxy that names itself, else for those that may be there unnamed."""
    return (_NGINX,) if _is_nginx(carriers) else (_NGINX, _HAPROXY, _OTHERS)


def against_cuts(carriers: str) -> tuple[str, ...]:
    """What keeps a silent call from being cut."""
    return (_SERVER_TIME, _NGINX_TIME) if _is_nginx(carriers) else (_SERVER_TIME, _NGINX_TIME, _HAPROXY_TIME)


def _is_nginx(carriers: str) -> bool:
    said = carriers.lower()
    return "nginx" in said or "openresty" in said
