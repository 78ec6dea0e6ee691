"""Gets the backends, each by the ordinary way it comes: a wheel into an environment of its own, a package unpacked.

Nothing is installed into the system or into the project's environment. What is there already can be named by an
environment variable, and then nothing is fetched.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

PHOENIX: Final = "arize-phoenix==20.26.1"
SUITE: Final = "trixie"
"""Where Debian has VictoriaMetrics: 1.112."""

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcp-ballast" / "backends"


class NotHere(Exception):
    """A backend cannot be had on this machine. The message says what to set."""


def say(sentence: str) -> None:
    """Tell whoever waits."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def phoenix() -> Path:
    """The command `phoenix`: `BALLAST_PHOENIX`, or one in an environment that is made for it (some 0.85 GB).

    Raises:
        NotHere: It cannot be installed.
    """
    if named := os.environ.get("BALLAST_PHOENIX"):
        return Path(named)
    command = CACHE / "phoenix" / "bin" / "phoenix"
    if not command.exists():
        say(f"Installing {PHOENIX} into {CACHE / 'phoenix'} ...")
        _run([sys.executable, "-m", "venv", str(CACHE / "phoenix")], "set BALLAST_PHOENIX")
        _run([str(CACHE / "phoenix" / "bin" / "pip"), "install", "--quiet", PHOENIX], "set BALLAST_PHOENIX")
    return command


def victoria_metrics() -> Path:
    """The command `victoria-metrics`: `BALLAST_VICTORIA_METRICS` (it, or a Debian package that has it), one that is
    installed, or one out of Debian's package, fetched from the mirror that this machine uses anyway.

    Raises:
        NotHere: There is none, and this is no Debian machine.
    """
    named = os.environ.get("BALLAST_VICTORIA_METRICS")
    if named and not named.endswith(".deb"):
        return Path(named)
    if named is None and (installed := shutil.which("victoria-metrics")):
        return Path(installed)
    unpacked = CACHE / "victoria-metrics"
    command = unpacked / "usr" / "bin" / "victoria-metrics"
    if named is not None or not command.exists():
        package = Path(named) if named else _downloaded("victoria-metrics")
        _run(["dpkg", "-x", str(package), str(unpacked)], "set BALLAST_VICTORIA_METRICS to the unpacked command")
    return command


def _downloaded(package: str) -> Path:
    """A package of `SUITE` by apt, with lists of its own, so that the machine's own stay as they are."""
    folder = CACHE / "apt"
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    sources = folder / "suite.sources"
    sources.write_text(_sources())
    options = {
        "Dir::Etc::sourcelist": str(sources),
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": str(folder / "lists"),
        "Dir::Cache::archives": str(folder / "archives"),
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root" if os.geteuid() == 0 else "_apt",
    }
    said = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    hint = f"download the package {package} of Debian {SUITE} and set BALLAST_VICTORIA_METRICS to it"
    say(f"Fetching {package} of Debian {SUITE} ...")
    _run(["apt-get", *said, "--quiet=2", "update"], hint)
    _run(["apt-get", *said, "--quiet=2", "download", package], hint, folder=folder)
    return max(folder.glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)


def _sources() -> str:
    """The machine's own Debian mirror and key, for another suite."""
    for path in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")):
        for paragraph in path.read_text().split("\n\n"):
            fields = dict(re.findall(r"^([\w-]+):\s*(.+)$", paragraph, re.MULTILINE))
            is_debian = "debian-archive-keyring" in fields.get("Signed-By", "")
            if is_debian and "-security" not in fields.get("Suites", ""):
                lines = {"Types": "deb", "URIs": fields["URIs"], "Suites": SUITE, "Components": "main"}
                lines["Signed-By"] = fields["Signed-By"]
                return "".join(f"{name}: {value}\n" for name, value in lines.items())
    raise NotHere(
        "no Debian mirror stands in /etc/apt/sources.list.d/*.sources: set BALLAST_VICTORIA_METRICS to the command "
        f"victoria-metrics, or to Debian's package of it ({SUITE})"
    )


def _run(command: list[str], hint: str, *, folder: Path | None = None) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NotHere(f"{command[0]} is not on this machine: {hint}") from None
    if done.returncode:
        raise NotHere(f"{' '.join(command[:3])} ... failed ({done.stderr.strip()[-300:]}): {hint}")
