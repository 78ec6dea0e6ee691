"""nginx as a proxy: one process for all rows, everything in a folder of its own, no privileges needed."""

import os
from pathlib import Path
from typing import Final

from tests.proxies.front import Front, Site, Sites

_TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def _configuration(sites: Sites, folder: Path) -> str:
    user = "user root;" if os.geteuid() == 0 else ""  # the workers must reach a folder that only its owner may enter
    temporary = "\n".join(f"  {name}_temp_path {folder / name};" for name in _TEMPORARY)
    servers = "\n".join(_server(port, site) for port, site in sites.values())
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


def _server(port: int, site: Site) -> str:
    lines = "\n".join(f"      {line}" for line in site.lines)
    return f"""  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{site.behind};
{lines}
    }}
  }}"""


nginx: Final = Front(
    program="nginx",
    file="nginx.conf",
    configuration=_configuration,
    command=lambda binary, file, _: [binary, "-p", str(file.parent), "-c", str(file)],
)
