"""Session files as text, and their way to the disk: whole, or as they were before.

JSON is valid in a session file, so leaves are written as JSON and the rest as a person would write it.
"""

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any, Final

_FLOW: Final = frozenset(
    {"json", "form", "query", "conforms", "status", "media", "ending", "needs", "known", "unknown"}
)
"""Members that are written on one line, as JSON."""

_BARE = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*|20\d\d-\d\d-\d\d")
_WIDTH = 120
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_WORDS = frozenset({"true", "false", "null"})
# What YAML forbids in a stream even between quotes; JSON has an escape for each.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def as_yaml(value: dict[str, Any], indent: int = 0) -> str:
    """A mapping in block style, its lines indented by so many columns."""
    return "".join(_member(name, inner, " " * indent, indent) for name, inner in value.items())


def as_item(value: dict[str, Any], indent: int) -> str:
    """A mapping as an item of a list."""
    text = as_yaml(value, indent + 2)
    return " " * indent + "- " + text[indent + 2 :]


def replace_file(path: Path, text: str) -> None:
    """Write a file so that whoever reads it finds the old text or the new one. What is written first is the new text.

    Raises:
        OSError: it cannot be written.
    """
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def _member(name: str, value: Any, margin: str, indent: int) -> str:
    key = name if _BARE.fullmatch(name) and name not in _WORDS else _printable(json.dumps(name, ensure_ascii=False))
    if isinstance(value, dict) and value and name not in _FLOW:
        return f"{margin}{key}:\n{as_yaml(value, indent + 2)}"
    return f"{margin}{key}: {_flow(value, len(margin) + len(key) + 2, margin + '  ')}\n"


def _flow(value: Any, column: int, margin: str) -> str:
    """A value as JSON, in lines that are not too long; `column` is where it begins."""
    if isinstance(value, str) and _BARE.fullmatch(value) and value not in _WORDS:
        return value
    text = ""
    for piece in map(_printable, _ENCODER.iterencode(value)):
        column += len(piece)
        if column > _WIDTH and text.endswith((",", "[", "{")):
            text, column = f"{text}\n{margin}", len(margin) + len(piece)
            piece = piece.lstrip()  # noqa: PLW2901 - the blank after a comma is the line's end now
        text += piece
    return text


def _printable(text: str) -> str:
    text = _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
