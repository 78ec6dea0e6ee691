"""Varnish as a proxy: one process for all rows, everything in a folder of its own, no privileges needed."""

from pathlib import Path
from typing import Final

from tests.proxies.front import Front, Site, Sites


def _configuration(sites: Sites, _: Path) -> str:
    backends = "".join(_backend(number, site) for number, (_, site) in enumerate(sites.values()))
    chosen = "".join(
        f'  if (local.socket == "s{number}") {{ set req.backend_hint = b{number}; }}\n' for number in range(len(sites))
    )
    return f"vcl 4.1;\n{backends}sub vcl_recv {{\n{chosen}}}\n"


def _backend(number: int, site: Site) -> str:
    lines = "".join(f"  {line}\n" for line in site.lines)
    return f"""backend b{number} {{
  .host = "127.0.0.1";
  .port = "{site.behind}";
{lines}}}
"""


def _command(binary: str, file: Path, sites: Sites) -> list[str]:
    listening = [
        word for number, (port, _) in enumerate(sites.values()) for word in ("-a", f"s{number}=127.0.0.1:{port}")
    ]
    work = file.parent / "varnish"
    return [binary, "-F", "-f", str(file), "-n", str(work), "-s", "default,16m", "-j", "none", *listening]


varnish: Final = Front(program="varnishd", file="default.vcl", configuration=_configuration, command=_command)
