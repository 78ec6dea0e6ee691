"""Caddy as a proxy: one process for all rows, everything in a folder of its own, no privileges needed."""

from pathlib import Path
from typing import Final

from tests.proxies.front import Front, Site, Sites


def _configuration(sites: Sites, folder: Path) -> str:
    head = f"""{{
  admin off
  auto_https off
  storage file_system {folder / "caddy"}
}}
"""
    return head + "".join(_site(*placed) for placed in sites.values())


def _site(port: int, site: Site) -> str:
    lines = "".join(f"  {line}\n" for line in site.lines).replace("BEHIND", f"127.0.0.1:{site.behind}")
    return f"""http://:{port} {{
  bind 127.0.0.1
{lines}}}
"""


caddy: Final = Front(
    program="caddy",
    file="Caddyfile",
    configuration=_configuration,
    command=lambda binary, file, _: [binary, "run", "--adapter", "caddyfile", "--config", str(file)],
)
