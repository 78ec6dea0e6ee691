"""What the operating system knows of a process here: its memory and its open files. Elsewhere than on Linux: None."""

import os
from pathlib import Path


def resident(pid: int | None) -> int | None:
    """Bytes of memory a process has; None if that cannot be known."""
    if pid is None:
        return None
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("VmRSS:")), None)
    return None if found is None else int(found) * 1024


def open_files(pid: int | None) -> int | None:
    """Files and sockets a process has open; None if that cannot be known, or if ours would count too."""
    if pid is None or pid == os.getpid():
        return None
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return None
