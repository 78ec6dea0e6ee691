"""How long a call may take to be answered, and how much is sent at once: settings, and one sum of them. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .errors import DeclarationError

SMALLEST_BUDGET: Final = 1024
"""Bytes. The words that say how to get the rest take up to 600 of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSettings:
    """When a call is answered that has not ended, and how much of a result is sent at once. Seconds and bytes.

    | setting | default | why |
    |---|---|---|
    | `limits` | {} | seconds by surface (`chatgpt`, `responses-api`, ...), instead of what is known of it |
    | `otherwise` | 60 | the limit of who is not known: several clients give up after a minute (incident D-04) |
    | `margin` | 5 | so long before the limit: the client's clock starts earlier, and a call may wait for its place |
    | `longest` | 3600 | a read that goes on without anybody waiting is stopped then, if it has no `deadline` |
    | `kept` | 3600 | how long what goes on can be continued, counted from the last thing that happened to it |
    | `rest_kept` | 300 | how long what was kept back of a large result can be fetched: every such result is stored |
    | `checkpoint` | 2 | what there is of it is stored that often; what a crash can lose |
    | `at_once` | 100 | how many reads may go on in one process without anybody waiting; one more is stopped instead |
    | `most` | 1,048,576 | of one call's partial content is kept; the final result is not touched by it |
    | `budget` | 8,192 | of text in one answer: hosts cut at about 10 KB without a word (incident F-03) |
    | `budgets` | {} | the same by surface, instead of what is known of it |
    | `inline` | 1,048,576 | of one image, sound or file; a link stands for larger ones (5 MB failed: incident F-02) |
    """

    limits: Mapping[str, float] = field(default_factory=dict)
    otherwise: float = 60.0
    margin: float = 5.0
    longest: float = 3600.0
    kept: float = 3600.0
    rest_kept: float = 300.0
    checkpoint: float = 2.0
    at_once: int = 100
    most: int = 1024 * 1024
    budget: int = 8 * 1024
    budgets: Mapping[str, int] = field(default_factory=dict)
    inline: int = 1024 * 1024

    def __post_init__(self) -> None:
        for name in ("otherwise", "margin", "longest", "kept", "rest_kept", "checkpoint", "at_once", "most", "budget"):
            _require_positive(name, getattr(self, name))
        _require_positive("inline", self.inline)
        for surface, seconds in self.limits.items():
            _require_positive(f"limits[{surface!r}]", seconds)
        for name, size in {"budget": self.budget, **{f"budgets[{s!r}]": n for s, n in self.budgets.items()}}.items():
            if size < SMALLEST_BUDGET:
                raise DeclarationError(
                    f"{name}={size!r} leaves no room for the words around it: set {SMALLEST_BUDGET} at least"
                )

    def patience(self, surface: str, known: float | None) -> float:
        """Seconds from the arrival of a call to its answer, for a surface whose limit is `known`, if it is.

        Half of a limit that is shorter than twice the margin.
        """
        limit = self.limits.get(surface) or known or self.otherwise
        return max(limit - self.margin, limit / 2)


def _require_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise DeclarationError(f"{name}={value!r} must be a positive, finite number")
