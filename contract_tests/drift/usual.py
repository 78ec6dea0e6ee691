"""What the lock says a request usually has in one place: made up by type, for no value of anybody's is kept. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from connector.recorder.paths import read, written

from .kinds import Kind
from .lock import Profile

_BY_TYPE: Final[Mapping[str, Any]] = {
    "string": "text", "number": 1, "boolean": True, "null": None, "array": [], "object": {},
}  # fmt: skip
_BY_NAME: Final[Mapping[str, str]] = {
    "openai/locale": "en-US", "timezone": "Etc/UTC", "jsonrpc": "2.0", "version": "1.0.0",
    "name": "openai-mcp", "openai/session": "${session}", "openai/subject": "${subject}",
    "openai/organization": "${organization}",
}  # fmt: skip
_HEADERS: Final[Mapping[str, str]] = {
    "x-openai-session": "${session}",
    "x-openai-subject": "${subject}",
    "mcp-session-id": "${sid?}",
    "user-agent": "openai-mcp/1.0.0",
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
}


def usual_member(path: str, profile: Profile, version: str) -> Any:
    """A value of the types a member was approved with, with the members that it always had."""
    last = read(path)[-1]
    if last.endswith("protocolVersion"):
        return version
    usage = profile.traits.get((Kind.MEMBER, path))
    type_ = min(usage.words, default="string") if usage else "string"
    if type_ == "object":
        return {name: usual_member(inner, profile, version) for name, inner in _inside(path, profile)}
    return _BY_NAME.get(last, "text") if type_ == "string" else _BY_TYPE[type_]


def _inside(path: str, profile: Profile) -> list[tuple[str, str]]:
    """The members right below a place that were always there."""
    around = read(path)
    found = []
    for (kind, name), usage in profile.traits.items():
        if kind is Kind.MEMBER and usage.is_always:
            segments = read(name)
            if segments[:-1] == around and segments[-1] not in {"*", "{}"}:
                found.append((segments[-1], written(segments)))
    return found


def usual_header(name: str, profile: Profile, *, method: str, version: str) -> str:
    """A header as it was approved, or as hosts write it."""
    word = next(iter(usual_words(name, profile)), "")
    if name == "user-agent" and word:
        product, _, comment = word.partition(" ")
        return f"{product}/1.0.0 {comment}".strip()
    if name in {"accept", "content-type"} and word:
        return word.replace(" ", ", ")
    if name == "mcp-protocol-version":
        return version
    return {"mcp-method": method, "mcp-name": "${tool.name}"}.get(name) or _HEADERS.get(name, "1")


def usual_words(name: str, profile: Profile) -> list[str]:
    """The words that were approved under a name, what always came first."""
    found = [
        (not usage.is_always, trait.partition(": ")[2])
        for (kind, trait), usage in profile.traits.items()
        if kind is Kind.VALUE and trait.startswith(f"{name}: ")
    ]
    return [word for _, word in sorted(found)]
