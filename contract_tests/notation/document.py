"""YAML as JSON would read it, and the line every value came from.

YAML 1.1 turns `2026-07-28` into a date and `on` into true, which would change what goes on the wire. Here only
`true`, `false`, `null`, and decimal numbers are anything but strings; a member that appears twice is an error.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

try:  # libyaml's parser, where PyYAML was built with it: the same language in a fifth of the time
    from yaml import CSafeLoader as _Loader
except ImportError:
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]  # both make the same nodes

from ..errors import SessionFileError


class _PlainLoader(_Loader):
    """YAML with the scalars of JSON: no dates, no `yes`, no octal, no sexagesimal numbers, no merge keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute


_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$"),
    list("-0123456789"),
)


class Document:
    """One parsed file: its value, and which line a path of keys and indexes came from."""

    def __init__(self, path: Path | str, root: yaml.Node, value: Any) -> None:
        self.path = path
        self.value = value
        self._root = root

    def line(self, place: Sequence[str | int]) -> int:
        """Return the line (from 1) of the value at `place`, or of the nearest thing around it that exists."""
        node = self._root
        for key in place:
            inner = _child(node, key)
            if inner is None:
                break
            node = inner
        return int(node.start_mark.line) + 1

    def error(self, place: Sequence[str | int], problem: str, remedy: str) -> SessionFileError:
        """Make the error for what stands at `place`."""
        return SessionFileError(self.path, self.line(place), dotted(place), problem, remedy)


def parse(text: str, path: Path | str) -> Document:
    """Parse one YAML document.

    Raises:
        SessionFileError: it is not YAML, is empty, or names a member twice.
    """
    loader = _PlainLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise SessionFileError(path, 1, "", "The file is empty.", "Write one session in it, or delete it.")
        _refuse_repeated_members(root, path)
        return Document(path, root, loader.construct_document(root))
    except yaml.MarkedYAMLError as problem:
        raise _syntax_error(problem, path) from problem
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        raise SessionFileError(path, 1, "", f"This is not YAML: {problem}.", "Correct it.") from problem
    finally:
        loader.dispose()


def dotted(place: Sequence[str | int]) -> str:
    """Write a place for people: `steps[2].send.json`."""
    text = ""
    for key in place:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def _child(node: yaml.Node, key: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        found: yaml.Node = node.value[key]
        return found
    return None


def _mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for name, value in node.value:
            yield from _mappings(name)
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _mappings(item)


def _refuse_repeated_members(root: yaml.Node, path: Path | str) -> None:
    for mapping in _mappings(root):
        seen: set[str] = set()
        for name, _ in mapping.value:
            if not isinstance(name, yaml.ScalarNode):
                continue
            if name.value in seen:
                line = name.start_mark.line + 1
                raise SessionFileError(
                    path, line, str(name.value), f"The member {name.value!r} appears twice.", "Remove one."
                )
            seen.add(name.value)


def _syntax_error(problem: yaml.MarkedYAMLError, path: Path | str) -> SessionFileError:
    mark = problem.problem_mark or problem.context_mark
    line = mark.line + 1 if mark else 1
    said = " ".join(part for part in (problem.context, problem.problem) if part)
    return SessionFileError(
        path, line, "", f"This is not YAML: {said}.", "Check indentation, quotes and brackets here."
    )
