"""lighttpd as a proxy: one process for all rows, everything in a folder of its own, no privileges needed."""

from pathlib import Path
from typing import Final

from tests.proxies.front import Front, Site, Sites


def _configuration(sites: Sites, folder: Path) -> str:
    (first, _), *_ = sites.values()
    return f"""server.modules = ("mod_proxy", "mod_deflate")
server.document-root = "{folder}"
server.bind = "127.0.0.1"
server.port = {first}
server.upload-dirs = ("{folder}")
server.max-fds = 8192
{"".join(_socket(port, site) for port, site in sites.values())}"""


def _socket(port: int, site: Site) -> str:
    options = "".join(f", {line}" for line in site.lines if line.startswith('"'))
    lines = "".join(f"  {line}\n" for line in site.lines if not line.startswith('"'))
    return f"""$SERVER["socket"] == "127.0.0.1:{port}" {{
{lines}  proxy.server = ("" => (("host" => "127.0.0.1", "port" => {site.behind}{options})))
}}
"""


lighttpd: Final = Front(
    program="lighttpd",
    file="lighttpd.conf",
    configuration=_configuration,
    command=lambda binary, file, _: [binary, "-D", "-f", str(file)],
)
