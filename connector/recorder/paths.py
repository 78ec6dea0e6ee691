"""How a place in a request is written, and read back. Pure.

params._meta["openai/session"]      a member; names with anything but letters, digits, `_`, `$` and `-` are quoted
redirect_uris.*                     every item of an array
params.inputResponses.{}            every member of a map, whose keys are ids or a user's own words
query.state, form.grant_type        parameters of the address, and of a form in the body
"""

import json
import re
from functools import lru_cache
from typing import Final

ITEM: Final = "*"
"""Every item of an array."""

ANY: Final = "{}"
"""Every member of a map: its keys are nobody's business."""

_BARE: Final = re.compile(r"[A-Za-z0-9_$-]+|\*|\{\}")
_SEGMENT: Final = re.compile(r'\.?([A-Za-z0-9_$-]+|\*|\{\})|\[("(?:[^"\\]|\\.)*")\]')


@lru_cache(maxsize=2048)
def written(segments: tuple[str, ...]) -> str:
    """One line for a place; `read` gives the segments back."""
    said = ""
    for segment in segments:
        if _BARE.fullmatch(segment):
            said += f".{segment}" if said else segment
        else:
            said += f"[{json.dumps(segment)}]"
    return said


def read(path: str) -> tuple[str, ...]:
    """The segments of a place.

    Raises:
        ValueError: `path` was not made by `written`.
    """
    segments, at = list[str](), 0
    while at < len(path):
        found = _SEGMENT.match(path, at)
        if found is None:
            raise ValueError(f"{path!r} is no place in a request: {path[at:]!r} cannot be read")
        segments.append(found[1] or json.loads(found[2]))
        at = found.end()
    return tuple(segments)
