"""`Page`: a list that comes in parts, with cursors that hold while the list changes. Pure.

A cursor names the last item that was given, by its key, and not a number of items: what is added or removed before it
moves nothing, so no item is given twice or left out.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, Field
from pydantic_core import to_json

from ..errors import ToolFailed

_Item = TypeVar("_Item")

ROOM: Final = 6 * 1024
"""Bytes of one page as JSON. Hosts cut at about 10 KB (incident F-03), and a result is sent twice, as text and as
structure; this leaves room within 8 KB for what the tool says around it.
"""


class Page(BaseModel, Generic[_Item]):
    """A part of a list. Return it from a tool (`-> Page[Invoice]`) that takes a `cursor`."""

    items: list[_Item]
    next_cursor: str | None = Field(
        default=None, description="Pass it on as cursor to get what follows; null: no more."
    )
    total: int | None = Field(default=None, description="How many items there are in all.")

    @classmethod
    def of(
        cls,
        items: Iterable[_Item],
        *,
        key: Callable[[_Item], Any],
        cursor: str | None = None,
        budget: int = ROOM,
    ) -> "Page[_Item]":
        """The items that come after `cursor`, in the order of their keys, as many as `budget` bytes hold, and one in
        any case.

        `key` gives what JSON can hold and Python can compare, different for every item: a text, a number, or a tuple
        of them, the same ones in every call.

        Raises:
            ToolFailed: The cursor is none of ours.
        """
        keyed = sorted(((_plain(key(item)), item) for item in items), key=lambda pair: pair[0])
        after = None if not cursor else _key_in(cursor)
        shown: list[_Item] = []
        left, last = budget, None
        for each, item in keyed:
            if after is not None and not _is_after(each, after):
                continue
            size = len(to_json(item, fallback=str))
            if shown and size > left:
                return cls(items=shown, next_cursor=_cursor_for(last), total=len(keyed))
            shown.append(item)
            left, last = left - size, each
        return cls(items=shown, total=len(keyed))


def _plain(key: Any) -> Any:
    return json.loads(json.dumps(key))


def _is_after(key: Any, after: Any) -> bool:
    try:
        return bool(key > after)
    except TypeError:
        raise ToolFailed(_BAD) from None


_BAD: Final = "This cursor is not from this list. Leave it out to begin at the start."


def _cursor_for(key: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([key]).encode()).decode().rstrip("=")


def _key_in(cursor: str) -> Any:
    try:
        said = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise ToolFailed(_BAD) from None
    if not (isinstance(said, list) and len(said) == 1):
        raise ToolFailed(_BAD)
    return said[0]
