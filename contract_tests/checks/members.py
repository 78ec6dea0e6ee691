"""Which members each revision knows, where hosts check them strictly. Pure.

What is under `_meta`, in schemas and in `experimental` or `extensions` belongs to nobody. `securitySchemes` on a tool
is in no revision, but OpenAI's documentation asks for it there.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..judging.matchers import Complaint
from ..judging.operators import show

_Member = tuple[str, str]
_LAST: Final = "9999"

_RESULT: Final[Mapping[str, _Member]] = {
    "_meta": ("", _LAST),
    "resultType": ("2026-07-28", _LAST),
    "ttlMs": ("2026-07-28", _LAST),
    "cacheScope": ("2026-07-28", _LAST),
}
_INITIALIZE: Final[Mapping[str, _Member]] = {
    "_meta": ("", _LAST),
    "protocolVersion": ("", _LAST),
    "capabilities": ("", _LAST),
    "serverInfo": ("", _LAST),
    "instructions": ("", _LAST),
}
_SERVER: Final[Mapping[str, _Member]] = {
    "name": ("", _LAST),
    "version": ("", _LAST),
    "title": ("2025-06-18", _LAST),
    "icons": ("2025-11-25", _LAST),
    "websiteUrl": ("2025-11-25", _LAST),
    "description": ("2025-11-25", _LAST),
}
_CAPABILITIES: Final[Mapping[str, _Member]] = {
    "experimental": ("", _LAST),
    "logging": ("", _LAST),
    "prompts": ("", _LAST),
    "resources": ("", _LAST),
    "tools": ("", _LAST),
    "completions": ("2025-03-26", _LAST),
    "tasks": ("2025-11-25", "2025-11-25"),
    "extensions": ("2025-11-25", _LAST),
}
_TOOL: Final[Mapping[str, _Member]] = {
    "name": ("", _LAST),
    "description": ("", _LAST),
    "inputSchema": ("", _LAST),
    "annotations": ("2025-03-26", _LAST),
    "title": ("2025-06-18", _LAST),
    "outputSchema": ("2025-06-18", _LAST),
    "_meta": ("2025-06-18", _LAST),
    "icons": ("2025-11-25", _LAST),
    "execution": ("2025-11-25", "2025-11-25"),
    "securitySchemes": ("", _LAST),
}
_LISTED: Final[Mapping[str, _Member]] = {"tools": ("", _LAST), "nextCursor": ("", _LAST), **_RESULT}


def strange_in_initialize(result: Any, version: str) -> Iterator[Complaint]:
    """Complain about members that the revision of an initialize result does not know."""
    yield from _strange(result, "result", _INITIALIZE, version)
    own = result if isinstance(result, Mapping) else {}
    yield from _strange(own.get("serverInfo"), "result.serverInfo", _SERVER, version)
    yield from _strange(own.get("capabilities"), "result.capabilities", _CAPABILITIES, version)


def strange_in_list(result: Any, version: str) -> Iterator[Complaint]:
    """Complain about members that the revision of a tools/list result does not know."""
    yield from _strange(result, "result", _LISTED, version)
    tools = result.get("tools") if isinstance(result, Mapping) else None
    for number, tool in enumerate(tools if isinstance(tools, list) else ()):
        yield from _strange(tool, f"result.tools[{number}]", _TOOL, version)


def _strange(found: Any, where: str, known: Mapping[str, _Member], version: str) -> Iterator[Complaint]:
    for member, value in found.items() if isinstance(found, Mapping) else ():
        begins, ends = known.get(member, (_LAST, ""))
        if not begins <= version <= ends:
            actual = show(value)
            yield Complaint(where=f"{where}.{member}", expected=f"to be absent in {version}", actual=actual)
