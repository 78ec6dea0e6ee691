"""`Placeholders`: what is written instead of a secret. The same value gets the same placeholder in one recording.

Holds the values themselves, in memory, to keep equality and to look for them in what is about to be written.
"""

from itertools import islice
from typing import Any

from .plain import is_plain, slug

SHORTEST_SOUGHT = 8
"""Characters: a shorter value would be found in innocent text."""


class Placeholders:
    """Gives `{subject-1}` for a text, and small numbers for numbers."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[str, int]] = {}
        self._counts: dict[str, int] = {}
        self._numbers: dict[float, int] = {}
        self._sought: dict[str, str] = {}

    def text(self, kind: str, value: str, *, is_credential: bool = False) -> str:
        """The placeholder of a value; `kind` is what it is called where it is first met."""
        name = self.bare(kind, value, is_credential=is_credential)
        return f"{{{name}}}"

    def bare(self, kind: str, value: str, *, is_credential: bool = False) -> str:
        """The same without braces, for addresses."""
        if value not in self._of:
            noun = slug(kind, "text")
            self._counts[noun] = self._counts.get(noun, 0) + 1
            self._of[value] = (noun, self._counts[noun])
        noun, number = self._of[value]
        if len(value) >= SHORTEST_SOUGHT and (is_credential or not is_plain(value)):
            self._sought.setdefault(value, f"{{{noun}-{number}}}")
        return f"{noun}-{number}"

    def number(self, value: float) -> float:
        """A small number for a number, of the same JSON type."""
        count = self._numbers.setdefault(value, len(self._numbers) + 1)
        return count if isinstance(value, int) else count + 0.5

    @property
    def known(self) -> int:
        """How many secrets are looked for; those of before stay the first of them."""
        return len(self._sought)

    def is_in(self, text: str, *, since: int = 0) -> bool:
        """Whether a secret stands in a text, of those that became known `since` so many."""
        return any(value in text for value in islice(self._sought, since, None))

    def sweep(self, data: Any) -> Any:
        """Data about to be written, with every known secret replaced wherever it stands. The last line of defence."""
        if isinstance(data, str):
            return self._swept(data)
        if isinstance(data, dict):
            return {self._swept(key): self.sweep(value) for key, value in data.items()}
        return [self.sweep(item) for item in data] if isinstance(data, list) else data

    def _swept(self, text: str) -> str:
        if len(text) >= SHORTEST_SOUGHT:
            for value, placeholder in self._sought.items():
                if value in text:
                    text = text.replace(value, placeholder)
        return text
