"""Addresses without secrets: the target's own become variables, foreign hosts and odd segments placeholders. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from .placeholders import Placeholders
from .plain import is_name, is_plain, is_version
from .rules import PUBLIC_HOSTS

_CALLBACK = re.compile(
    r"(/(?:connector/oauth|oauth|oauth/codex|callback)/)(?=[^/]*[A-Z0-9_-])([A-Za-z0-9_-]{12})(?=/|$)"
)
_SCHEME = re.compile(r"[a-z][a-z+.-]{1,15}")
_WORDS = re.compile(r"\.?[a-z]{3,}(?:[._-][a-z]+)*|v\d{1,2}")
_LONGEST_PORT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """What is known of addresses: the target's path, and every origin it is reached by."""

    path: str
    origins: set[str]
    placeholders: Placeholders

    def written(self, url: str) -> str:
        """An address as a session has it, with variables; what is no address becomes a placeholder."""
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            return literal(self.placeholders.text("address", url))
        if not _SCHEME.fullmatch(parts.scheme) or "://" not in url:
            return literal(self.placeholders.text("address", url))
        if self.is_own(parts):
            place = "${target.url}" if parts.path == self.path else "${target.origin}" + self.segments(parts.path)
        else:
            place = f"{parts.scheme}://{self._host(parts)}{self.segments(parts.path)}"
        return place + (f"?{self._query(parts.query)}" if parts.query else "")

    def is_own(self, parts: SplitResult) -> bool:
        """Whether an address is the target's, by one of its origins."""
        return f"{parts.scheme}://{parts.netloc}" in self.origins

    def segments(self, path: str) -> str:
        """A path with every segment that could be a secret replaced."""
        if self.path != "/" and path.endswith(self.path):
            return self._plain_segments(path.removesuffix(self.path)) + "${target.path}"
        return self._plain_segments(path)

    def _plain_segments(self, path: str) -> str:
        callback = _CALLBACK.search(path)
        if callback:
            before, after = path[: callback.start()], path[callback.end() :]
            return f"{self._plain_segments(before)}{callback[1]}${{callback_id}}{self._plain_segments(after)}"
        segments = path.split("/")
        # Beside one that could be a secret only what is plainly a word stays: a secret can hold strokes.
        is_odd = any(_is_replaced(segment) for segment in segments)
        return "/".join(
            self.placeholders.bare("segment", unquote(segment))
            if is_odd and segment and not _WORDS.fullmatch(segment)
            else self._segment(segment)
            for segment in segments
        )

    def _segment(self, segment: str) -> str:
        return self.placeholders.bare("segment", unquote(segment)) if _is_replaced(segment) else segment

    def _host(self, parts: SplitResult) -> str:
        host = parts.netloc.rpartition("@")[2]
        name, _, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
        if PUBLIC_HOSTS.fullmatch(name) or (parts.scheme == "ui" and is_plain(name) and not set(name) & set("${}")):
            return host if len(port) <= _LONGEST_PORT else name
        return f"{self.placeholders.bare('host', host)}.example"

    def _query(self, query: str) -> str:
        pairs = parse_qsl(query, keep_blank_values=True)
        return urlencode([(self._segment(name), self.placeholders.bare("value", value)) for name, value in pairs])


def _is_replaced(segment: str) -> bool:
    text = unquote(segment)
    is_kept = text == segment and (is_name(text.lstrip(".")) or is_version(text) or not text) and "$" not in text
    return not is_kept


def literal(text: str) -> str:
    """A text that means itself in a session file."""
    return text.replace("${", "$${")
