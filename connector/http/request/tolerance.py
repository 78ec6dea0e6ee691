"""Params as the SDK's strict models take them, whatever a client put into the members that nobody needs.

Pure. What a revision says MUST be rejected is not touched here: a missing envelope stays missing, a wrong `name`
stays wrong. What is optional, informative or open to extension is cut down to what can be read, because refusing it
broke connectors on the day a platform added to it (incidents P-37, S-01, O-16).
"""

from collections.abc import Mapping
from typing import Any, Final

LOG_LEVELS: Final = frozenset({"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"})

_PREFIX: Final = "io.modelcontextprotocol/"
_CAPABILITIES: Final = _PREFIX + "clientCapabilities"
_CLIENT: Final = _PREFIX + "clientInfo"
_LOG_LEVEL: Final = _PREFIX + "logLevel"

_CLIENT_TEXTS: Final = frozenset({"name", "title", "version", "description", "websiteUrl"})

_OPEN: Final = frozenset({"experimental", "extensions"})
"""Capabilities whose entries are objects of any content."""

_STRUCTURED: Final = frozenset({"elicitation", "roots", "sampling", "tasks"})
"""Capabilities the revisions give a structure: objects of objects and booleans."""


def tolerated(method: str, params: dict[str, Any] | None) -> dict[str, Any] | None:
    """`params` with explicit nulls left out and with `_meta` and the handshake's descriptions in readable shape."""
    if method == "initialize":
        return _handshake(params or {})
    if params is None:
        return None
    if None in params.values():  # MCP has no nullable member: null says what leaving out says
        params = {name: value for name, value in params.items() if value is not None}
    meta = params.get("_meta")
    if meta is None:
        return params
    if not isinstance(meta, dict):
        return {name: value for name, value in params.items() if name != "_meta"}
    clean = _clean_meta(meta)
    return params if clean is meta else {**params, "_meta": clean}


def _clean_meta(meta: dict[str, Any]) -> dict[str, Any]:
    """`meta` itself if nothing in it needs mending, which is nearly always."""
    mended: dict[str, Any] = {}
    if "progressToken" in meta and not _is_token(meta["progressToken"]):
        mended["progressToken"] = None
    if _LOG_LEVEL in meta and not (isinstance(meta[_LOG_LEVEL], str) and meta[_LOG_LEVEL] in LOG_LEVELS):
        mended[_LOG_LEVEL] = None
    if _CLIENT in meta and not _is_client(meta[_CLIENT]):
        mended[_CLIENT] = _client(meta[_CLIENT])
    if _CAPABILITIES in meta and meta[_CAPABILITIES] is not None:
        capabilities = _capabilities(meta[_CAPABILITIES])
        if capabilities is not meta[_CAPABILITIES]:
            mended[_CAPABILITIES] = capabilities
    if not mended and None not in meta.values():
        return meta
    return {name: value for name, value in {**meta, **mended}.items() if value is not None}


def _handshake(params: Mapping[str, Any]) -> dict[str, Any]:
    version, client = params.get("protocolVersion"), params.get("clientInfo")
    mended = {
        "protocolVersion": version if isinstance(version, str) else "",
        "capabilities": _capabilities(params.get("capabilities")),
        "clientInfo": client if _is_client(client) else _client(client) or {"name": "unknown", "version": ""},
    }
    clean = {name: value for name, value in params.items() if value is not None and name != "_meta"}
    if isinstance(meta := params.get("_meta"), dict):
        clean["_meta"] = _clean_meta(meta)
    return clean | mended


def _is_token(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _is_client(value: Any) -> bool:
    """Whether `value` is a plain client description: known texts, with a name and a version among them."""
    return (
        isinstance(value, dict)
        and value.keys() <= _CLIENT_TEXTS
        and "name" in value
        and "version" in value
        and all(isinstance(member, str) for member in value.values())
    )


def _client(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    texts = {name: text for name, text in value.items() if name in _CLIENT_TEXTS and isinstance(text, str)}
    return {**texts, "name": texts.get("name", "unknown"), "version": texts.get("version", "")}


def _capabilities(value: Any) -> dict[str, Any]:
    """`value` itself if it can be read as it is; else what of it can be."""
    if not isinstance(value, dict):
        return {}
    kept = {name: capability for name, capability in value.items() if _is_readable(name, capability)}
    if len(kept) == len(value):
        return value
    return kept | {
        name: {entry: content for entry, content in value[name].items() if isinstance(content, dict)}
        for name in _OPEN & (value.keys() - kept.keys())
        if isinstance(value[name], dict)
    }


def _is_readable(name: str, capability: Any) -> bool:
    if name in _OPEN:
        return isinstance(capability, dict) and all(isinstance(content, dict) for content in capability.values())
    if name in _STRUCTURED:
        return isinstance(capability, dict) and _is_structure(capability)
    return True


def _is_structure(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_structure(member) for member in value.values())
    return isinstance(value, bool)
