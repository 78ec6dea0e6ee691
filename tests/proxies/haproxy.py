"""HAProxy as a proxy: one process for all rows, everything in a folder of its own, no privileges needed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.proxies.nginx import Site
from tests.proxies.processes import Program, free_ports, installed, running


@contextmanager
def haproxy(sites: Mapping[str, Site], folder: Path) -> Iterator[dict[str, int]]:
    """Run HAProxy in front of every site; gives the ports by name."""
    binary = installed("haproxy")
    ports: dict[str, int] = {}

    def programs() -> list[Program]:
        ports.update(zip(sites, free_ports(len(sites)), strict=True))
        file = folder / "haproxy.cfg"
        file.write_text(_configuration(sites, ports))
        return [Program(command=[binary, "-db", "-f", str(file)], ports=list(ports.values()))]

    with running(programs, folder):
        yield ports


def _configuration(sites: Mapping[str, Site], ports: Mapping[str, int]) -> str:
    head = """global
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 10s
"""
    return head + "".join(_section(number, site, ports[name]) for number, (name, site) in enumerate(sites.items(), 1))


def _section(number: int, site: Site, port: int) -> str:
    lines = "".join(f"  {line}\n" for line in site.lines)
    return f"""listen site-{number}
  bind 127.0.0.1:{port}
{lines}  server behind 127.0.0.1:{site.behind}
"""
