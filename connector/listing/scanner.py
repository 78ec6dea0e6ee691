"""What a platform would refuse in a list of tools, before it is asked. Pure: descriptors in, sentences out.

ChatGPT scans the list when a connector is created, and on "Refresh"; Claude reads it at every start. What they refuse
takes the whole connector down, or hides one tool without a word (incidents P-38, P-39; CT-32).
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ..widget import LONGEST_STATUS, Dialect

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
HINTS: Final = ("readOnlyHint", "destructiveHint", "openWorldHint")
"""ChatGPT requires all three on every tool; one that is null or missing is an error of validation."""

MOST_TOKENS: Final = 5000
"""Of one definition with its input schema, as ChatGPT counts (reported by its users; no documented number)."""

BYTES_PER_TOKEN: Final = 4
"""Our estimate for English and JSON. Other scripts take more tokens, and more bytes as well."""

FILE_PARTS: Final[Mapping[str, bool]] = {"download_url": True, "file_id": True, "mime_type": False, "file_name": False}
"""What a file parameter must declare, and whether it must be required: nothing else, and nothing less."""


def refusals(tools: Sequence[Mapping[str, Any]], resources: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say what would be refused in the lists as they go out, each with what to change."""
    taken = Counter(str(tool.get("name")).lower() for tool in tools)
    pages = {str(resource.get("uri")): resource for resource in resources}
    for tool in tools:
        name = str(tool.get("name"))
        if not NAME.fullmatch(name):
            yield f"{name!r} is no name that hosts take: use 1 to 64 letters, digits, '_' or '-'"
        if taken[name.lower()] > 1:
            yield f"{name!r} is there twice (hosts ignore case): rename one"
        for said in (*faults_of(tool), *_widget(_table(tool.get("_meta")), pages)):
            yield f"{name}: {said}"


def faults_of(tool: Mapping[str, Any]) -> Iterator[str]:
    """Say what of one descriptor would be refused, its name and its page apart."""
    meta = _table(tool.get("_meta"))
    annotations = _table(tool.get("annotations"))
    if unsaid := [hint for hint in HINTS if not isinstance(annotations.get(hint), bool)]:
        yield f"{' and '.join(unsaid)} must be said, true or false: declare it with @tool, or give annotations"
    tokens = _tokens(tool)
    if tokens >= MOST_TOKENS:
        yield f"its definition has about {tokens} tokens, and {MOST_TOKENS} are too many: shorten it, or split the tool"
    for moment in ("invoking", "invoked"):
        words = meta.get(f"openai/toolInvocation/{moment}")
        if words is not None and not (isinstance(words, str) and 0 < len(words) <= LONGEST_STATUS):
            yield f"openai/toolInvocation/{moment} must be a text of 1 to {LONGEST_STATUS} characters"
    yield from _files(tool, meta)


def _tokens(tool: Mapping[str, Any]) -> int:
    counted = {part: tool.get(part) for part in ("name", "title", "description", "inputSchema")}
    return len(json.dumps(counted, ensure_ascii=False).encode(errors="replace")) // BYTES_PER_TOKEN


def _files(tool: Mapping[str, Any], meta: Mapping[str, Any]) -> Iterator[str]:
    named = meta.get("openai/fileParams")
    if named is None:
        return
    if not isinstance(named, list):
        yield "openai/fileParams must be a list of arguments"
        return
    schema = _table(tool.get("inputSchema"))
    for argument in named:
        declared = _resolved(_table(schema.get("properties")).get(argument), schema)
        if declared.get("type") == "array":
            declared = _resolved(declared.get("items"), schema)
        if reason := _no_file(declared):
            yield f"openai/fileParams names {argument!r}, which {reason}: declare exactly {', '.join(FILE_PARTS)}"


def _no_file(declared: Mapping[str, Any]) -> str | None:
    members = _table(declared.get("properties"))
    if declared.get("type") != "object" or not members:
        return "is no object"
    if unknown := sorted(members.keys() - FILE_PARTS.keys()):
        return f"has {', '.join(unknown)}"
    if missing := [part for part in FILE_PARTS if part not in members]:
        return f"lacks {', '.join(missing)}"
    required = declared.get("required")
    needed = [part for part, is_needed in FILE_PARTS.items() if is_needed]
    if not isinstance(required, list) or sorted(required) != sorted(needed):
        return f"must require {' and '.join(needed)}"
    return None


def _resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema behind its `$ref`, and of `X or null` the X."""
    found = _table(schema)
    for _ in range(8):  # a chain of references is one or two long; a ring must not hang
        reference = found.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            found = _at(root, reference)
        elif isinstance(choices := found.get("anyOf"), list):
            found = _table(next((each for each in choices if _table(each).get("type") != "null"), None))
        else:
            break
    return found


def _at(root: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = root
    for part in reference.removeprefix("#/").split("/"):
        found = _table(found.get(part.replace("~1", "/").replace("~0", "~")))
    return found


def _widget(meta: Mapping[str, Any], pages: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    new, old = _table(meta.get("ui")).get("resourceUri"), meta.get("openai/outputTemplate")
    if (new is None) != (old is None):
        missing = "ui.resourceUri" if new is None else "openai/outputTemplate"
        yield f"it names a page, but not as {missing}, and hosts read the one or the other: use @tool(widget=...)"
    known = {dialect.value for dialect in Dialect}
    for uri in dict.fromkeys(uri for uri in (new, old) if uri is not None):
        page = pages.get(str(uri))
        if page is None:
            yield f"it names the page {uri}, which cannot be read: register it as a resource"
        elif page.get("mimeType") not in known:
            yield f"the page {uri} is {page.get('mimeType')!r}, and hosts show {' and '.join(sorted(known))} only"


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
