"""HAProxy as a proxy: one process for all rows, everything in a folder of its own, no privileges needed."""

from pathlib import Path
from typing import Final

from tests.proxies.front import Front, Site, Sites


def _configuration(sites: Sites, _: Path) -> str:
    head = """global
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 10s
"""
    return head + "".join(_section(number, *placed) for number, placed in enumerate(sites.values(), 1))


def _section(number: int, port: int, site: Site) -> str:
    lines = "".join(f"  {line}\n" for line in site.lines)
    return f"""listen site-{number}
  bind 127.0.0.1:{port}
{lines}  server behind 127.0.0.1:{site.behind}
"""


haproxy: Final = Front(
    program="haproxy",
    file="haproxy.cfg",
    configuration=_configuration,
    command=lambda binary, file, _: [binary, "-db", "-f", str(file)],
)
