"""What people wrote beside the lines of a lock file, and how it comes to stand there again. Pure text.

A comment belongs to the next line with a key; one at the end of a line to that line. If that line is gone, the comment
moves to the nearest thing around it that is left, and says where it came from. None is ever dropped.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from .lockwriting import Line

_Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comments:
    """Comments by the path of the line they stand above or beside; `last` are those after everything."""

    above: Mapping[_Path, tuple[str, ...]] = field(default_factory=dict)
    beside: Mapping[_Path, str] = field(default_factory=dict)
    last: tuple[str, ...] = ()

    def woven(self, lines: Sequence[Line]) -> tuple[str, tuple[str, ...]]:
        """The whole text with the comments in it, and those that had to move."""
        there = {line.path for line in lines if line.path}
        moved: dict[_Path, list[str]] = {}
        for path, text in self._homeless(there):
            home = next((path[:size] for size in range(len(path) - 1, 0, -1) if path[:size] in there), ())
            moved.setdefault(home, []).append(f"# ({' > '.join(path)}) {text.lstrip('# ')}")
        out: list[str] = []
        for line in lines:
            margin = line.text[: len(line.text) - len(line.text.lstrip())]
            if line.path:
                out += [margin + text for text in (*self.above.get(line.path, ()), *moved.get(line.path, ()))]
            beside = self.beside.get(line.path, "") if line.path else ""
            out.append(f"{line.text}  {beside}" if beside else line.text)
        out += [*moved.get((), ()), *self.last]
        return "\n".join(out) + "\n", tuple(text for texts in moved.values() for text in texts)

    def _homeless(self, there: Collection[_Path]) -> Iterator[tuple[_Path, str]]:
        for path, texts in self.above.items():
            yield from ((path, text) for text in texts if path not in there)
        yield from ((path, text) for path, text in self.beside.items() if path not in there)


def comments_of(text: str, *, own: Collection[str]) -> Comments:
    """Find the comments of a text that is known to be a good lock file; `own` are lines that are written anyway."""
    lines = text.splitlines()
    keys = dict(_keys(yaml.compose(text, Loader=yaml.SafeLoader), ()))  # the line of each path; YAML was checked before
    by_line = {number: path for path, (number, _) in keys.items()}
    above: dict[_Path, tuple[str, ...]] = {}
    waiting: list[str] = []
    for number, line in enumerate(lines):
        said = line.strip()
        if said.startswith("#") and said not in own:
            waiting.append(said)
        if number in by_line and waiting:
            above[by_line[number]], waiting = tuple(waiting), []
    beside = {path: said for path, (number, column) in keys.items() if (said := _after(lines[number], column))}
    return Comments(above=above, beside=beside, last=tuple(waiting))


def _keys(node: yaml.Node | None, path: _Path) -> Iterator[tuple[_Path, tuple[int, int]]]:
    """Every path with the line it stands on, and the column where what it says ends."""
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        own = (*path, str(key.value))
        is_same_line = value.end_mark.line == key.end_mark.line
        yield own, (key.start_mark.line, value.end_mark.column if is_same_line else key.end_mark.column + 1)
        yield from _keys(value, own)


def _after(line: str, column: int) -> str:
    said = line[column:].strip()
    return said if said.startswith("#") else ""
