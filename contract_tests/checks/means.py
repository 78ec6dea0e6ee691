"""`Means`: what a target can be asked beyond requests, as the user said it. Empty values mean: not said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What goes beyond requests.

    `counter` is an address or the name of a tool that gives how often the `write` tool had its effect. `workers` are
    addresses of processes of the same server, `hosts` the names it is meant to answer to. `pid` gives its process.
    `long_write` writes and outlasts the deadline, `blocking_tool` takes about three seconds without giving way,
    `echo_meta` gives back the `_meta` it was sent, `token_hash` a hash of the token, `change_tool` changes the list of
    tools. `upload` and `download` name a `tool`, and what its arguments for content and sizes are called.
    """

    is_slow: bool = False
    is_destructive: bool = False
    write: str = ""
    counter: str = ""
    workers: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    removed_tools: tuple[str, ...] = ()
    published_ui: tuple[str, ...] = ()
    earlier: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    """Arguments that earlier releases accepted, by tool."""
    pid: Callable[[], int | None] | None = None
    leave: Callable[[], None] | None = None
    """Asks the process to leave (SIGTERM), waits until it is gone, and starts it again."""
    health: str = "/health"
    long_write: str = ""
    blocking_tool: str = ""
    echo_meta: str = ""
    token_hash: str = ""
    change_tool: str = ""
    upload: Mapping[str, str] = field(default_factory=dict)
    download: Mapping[str, str] = field(default_factory=dict)
