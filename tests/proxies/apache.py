"""Apache httpd as a proxy: one process for all rows, everything in a folder of its own, no privileges needed."""

import os
from pathlib import Path
from typing import Final

from tests.proxies.front import Front, Site, Sites

_MODULES: Final = Path("/usr/lib/apache2/modules")
_LOADED: Final = ("mpm_event", "authz_core", "filter", "deflate", "proxy", "proxy_http")


def _configuration(sites: Sites, folder: Path) -> str:
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    modules = "\n".join(f"LoadModule {name}_module {_MODULES / f'mod_{name}.so'}" for name in _LOADED)
    return f"""ServerRoot {folder}
ServerName localhost
PidFile {folder / "httpd.pid"}
Mutex posixsem
ErrorLog /dev/stderr
{modules}
{user}
ThreadsPerChild 64
ServerLimit 8
MaxRequestWorkers 512
{"".join(_host(port, site) for port, site in sites.values())}"""


def _host(port: int, site: Site) -> str:
    lines = "".join(f"  {line}\n" for line in site.lines)
    return f"""Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
  ProxyPass / http://127.0.0.1:{site.behind}/
{lines}</VirtualHost>
"""


apache: Final = Front(
    program="apache2",
    file="httpd.conf",
    configuration=_configuration,
    command=lambda binary, file, _: [binary, "-DFOREGROUND", "-f", str(file)],
)
