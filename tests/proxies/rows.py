"""The proxies of the matrix, as data: what each is told, and what that must mean for a quiet call.

Pure. `idle_cut` is the proxy's own timeout in seconds; `passes_at_once` says whether it hands bytes on as they come.
"""

from dataclasses import dataclass
from typing import Final, Literal

from tests.proxies.backends import BRISK, CONNECTOR, ON_H11

Family = Literal["none", "nginx", "haproxy", "apache", "caddy", "varnish", "lighttpd", "chaos"]

UPSTREAM_1_1: Final = ("proxy_http_version 1.1;", 'proxy_set_header Connection "";')

DEAF: Final = "proxy_ignore_headers X-Accel-Buffering;"

GZIP: Final = ("gzip on;", "gzip_proxied any;", "gzip_min_length 0;", "gzip_types text/event-stream application/json;")

_CADDY: Final = "reverse_proxy BEHIND {\n transport http {\n read_timeout 10s\n keepalive 5s\n }\n }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One proxy. `server` is what stands behind it in the connector's place."""

    key: str
    title: str
    family: Family
    lines: tuple[str, ...] = ()
    idle_cut: float | None = None
    passes_at_once: bool = True
    delivers: bool = True
    server: str = CONNECTOR


ROWS: Final = (
    Row(key="none", title="no proxy", family="none"),
    Row(key="nginx", title="nginx, defaults", family="nginx", idle_cut=60),
    Row(
        key="nginx-10s",
        title="nginx, `proxy_buffering on; proxy_read_timeout 10s`",
        family="nginx",
        lines=(*UPSTREAM_1_1, "proxy_buffering on;", "proxy_read_timeout 10s;"),
        idle_cut=10,
    ),
    Row(
        key="nginx-gzip",
        title="the same, `gzip on` for event streams and JSON",
        family="nginx",
        lines=(*UPSTREAM_1_1, *GZIP, "proxy_buffering on;", "proxy_read_timeout 10s;"),
        idle_cut=10,
    ),
    Row(
        key="nginx-deaf",
        title="nginx, `proxy_http_version 1.1; proxy_ignore_headers X-Accel-Buffering; proxy_read_timeout 10s`",
        family="nginx",
        lines=(*UPSTREAM_1_1, DEAF, "proxy_buffering on;", "proxy_read_timeout 10s;"),
        idle_cut=10,
    ),
    Row(
        key="nginx-deaf-1.0",
        title="nginx, `proxy_ignore_headers X-Accel-Buffering; proxy_read_timeout 10s`, `uvicorn --http h11`",
        family="nginx",
        lines=(DEAF, "proxy_buffering on;", "proxy_read_timeout 10s;"),
        idle_cut=10,
        passes_at_once=False,
        server=ON_H11,
    ),
    Row(
        key="nginx-deaf-gzip",
        title="nginx, `proxy_ignore_headers X-Accel-Buffering; proxy_read_timeout 10s`, `gzip on` for both",
        family="nginx",
        lines=(*UPSTREAM_1_1, *GZIP, DEAF, "proxy_buffering on;", "proxy_read_timeout 10s;"),
        idle_cut=10,
        passes_at_once=False,
    ),
    Row(
        key="haproxy-10s",
        title="HAProxy, `timeout server 10s`",
        family="haproxy",
        lines=("timeout server 10s",),
        idle_cut=10,
    ),
    Row(
        key="haproxy-tunnel",
        title="HAProxy, `timeout server 10s; timeout tunnel 1h`",
        family="haproxy",
        lines=("timeout server 10s", "timeout tunnel 1h"),
        idle_cut=10,
    ),
    Row(
        key="haproxy-gzip",
        title="HAProxy, `timeout server 10s; compression algo gzip`",
        family="haproxy",
        lines=("timeout server 10s", "compression algo gzip", "compression type text/event-stream application/json"),
        idle_cut=10,
    ),
    Row(
        key="haproxy-hold",
        title="HAProxy, `timeout server 10s; http-response wait-for-body time 120s`",
        family="haproxy",
        lines=("timeout server 10s", "http-response wait-for-body time 120s"),
        idle_cut=10,
        passes_at_once=False,
    ),
    Row(
        key="haproxy-3s",
        title="HAProxy, `timeout server 3s`",
        family="haproxy",
        lines=("timeout server 3s",),
        idle_cut=3,
        delivers=False,
    ),
    Row(
        key="haproxy-3s-brisk",
        title="the same, connector with `BALLAST_HEARTBEAT_INTERVAL=1`",
        family="haproxy",
        lines=("timeout server 3s",),
        idle_cut=3,
        server=BRISK,
    ),
    Row(
        key="apache-10s",
        title="Apache httpd, `ProxyTimeout 10`",
        family="apache",
        lines=("ProxyTimeout 10",),
        idle_cut=10,
    ),
    Row(
        key="apache-gzip",
        title="the same, `SetOutputFilter DEFLATE`",
        family="apache",
        lines=("ProxyTimeout 10", "SetOutputFilter DEFLATE"),
        idle_cut=10,
    ),
    Row(
        key="caddy-10s",
        title="Caddy, `read_timeout 10s; keepalive 5s`",
        family="caddy",
        lines=(_CADDY,),
        idle_cut=10,
    ),
    Row(key="caddy-gzip", title="the same, `encode gzip`", family="caddy", lines=(_CADDY, "encode gzip"), idle_cut=10),
    Row(
        key="varnish-10s",
        title="Varnish, `first_byte_timeout` and `between_bytes_timeout` of 10 s",
        family="varnish",
        lines=(".first_byte_timeout = 10s;", ".between_bytes_timeout = 10s;"),
        idle_cut=10,
    ),
    Row(
        key="lighttpd-10s",
        title='lighttpd, `"read-timeout" => 10`',
        family="lighttpd",
        lines=('"read-timeout" => 10',),
        idle_cut=10,
        passes_at_once=False,
    ),
    Row(
        key="lighttpd-stream",
        title="the same, `server.stream-response-body = 1`",
        family="lighttpd",
        lines=('"read-timeout" => 10', "server.stream-response-body = 1"),
        idle_cut=10,
    ),
    Row(key="silence-10s", title="a proxy that cuts after 10 s of silence", family="chaos", idle_cut=10),
    Row(key="throttle", title="a proxy that lets 400 bytes a second through", family="chaos"),
)
