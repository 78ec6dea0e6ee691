"""Templates: text with `${variables}`, filled with values. Pure.

A string that is exactly one variable takes the value's type; inside other text the value is written as text (JSON
for anything but strings). `${name?}` may be unknown: then the whole string, and the member it belongs to, is left
out. `$${` writes a literal `${`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import CannotFill
from .session import MISSING

_VARIABLE = re.compile(r"\$?\$\{([^}]*)\}")


def variables(text: str) -> Iterator[tuple[str, bool]]:
    """Yield every variable a text names, and whether it may be unknown."""
    for match in _VARIABLE.finditer(text):
        if not match[0].startswith("$$"):
            yield match[1].removesuffix("?"), match[1].endswith("?")


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """Fill a template; `MISSING` if it is one optional variable without a value.

    Raises:
        CannotFill: a variable that is not optional has no value.
    """
    if isinstance(template, str):
        return _fill_text(template, values)
    if isinstance(template, Mapping):
        filled = ((fill(key, values), fill(value, values)) for key, value in template.items())
        return {key: value for key, value in filled if value is not MISSING}
    if isinstance(template, list | tuple):
        return [value for value in (fill(item, values) for item in template) if value is not MISSING]
    return template


def _fill_text(template: str, values: Mapping[str, Any]) -> Any:
    whole = _VARIABLE.fullmatch(template)
    if whole and not template.startswith("$$"):
        return _value(whole[1], values)
    if any(is_optional and name not in values for name, is_optional in variables(template)):
        return MISSING
    return _VARIABLE.sub(lambda match: _as_text(match, values), template)


def _as_text(match: re.Match[str], values: Mapping[str, Any]) -> str:
    if match[0].startswith("$$"):
        return match[0][1:]
    value = _value(match[1], values)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _value(name: str, values: Mapping[str, Any]) -> Any:
    plain = name.removesuffix("?")
    if plain in values:
        return values[plain]
    if name.endswith("?"):
        return MISSING
    raise CannotFill(plain)
