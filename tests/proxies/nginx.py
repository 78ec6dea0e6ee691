"""nginx as a proxy: one process for all rows, everything in a folder of its own, no privileges needed."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.proxies.processes import Program, free_ports, installed, running

_TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One listening port: extra configuration, and the loopback port behind it."""

    lines: Sequence[str]
    behind: int


@contextmanager
def nginx(sites: Mapping[str, Site], folder: Path) -> Iterator[dict[str, int]]:
    """Run nginx in front of every site; gives the ports by name."""
    binary = installed("nginx")
    ports: dict[str, int] = {}

    def programs() -> list[Program]:
        ports.update(zip(sites, free_ports(len(sites)), strict=True))
        file = folder / "nginx.conf"
        file.write_text(_configuration(sites, ports, folder))
        return [Program(command=[binary, "-p", str(folder), "-c", str(file)], ports=list(ports.values()))]

    with running(programs, folder):
        yield ports


def _configuration(sites: Mapping[str, Site], ports: Mapping[str, int], folder: Path) -> str:
    user = "user root;" if os.geteuid() == 0 else ""  # the workers must reach a folder that only its owner may enter
    temporary = "\n".join(f"  {name}_temp_path {folder / name};" for name in _TEMPORARY)
    servers = "\n".join(_server(site, ports[name]) for name, site in sites.items())
    return f"""{user}
daemon off;
worker_processes 1;
pid {folder / "nginx.pid"};
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
{temporary}
{servers}
}}
"""


def _server(site: Site, port: int) -> str:
    lines = "\n".join(f"      {line}" for line in site.lines)
    return f"""  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{site.behind};
{lines}
    }}
  }}"""
