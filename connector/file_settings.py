"""`FileSettings`: how much of a stranger's file a connector takes, and from where. Pure."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .addresses import is_loopback
from .errors import DeclarationError

MIB: Final = 1024 * 1024

_COUNTS: Final = (
    "largest", "per_call", "on_disk", "pixels", "pages", "characters", "inflated", "entries", "memory", "readers",
    "jobs",
)  # fmt: skip
_SECONDS: Final = ("within", "stall", "step")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """What is taken of attachments. Bytes, seconds and counts.

    | setting | default | why |
    |---|---|---|
    | `largest` | 50 MiB | of one file; a scanned book has about that, and it comes within `within` over a slow line |
    | `per_call` | 10 | files of one call: what the platform lets a person attach to one message |
    | `on_disk` | 1 GiB | all files that calls hold at once in one process |
    | `within`, `stall` | 30, 10 | a download altogether, and between two of its bytes; ChatGPT waits 119.8 in all |
    | `step` | 20 | one step of reading (some pages, one picture), in wall and processor time |
    | `memory` | 1 GiB | address space of a process that reads; 50 megapixels take 400 MiB while they are turned |
    | `readers`, `jobs` | 2, 100 | processes that read, made when needed; steps before one is replaced |
    | `pixels` | 50,000,000 | of one picture: what the cameras of telephones make |
    | `pages` | 2,000 | handed over for one call of `pages()` |
    | `characters` | 1,000,000 | of one page, or of a whole text: several times what any model reads |
    | `inflated`, `entries` | 256 MiB, 10,000 | what an archive holds once it is unpacked, archives inside it included |
    | `hosts` | () | only these names and names under them are asked for files; empty: any on the public internet |
    | `folder` | None | where files lie while a call runs; None: the system's folder for temporary files |
    | `loopback` | False | this machine may be asked for files, and over http: for tests and development only |
    """

    largest: int = 50 * MIB
    per_call: int = 10
    on_disk: int = 1024 * MIB
    within: float = 30.0
    stall: float = 10.0
    step: float = 20.0
    memory: int = 1024 * MIB
    readers: int = 2
    jobs: int = 100
    pixels: int = 50_000_000
    pages: int = 2_000
    characters: int = 1_000_000
    inflated: int = 256 * MIB
    entries: int = 10_000
    hosts: tuple[str, ...] = ()
    folder: Path | None = None
    loopback: bool = False

    def __post_init__(self) -> None:
        for name in _COUNTS:
            if getattr(self, name) < 1:
                raise DeclarationError(f"files.{name}={getattr(self, name)!r} would refuse every file: set at least 1")
        for name in _SECONDS:
            seconds = getattr(self, name)
            if not (math.isfinite(seconds) and seconds > 0):
                raise DeclarationError(f"files.{name}={seconds!r} must be a positive, finite number of seconds")

    def must_suit(self, public_url: str | None) -> None:
        """Refuse the switch for tests where strangers come in: they could read what this machine tells only itself.

        Raises:
            DeclarationError: `loopback` is set, and so is a public URL that is not of this machine.
        """
        host = None if public_url is None else urlsplit(public_url).hostname
        if self.loopback and host is not None and not (host == "localhost" or is_loopback(host)):
            raise DeclarationError(
                f"files.loopback=True would let callers of {public_url} fetch from this machine: leave it out "
                "(BALLAST_FILES_LOOPBACK), or serve without a public URL while you try things"
            )
