"""Where a result is made fit for its host, and where what was kept back is fetched.

Acts on what `parcels`, `pages` and `partial` decide. Knows the store of operations; does not know who runs what.
"""

import base64
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..errors import StoreUnavailable
from .operations import Operation, Operations
from .pages import size_of
from .parcels import SCHEME, Parcel, needs_fitting, sealed, wrapped
from .partial import CONTINUE, META, shortened

logger = logging.getLogger("ballast.calls")

_PARCEL: Final = "parcel"


class Counter:
    """One connector's. `inline` is in bytes."""

    def __init__(self, *, inline: int) -> None:
        self._inline = inline

    def takes(self, tool: str, result: Mapping[str, Any], budget: int) -> bool:
        """Whether a result must be made fit. What answers for an operation is fit already."""
        is_answer = tool == CONTINUE or META in (result.get("_meta") or {})
        return not is_answer and needs_fitting(result.get("content") or (), budget)

    async def fit(self, result: Mapping[str, Any], shelf: "Shelf", *, budget: int, is_listed: bool) -> dict[str, Any]:
        """The result with files and text as they may go out. What is kept back can be fetched for a while."""
        content = []
        for number, block in enumerate(result.get("content") or ()):
            parcel = wrapped(block, number)
            content.append(block if parcel is None else await self._sent(block, parcel, shelf, budget))
        fitted = {**result, "content": content}
        if not budget or size_of(content) <= budget:
            return fitted
        kept, is_kept = await shelf.keep(fitted)
        return shortened(kept, fitted, budget=budget, uri=SCHEME + kept.id, is_listed=is_listed, is_kept=is_kept)

    async def _sent(self, block: Mapping[str, Any], parcel: Parcel, shelf: "Shelf", budget: int) -> Mapping[str, Any]:
        most = min(budget or self._inline, self._inline) if parcel.is_text else self._inline
        if parcel.size <= most:
            return sealed(block, parcel)
        stored = {_PARCEL: parcel.data, "mimeType": parcel.mime_type, "isText": parcel.is_text}
        kept, is_kept = await shelf.keep(stored)
        return parcel.link(SCHEME + kept.id) if is_kept else sealed(block, parcel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where what is kept back of one result is put. `scope` says who may fetch it, `kept_for` how long (seconds)."""

    operations: Operations
    tool: str
    scope: str
    kept_for: float

    async def keep(self, result: Mapping[str, Any]) -> tuple[Operation, bool]:
        """Keep it under a name that cannot be guessed. Whether that succeeded comes with it."""
        name = self.operations.new_id(secrets.token_hex(16))
        kept = Operation(id=name, scope=self.scope, tool=self.tool, result=result)
        try:
            return kept, await self.operations.put(kept, kept_for=self.kept_for)
        except StoreUnavailable as gone:
            logger.warning("What was kept back of a result could not be stored: %s", gone)
            return kept, False


def contents_of(operation: Operation) -> tuple[str | bytes, str]:
    """What a link of ours stands for, and its media type."""
    result = operation.result or {}
    if _PARCEL not in result:
        texts = (str(block.get("text", "")) for block in result.get("content") or () if block.get("type") == "text")
        return "\n".join(texts), "text/plain"
    data, mime_type = str(result[_PARCEL]), str(result["mimeType"])
    return (data if result["isText"] else base64.b64decode(data)), mime_type


def is_parcel(operation: Operation) -> bool:
    """Whether it is a file, which `continue_operation` cannot give."""
    return _PARCEL in (operation.result or {})
