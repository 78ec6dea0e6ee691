"""What a step of reading may take. The same values on both sides of the wire."""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds, bytes and counts; see `FileSettings` for what each means and why."""

    step: float
    memory: int
    pixels: int
    characters: int
    inflated: int
    entries: int

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The other way round."""
        return cls(**data)
