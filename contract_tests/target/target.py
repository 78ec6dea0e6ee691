"""`Target`: what is tested, and where it answers."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is tested: its name as the user gave it, its address, and other addresses to try if that is not MCP.

    `pid` is its process, where that is known: ours, if it is served here.
    """

    name: str
    url: str
    otherwise: tuple[str, ...] = field(default=())
    pid: int | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address, the likeliest first."""
        return (self.url, *self.otherwise)
