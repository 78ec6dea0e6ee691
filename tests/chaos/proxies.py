"""HAProxy and nginx before the workers, told to send a request again whatever it may have done: the worst they can be.

These are the settings with which one client's POST was seen to run three times on two nodes (HAProxy) and twice on two
(nginx).
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.proxies.processes import Program, free_ports, installed, running

_HAPROXY: Final = """global
  maxconn 4096
defaults
  mode http
  timeout connect 1s
  timeout client 40s
  timeout server 3s
  retries 3
  option redispatch 1
  retry-on all-retryable-errors
listen all
  bind 127.0.0.1:{port}
  balance roundrobin
{servers}
"""

_NGINX: Final = """{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream workers {{
{servers}
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://workers;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_connect_timeout 1s;
      proxy_read_timeout 2s;
      proxy_next_upstream error timeout http_502 http_503 non_idempotent;
      proxy_next_upstream_tries 3;
    }}
  }}
}}
"""


@contextmanager
def proxies(workers: Sequence[int], folder: Path) -> Iterator[dict[str, int]]:
    """Both, each before all workers; gives the ports by name."""
    haproxy, nginx = installed("haproxy"), installed("nginx")
    ports: dict[str, int] = {}

    def programs() -> list[Program]:
        ports.update(zip(("haproxy", "nginx"), free_ports(2), strict=True))
        files = folder / "haproxy.cfg", folder / "nginx.conf"
        files[0].write_text(_for_haproxy(ports["haproxy"], workers))
        files[1].write_text(_for_nginx(ports["nginx"], workers, folder))
        return [
            Program(command=[haproxy, "-db", "-f", str(files[0])], ports=[ports["haproxy"]]),
            Program(command=[nginx, "-p", str(folder), "-c", str(files[1])], ports=[ports["nginx"]]),
        ]

    with running(programs, folder):
        yield ports


def _for_haproxy(port: int, workers: Sequence[int]) -> str:
    servers = "\n".join(f"  server worker-{worker} 127.0.0.1:{worker}" for worker in workers)
    return _HAPROXY.format(port=port, servers=servers)


def _for_nginx(port: int, workers: Sequence[int], folder: Path) -> str:
    user = "user root;" if os.geteuid() == 0 else ""  # its workers must reach a folder that only its owner may enter
    servers = "\n".join(f"    server 127.0.0.1:{worker} max_fails=0;" for worker in workers)
    return _NGINX.format(user=user, folder=folder, port=port, servers=servers)
