"""What every proxy program of the matrix has: a configuration for all its sites, and a command that runs it.

Decides how one is started in front of several ports, in a folder of its own. What it is told is written beside this.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.proxies.processes import Program, free_ports, installed, running


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One listening port: extra configuration, and the loopback port behind it."""

    lines: Sequence[str]
    behind: int


Sites = Mapping[str, tuple[int, Site]]
"""name → the port to listen on, and what is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """A proxy program. `configuration` gives the text of its file for some sites, in a folder it may write to."""

    program: str
    file: str
    configuration: Callable[[Sites, Path], str]
    command: Callable[[str, Path, Sites], Sequence[str]]

    @contextmanager
    def __call__(self, sites: Mapping[str, Site], folder: Path) -> Iterator[dict[str, int]]:
        """Run it in front of every site; gives the ports by name."""
        binary = installed(self.program)
        ports: dict[str, int] = {}

        def programs() -> list[Program]:
            ports.update(zip(sites, free_ports(len(sites)), strict=True))
            placed = {name: (ports[name], site) for name, site in sites.items()}
            file = folder / self.file
            file.write_text(self.configuration(placed, folder))
            return [Program(command=self.command(binary, file, placed), ports=list(ports.values()))]

        with running(programs, folder):
            yield ports
