"""What a request carries, taken apart: parameters of the address, a form, or JSON; and what is asked for. Pure."""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

from pydantic_core import from_json

from .naming import is_name
from .seen import Pairs, Seen
from .vocabulary import MAPS, OAUTH_PATHS, PATH_WORDS, VERBS

MCP: Final = "mcp"
OAUTH: Final = "oauth"
DISCOVERY: Final = "discovery"
OTHER: Final = "other"
"""The channels."""

UNREAD: Final = "(unread)"
EMPTY: Final = "(empty)"
NO_JSON: Final = "(not json)"
BATCH: Final = "(batch)"
REPLY: Final = "(response)"
NO_METHOD: Final = "(none)"
REDACTED: Final = "(redacted)"

_MOST_PARAMETERS: Final = 100
_MOST_PARTS: Final = 6


class _Absent:
    """There is no JSON. (`None` is JSON.)"""


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """`form` and `json` exclude each other; neither is there for a body that is empty, unread or no JSON."""

    channel: str
    method: str
    query: Pairs = ()
    form: Pairs = ()
    json: Any = field(default=ABSENT)


def content_of(seen: Seen, *, endpoint: str) -> Content:
    """Take a request apart. Never raises for what it is."""
    channel = channel_of(seen.path, endpoint)
    query = _parameters(seen.query)
    media = seen.header("content-type").partition(";")[0].strip().lower()
    if media == "application/x-www-form-urlencoded" and seen.body:
        form = _parameters(seen.body.decode("utf-8", "replace"))
        return Content(channel=channel, method=_route(seen, channel, endpoint), query=query, form=form)
    value = json_of(seen.body)
    method = _route(seen, channel, endpoint)
    if channel == MCP and seen.verb == "POST":
        method = _asked(seen.body, value)
    return Content(channel=channel, method=method, query=query, json=value)


def json_of(body: bytes | None) -> Any:
    """The JSON in a body, or `ABSENT`."""
    if not body:
        return ABSENT
    try:
        return from_json(body)  # four times as fast, and stricter: a lone surrogate is left to the other
    except ValueError:
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # over-long integers and deep nesting are no JSONDecodeError
        return ABSENT


@lru_cache(maxsize=512)
def channel_of(path: str, endpoint: str) -> str:
    """Which part of a connector a path belongs to."""
    if path.rstrip("/") == endpoint.rstrip("/"):
        return MCP
    parts = path.lower().split("/")
    if ".well-known" in parts:
        return DISCOVERY
    return OAUTH if OAUTH_PATHS.intersection(parts) else OTHER


def _route(seen: Seen, channel: str, endpoint: str) -> str:
    verb = seen.verb if seen.verb in VERBS else REDACTED
    return verb if channel == MCP else f"{verb} {route_of(seen.path, endpoint)}"


@lru_cache(maxsize=512)
def route_of(path: str, endpoint: str) -> str:
    """A path with every part that is no word of the protocols as `{}`."""
    own = frozenset(endpoint.split("/"))
    said = list[str]()
    for part in path.split("/")[1:]:
        word = part if part in PATH_WORDS or part in own or not part else "{}"
        if not (word == "{}" and said[-1:] == ["{}"]):
            said.append(word)
    return "/" + "/".join(said[:_MOST_PARTS])


def _asked(body: bytes | None, value: Any) -> str:
    if body is None:
        return UNREAD
    if not body.strip():
        return EMPTY
    if isinstance(value, list):
        return BATCH if value else EMPTY
    if not isinstance(value, dict):
        return NO_JSON
    method = value.get("method")
    if isinstance(method, str):
        return method if is_name(method) else REDACTED
    return REPLY if "result" in value or "error" in value else NO_METHOD


def _parameters(text: str) -> Pairs:
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS))
    except ValueError:
        return ()


def is_map(place: tuple[str, ...]) -> bool:
    """Whether the members at this place are named by ids."""
    return bool(place) and place[-1] in MAPS
