"""Whether a text is made of ordinary words and versions, or could be a secret. Pure; knows no place and no name.

The rule errs towards secrets: long digits, mixed letters and digits, unlikely letters. A passphrase of dictionary words
cannot be told from a name, which is why texts are only ever kept in places where a specification puts a name.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

LONGEST_NAME = 64

_KNOWN_WORDS = frozenset(
    {
        "mcp", "jsonrpc", "www", "http", "https", "html", "xhtml", "khtml", "json", "jwt", "jwks", "csp",
        "oauth", "openid", "timezone", "offline", "vnd", "xml", "tls", "csv", "pdf", "svg", "sdk", "api", "fastmcp",
        "kubernetes", "webplus", "ttl", "ms", "tz", "uuid", "utf", "txt", "cfg", "ctx", "req", "db", "sql", "tx",
        "qty", "href", "ui",
    }
)  # fmt: skip
"""Words of specifications that are words whatever their letters."""

_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_.:/$-]*")
_CHUNK = re.compile(r"[A-Za-z0-9]+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_WORD = re.compile(r"[^\s;,()<>\"'{}\[\]&?|\\]+")
_DATE = re.compile(r"20\d\d-[01]\d-[0-3]\d")
_VERSION = re.compile(r"v?\d{1,4}(?:[._]\d{1,4}){0,4}(?:[.-]?(?:a|b|rc|alpha|beta|dev|x)(?:\.?\d{1,3})?)?")
_NUMBERS = re.compile(r"\+?\d[\d .,_()-]{5,}\d")
_DIGITS_LAST = re.compile(r"[A-Za-z]*[0-9]*")
_NUMERONYMS = frozenset({"i18n", "l10n", "a11y", "k8s", "base64url", "x509v3", "utf8mb4", "p2p", "b2b", "s3uri"})
_FOLLOWS = (
    "abcdfgiklmnprstuvwxy", "baceilorsuy", "cacehiklorstuy", "dadeilorstu", "eabcdefgilmnopqrstuvwxy",
    "faefilortuy", "gaeghilnorsu", "haeiortuy", "iabcdefglmnoprstvxz", "jeu", "kaeils", "lacdeilopstuvy",
    "mabeimopsu", "nacdefgiklnopstuv", "oabcdfgiklmnoprstuvw", "paehiloprstuy", "qu", "racdefgiklmnoprstuvwy",
    "sacefhiklmopstuy", "tacdehilmoprstuy", "uabcdefgilmnoprst", "vaeio", "waehinors", "xceipt", "yeinpst", "zaei",
)  # fmt: skip
"""For each letter the ones that often follow it, in the words of some thousand Python modules and specifications."""

_COMMON = frozenset(letters[0] + second for letters in _FOLLOWS for second in letters[1:])

_LONGEST_WORD = 20  # "modelcontextprotocol"
_LONGEST_CAPITALS = 6  # "MOBILE"; a base32 key is longer
_MOST_DIGITS = 4  # of a name: "S256", "oauth2"; more is a number that stands for something
_MOST_VERSION_DIGITS = 7  # "0.148.0-alpha.15"; a telephone number has more
_SHORTEST_AVERAGE = 3  # letters of the words of one camelCase name; those of a random text are shorter
_MOST_RARE = 0.15  # of the pairs of letters in a name, but one is always allowed: "mcp", "jsonrpc"
# With these, of random texts of 22 letters and digits not one in 4000 is taken for a name; of 12, three in 1000.


def is_name(text: str) -> bool:
    """Whether a text looks like the name of a member, a method, a tool or a product."""
    if len(text) > LONGEST_NAME or not _NAME.fullmatch(text):
        return False
    groups = re.findall(r"\d+", text)
    if sum(map(len, groups)) > _MOST_DIGITS or len(groups) > 2:  # noqa: PLR2004 - "oauth2.x1", not "a1b2c3"
        return False
    chunks = _CHUNK.findall(text)
    return all(map(_is_chunk, chunks)) and _is_likely(chunks)


def is_version(text: str) -> bool:
    """Whether a text is a version or a date of this century."""
    if _DATE.fullmatch(text):
        return True
    is_bare = text.isdigit()
    most = 3 if is_bare else _MOST_VERSION_DIGITS  # a bare number of four digits may be a PIN
    return bool(_VERSION.fullmatch(text)) and sum(map(str.isdigit, text)) <= most


def is_plain(text: str) -> bool:
    """Whether every part of a text is a name or a version."""
    return scrubbed(text, lambda _: "\0") == text


def scrubbed(text: str, replace: Callable[[str], str]) -> str:
    """The text with every part that could be a secret replaced; what stands between the parts stays."""

    def numbers(match: re.Match[str]) -> str:
        digits = sum(map(str.isdigit, match[0]))
        return replace(match[0]) if digits > _MOST_VERSION_DIGITS and not _DATE.fullmatch(match[0]) else match[0]

    def word(match: re.Match[str]) -> str:
        # As a whole: a secret can hold a stroke, and what stands between two of them can look like a name.
        return match[0] if all(map(_is_token, re.split("[/=+]", match[0]))) else replace(match[0])

    pieces = _split(_NUMBERS, text, numbers)
    return "".join(piece if is_done else _WORD.sub(word, piece) for is_done, piece in pieces)


def slug(text: str, otherwise: str) -> str:
    """A text as a name of lower-case words joined by hyphens; `otherwise` if it could be a secret."""
    words = [part.lower() for part in _PART.findall(text)] if is_name(text) else []
    return "-".join(words) or otherwise


def _split(pattern: re.Pattern[str], text: str, replace: Callable[[re.Match[str]], str]) -> Iterator[tuple[bool, str]]:
    """The text in pieces, each with whether it has been replaced."""
    end = 0
    for match in pattern.finditer(text):
        yield False, text[end : match.start()]
        piece = replace(match)
        yield piece != match[0], piece
        end = match.end()
    yield False, text[end:]


def _is_token(token: str) -> bool:
    is_punctuation = token.isascii() and not any(map(str.isalnum, token))
    return is_punctuation or is_name(token) or is_version(token)


def _is_chunk(chunk: str) -> bool:
    if not _DIGITS_LAST.fullmatch(chunk) and chunk.lower() not in _NUMERONYMS:
        return False
    words = _words(chunk)
    letters = sum(_SHORTEST_AVERAGE if word.isupper() and len(word) > 1 else len(word) for word in words)
    if len(words) > 2 and letters / len(words) < _SHORTEST_AVERAGE:  # noqa: PLR2004 - "iOSApp" has two
        return False
    return all(len(word) <= (_LONGEST_CAPITALS if word.isupper() else _LONGEST_WORD) for word in words)


def _is_likely(chunks: list[str]) -> bool:
    """Whether the letters follow one another as in words. Of capitals the first four are an abbreviation."""
    pairs = rare = 0
    for word in (word for chunk in chunks for word in _words(chunk)):
        if word.lower() in _KNOWN_WORDS:
            continue
        found = [first + second for first, second in pairwise(word.lower())]
        pairs += len(found)
        rare += len(word[4:]) if word.isupper() else sum(pair not in _COMMON for pair in found)
    return rare <= max(1, pairs * _MOST_RARE)


def _words(chunk: str) -> list[str]:
    return [part for part in _PART.findall(chunk) if not part.isdigit()]
