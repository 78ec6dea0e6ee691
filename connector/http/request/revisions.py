"""Which member came with which revision, and what of a result an older client is sent.

Pure, and a table. A client that negotiated 2025-03-26 gets no member of 2025-06-18: strict clients failed on what a
server upgrade had added (incident T-09; CT-34). The SDK shapes every handshake revision as 2025-11-25, so only older
ones are cut here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

NEWEST: Final = "2025-11-25"

_NAMED: Final = {"title": "2025-06-18", "_meta": "2025-06-18", "icons": "2025-11-25"}
_TOOL: Final = {**_NAMED, "annotations": "2025-03-26", "outputSchema": "2025-06-18", "execution": "2025-11-25"}
_SERVER: Final = {
    "title": "2025-06-18",
    "icons": "2025-11-25",
    "websiteUrl": "2025-11-25",
    "description": "2025-11-25",
}
_CAPABILITIES: Final = {"completions": "2025-03-26", "tasks": "2025-11-25", "extensions": "2025-11-25"}
_META_ONLY: Final = {"_meta": "2025-06-18"}

_CONTENT_TYPES: Final = {"audio": "2025-03-26", "resource_link": "2025-06-18"}

Members = Mapping[str, str]
"""Member name → the revision that brought it."""


def as_of(version: str, method: str, result: dict[str, Any]) -> dict[str, Any]:
    """`result` with only the members that `version`, a handshake revision, knows."""
    cut = _CUTS.get(method)
    return result if cut is None or version == NEWEST else cut(version, result)


def _without(version: str, members: Members, value: dict[str, Any]) -> dict[str, Any]:
    return {name: member for name, member in value.items() if members.get(name, "") <= version}


def _listed(key: str, members: Members) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    def cut(version: str, result: dict[str, Any]) -> dict[str, Any]:
        return {**result, key: [_without(version, members, each) for each in result.get(key, ())]}

    return cut


def _prompts(version: str, result: dict[str, Any]) -> dict[str, Any]:
    listed = _listed("prompts", _NAMED)(version, result)
    for prompt in listed["prompts"]:
        if "arguments" in prompt:
            prompt["arguments"] = [_without(version, _NAMED, argument) for argument in prompt["arguments"]]
    return listed


def _initialized(version: str, result: dict[str, Any]) -> dict[str, Any]:
    return {
        **result,
        "serverInfo": _without(version, _SERVER, result["serverInfo"]),
        "capabilities": _without(version, _CAPABILITIES, result["capabilities"]),
    }


def _called(version: str, result: dict[str, Any]) -> dict[str, Any]:
    known = _without(version, {"structuredContent": "2025-06-18"}, result)
    return {**known, "content": [_content(version, block) for block in result.get("content", ())]}


def _prompted(version: str, result: dict[str, Any]) -> dict[str, Any]:
    messages = [{**each, "content": _content(version, each["content"])} for each in result.get("messages", ())]
    return {**result, "messages": messages}


def _content(version: str, block: dict[str, Any]) -> dict[str, Any]:
    """A block of a type the revision lacks is told in words: what cannot be shown must not be lost in silence."""
    kind = block.get("type", "")
    if _CONTENT_TYPES.get(kind, "") <= version:
        return _without(version, _META_ONLY, block)
    what = f"{block.get('name', 'resource')}: {block['uri']}" if kind == "resource_link" else "audio"
    return {"type": "text", "text": f"[{what}; revision {version} cannot carry it]"}


_CUTS: Final[Mapping[str, Callable[[str, dict[str, Any]], dict[str, Any]]]] = {
    "initialize": _initialized,
    "tools/list": _listed("tools", _TOOL),
    "resources/list": _listed("resources", _NAMED),
    "resources/templates/list": _listed("resourceTemplates", _NAMED),
    "resources/read": _listed("contents", _META_ONLY),
    "prompts/list": _prompts,
    "prompts/get": _prompted,
    "tools/call": _called,
}
