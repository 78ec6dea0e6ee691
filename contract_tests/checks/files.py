"""CT-35, the half about files: an upload that was cut is refused and leaves nothing; a large result is whole. Pure
but for the asking."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..judging.matchers import Complaint
from ..judging.operators import look_up, show
from ..judging.reply import Reply
from ..notation.session import MISSING
from ..offer.catalogue import CallableTool
from .counter import count
from .inquiry import Inquiry
from .named_tool import mapped_tool, with_arguments
from .speech import CALLED, RESULT, Speech

_WHOLE: Final = 12_000
_CUT: Final = 10_000
"""Characters of base64 that arrived of an upload when hosts cut it (incident F-01)."""

_MEGABYTE: Final = 1024 * 1024
_SIZES: Final = (1, 4, 5, 6, 10)
_UPLOAD: Final = '{tool = "NAME", content = "ARGUMENT", size = "ARGUMENT", sha256 = "ARGUMENT"}'
_DOWNLOAD: Final = '{tool = "NAME", size = "ARGUMENT"}'
_REFUSED: Final[dict[str, Any]] = {**RESULT, "json": [{"at": "result.isError", "equals": True}]}
_CHECK: Final = "Compare what arrived with the declared size and digest before storing it, and name both in the error."
_WHOLLY: Final = "Give megabytes as a resource_link, or whole with their size and SHA-256: hosts cut without a word."


async def ask_upload(inquiry: Inquiry, speech: Speech) -> None:
    """Upload base64 that was cut, with the size and the digest of the whole."""
    tool = mapped_tool(inquiry, "an upload that was cut", "upload", _UPLOAD)
    if tool is None:
        return
    names = inquiry.means.upload
    whole = bytes(inquiry.login.random.randrange(256) for _ in range(_WHOLE))
    text = base64.b64encode(whole).decode()
    before = await count(inquiry, speech) if inquiry.means.counter else None
    arguments = {names["content"]: text[:_CUT], names["size"]: len(whole), names["sha256"]: _digest(whole)}
    more: dict[str, Any] = {"incidents": ("F-01", "CT-35"), "advice": _CHECK}
    request = speech.call(with_arguments(tool, **arguments))
    reply = await inquiry.ask("an upload that was cut", request, _REFUSED, **more)
    if not inquiry.steps[-1].findings and not names_sizes(reply, _CUT * 3 // 4, len(whole)):
        inquiry.complain(
            where="result.content",
            expected=f"to name {len(whole)} bytes and {_CUT * 3 // 4}",
            actual=show(look_up(reply.message, ("result", "content"))),
            **more,
        )
    if before is None:
        inquiry.skip("whether it was stored", 'nothing counts: counter = "NAME" under [target]')
    elif (stored := await count(inquiry, speech) - before) != 0:
        reason = Complaint(where="effects", expected="0", actual=str(stored))
        inquiry.find(reason, step="what was stored of a cut upload", **more)


def names_sizes(reply: Reply, *sizes: int) -> bool:
    """Whether a result names these numbers, with or without separators. Pure."""
    said = show(look_up(reply.message, ("result", "content"))).replace(",", "").replace("_", "")
    return all(str(size) in said for size in sizes)


async def ask_download(inquiry: Inquiry, speech: Speech) -> None:
    """Fetch results of one to ten megabytes."""
    tool = mapped_tool(inquiry, "results of megabytes", "download", _DOWNLOAD)
    if tool is not None:
        for megabytes in _SIZES:
            await _one_size(inquiry, speech, tool, megabytes)


async def _one_size(inquiry: Inquiry, speech: Speech, tool: CallableTool, megabytes: int) -> None:
    size = megabytes * _MEGABYTE
    more: dict[str, Any] = {"incidents": ("F-02", "CT-35"), "advice": _WHOLLY}
    request = speech.call(with_arguments(tool, **{inquiry.means.download["size"]: size}))
    reply = await inquiry.ask(f"a result of {megabytes} MB", request, CALLED, quiet=True, **more)
    if reason := why_not_whole(look_up(reply.message, ("result",)), size):
        inquiry.find(reason, step=f"a result of {megabytes} MB", **more)


def why_not_whole(result: Any, size: int) -> Complaint | None:
    """Whether a result neither links to a file nor holds all of it; a digest it declares must be true. Pure."""
    content = look_up(result, ("content",))
    items = [item for item in content if isinstance(item, Mapping)] if isinstance(content, list) else []
    if any(item.get("type") == "resource_link" for item in items) or look_up(result, ("isError",)) is True:
        return None
    payloads = [*_payloads(items)]
    declared = _declared(result)
    if any(len(payload) >= size and (not declared or _digest(payload) == declared) for payload in payloads):
        return None
    sizes = ", ".join(str(len(payload)) for payload in payloads) or "nothing"
    expected = f"{size} bytes" + (f" with SHA-256 {declared}" if declared else "") + ", or a resource_link"
    return Complaint(where="result.content", expected=expected, actual=f"{sizes} bytes")


def _payloads(items: list[Mapping[str, Any]]) -> Iterator[bytes]:
    """What each content holds: text as it is, and data or a blob decoded."""
    for item in items:
        resource = item.get("resource")
        for holder in (item, resource if isinstance(resource, Mapping) else {}):
            if isinstance(holder.get("text"), str):
                yield holder["text"].encode()
            for name in ("data", "blob"):
                if isinstance(holder.get(name), str):
                    yield _decoded(holder[name])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _declared(result: Any) -> str:
    """The SHA-256 that a result declares, in its structured content or its `_meta`."""
    for holder in (look_up(result, ("structuredContent",)), look_up(result, ("_meta",))):
        for name in ("sha256", "sha-256", "digest"):
            found = holder.get(name, MISSING) if isinstance(holder, Mapping) else MISSING
            if isinstance(found, str):
                return found.lower().removeprefix("sha256:").removeprefix("sha-256:")
    return ""


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
