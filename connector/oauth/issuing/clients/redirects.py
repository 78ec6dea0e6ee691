"""Where an answer may be sent. Pure: spelling, platform rules, and the one exception to comparing exactly.

What is registered or listed is compared character by character; only the port of a loopback address is free, because
a program on somebody's computer takes the port it gets (RFC 8252 section 7.3).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_LONGEST: Final = 1000

_SPELLING: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e%]+")
"""A scheme, then printable ASCII without white space, quotes, `#`, `\\`, `<`, `>`, `^`, backtick, braces and `|`."""

_DOTS: Final = re.compile(r"(^|/)(\.|%2e){1,2}(/|$)", re.IGNORECASE)

_HIDDEN: Final = re.compile(r"%(2f|5c|00|0a|0d)", re.IGNORECASE)
"""Separators and line ends in disguise: servers do not agree on what a path with them means."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

_NEVER: Final = frozenset(
    {
        "about", "blob", "chrome", "chrome-extension", "content", "data", "dict", "feed", "file", "filesystem", "ftp",
        "ftps", "git", "gopher", "imap", "intent", "itms-services", "jar", "javascript", "ldap", "ldaps", "livescript",
        "mailto", "mocha", "moz-extension", "news", "nfs", "nntp", "pop", "rdp", "resource", "rtsp", "sftp", "sip",
        "smb", "sms", "ssh", "tel", "telnet", "tftp", "vbscript", "view-source", "vnc", "wais", "ws", "wss", "wyciwyg",
        "x-apple.systempreferences", "x-javascript",
    }
)  # fmt: skip
"""Schemes that a browser runs or reads itself, or that reach the network or the system's own programs."""

_NEVER_BEGINNING: Final = ("ms-", "search", "microsoft", "windows", "shell", "web+")
"""Windows opens these with its own programs; `ms-msdt:` and `search-ms:` have been used to attack people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectRule:
    """Where one platform receives answers: the exact host, and its paths.

    `below` also admits one or more further segments under the path. `seen` and `source` say when and where.
    """

    platform: str
    host: str
    path: str
    below: bool = False
    seen: str = ""
    source: str = ""

    def admits(self, host: str, path: str) -> bool:
        """Whether an https address with this host and path belongs to the platform."""
        if host != self.host:
            return False
        return path == self.path or (self.below and path.startswith(self.path.rstrip("/") + "/") and path[-1] != "/")


def is_sound(uri: object) -> bool:
    """Whether `uri` may be a redirect address at all, whoever vouches for it.

    https to a host; http to a loopback address only; or an application's own scheme (RFC 8252 section 7.1).
    """
    if not isinstance(uri, str) or len(uri) > _LONGEST or not _SPELLING.fullmatch(uri):
        return False
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or _DOTS.search(parts.path) or _HIDDEN.search(parts.path):
        return False
    if parts.scheme == "https":
        return bool(host)
    if parts.scheme == "http":
        return host in _LOOPBACK
    is_own = parts.scheme not in _NEVER and not parts.scheme.startswith(_NEVER_BEGINNING)
    return is_own and uri[len(parts.scheme) + 1 :].startswith("/")


def is_admitted(uri: object, rules: Iterable[RedirectRule]) -> bool:
    """Whether a client that nobody vouches for may register `uri`: https only where a rule admits it."""
    if not isinstance(uri, str) or not is_sound(uri):
        return False
    parts = urlsplit(uri)
    if parts.scheme != "https" or parts.hostname in _LOOPBACK:
        return True
    is_plain = parts.netloc == (parts.hostname or "") and not parts.query and "//" not in parts.path
    return is_plain and any(rule.admits(parts.netloc, parts.path) for rule in rules)


def matches(asked: str, listed: Iterable[str]) -> bool:
    """Whether `asked` is one of `listed`: exactly, or but for the port where both are the same loopback address."""
    listed = tuple(listed)
    return asked in listed or (is_sound(asked) and any(_differs_by_port(asked, each) for each in listed))


def place_of(uri: str) -> str:
    """Where an answer goes, in words for a person: a host, or whose links open an application."""
    parts = urlsplit(uri)
    if parts.hostname in _LOOPBACK:
        return f"an app on this computer ({parts.hostname})"
    return parts.netloc if parts.scheme == "https" else f"the app that opens {parts.scheme}: links"


def _differs_by_port(asked: str, listed: str) -> bool:
    one, other = urlsplit(asked), urlsplit(listed)
    if one.scheme != "http" or one.hostname not in _LOOPBACK:
        return False
    return (one.scheme, one.hostname, one.path or "/", one.query) == (
        other.scheme, other.hostname, other.path or "/", other.query
    )  # fmt: skip
