"""The command `mcp-ballast`: options in, exit code out. 0: it holds; 1: a finding; 2: wrong usage or nothing to judge.

Every option can also stand in ballast.toml; what is typed wins. Nothing here is denied to library users.
"""

import click

from .commands.canary import canary
from .commands.client_documents import client_documents
from .commands.diagnose import diagnose
from .commands.drift import drift
from .commands.nightly import nightly
from .commands.record import record
from .commands.serve import serve
from .commands.sessions import sessions
from .commands.test import test


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mcp-ballast", prog_name="mcp-ballast")
def main() -> None:
    """Replay how ChatGPT and other hosts call an MCP server, and say what would break.

    TARGET is an address (https://...), module:attribute, or file.py[:attribute].
    """


for _command in (test, sessions, client_documents, diagnose, drift, canary, nightly, record, serve):
    main.add_command(_command)
