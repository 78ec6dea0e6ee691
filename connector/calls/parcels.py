"""What of a result goes out, and what is kept back to be fetched: files too large to be sent inline become links, those
that are sent say how large they are and what they hash to, and text that is too long is cut where it says so. Pure.

Structured content is never touched: what is cut fits no schema (incident F-06).
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .pages import size_of

INTEGRITY: Final = "ballast/integrity"
SCHEME: Final = "ballast://results/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What a link stands for: a text, or bytes in base64."""

    name: str
    mime_type: str
    data: str
    is_text: bool
    size: int
    digest: str

    def link(self, uri: str) -> dict[str, Any]:
        """The block that stands for it."""
        return {
            "type": "resource_link",
            "uri": uri,
            "name": self.name,
            "mimeType": self.mime_type,
            "size": self.size,
            "_meta": {INTEGRITY: {"size": self.size, "sha256": self.digest}},
        }


def needs_fitting(content: Sequence[Mapping[str, Any]], budget: int) -> bool:
    """Whether something of it must be looked at: it is not short text alone."""
    return any(block.get("type") != "text" for block in content) or size_of(content) > budget


def wrapped(block: Mapping[str, Any], number: int) -> Parcel | None:
    """What a block carries inline, as a parcel; None if it is no file."""
    kind, inner = block.get("type"), block.get("resource")
    if kind in {"image", "audio"}:
        return _parcel(f"{kind}-{number + 1}", str(block.get("mimeType")), str(block.get("data")), is_text=False)
    if kind != "resource" or not isinstance(inner, Mapping):
        return None
    name = str(inner.get("uri")).rstrip("/").rpartition("/")[2] or f"file-{number + 1}"
    if isinstance(inner.get("blob"), str):
        return _parcel(name, str(inner.get("mimeType") or "application/octet-stream"), inner["blob"], is_text=False)
    return _parcel(name, str(inner.get("mimeType") or "text/plain"), str(inner.get("text", "")), is_text=True)


def sealed(block: Mapping[str, Any], parcel: Parcel) -> dict[str, Any]:
    """The block with its size and its digest."""
    said = {INTEGRITY: {"size": parcel.size, "sha256": parcel.digest}}
    return {**block, "_meta": {**(block.get("_meta") or {}), **said}}


def _parcel(name: str, mime_type: str, data: str, *, is_text: bool) -> Parcel | None:
    try:
        raw = data.encode("utf-8", "surrogatepass") if is_text else base64.b64decode(data)
    except (binascii.Error, ValueError):
        return None  # what is no base64 is the tool's own affair, and the host's
    digest = hashlib.sha256(raw).hexdigest()
    return Parcel(name=name, mime_type=mime_type, data=data, is_text=is_text, size=len(raw), digest=digest)
