"""Whether a stranger's text may be said as a name, or could be an id, a token or somebody's words. Pure.

What the tables know is a name. Anything else must be made of likely words; the rule errs towards secrets, because a
name that is wrongly left out only makes a change harder to read, and one that is wrongly kept stays in a store.
"""

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final

from ...oauth.noticed import REDACTED, as_name
from .vocabulary import KNOWN_HEADERS, KNOWN_NAMES, KNOWN_WORDS

LONGEST: Final = 64

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NAME: Final = re.compile(r"[$A-Za-z][A-Za-z0-9_.:/$-]*")
_VERSION: Final = re.compile(r"v?\d{1,4}(?:\.\d{1,4}){0,3}(?:[.-]?(?:a|b|rc|alpha|beta|dev)\.?\d{0,3})?")
_REVISION: Final = re.compile(
    r"(?:DRAFT-)?20\d\d-[01]\d-[0-3]\d(?:-?(?:draft|rc|alpha|beta)[.-]?\d{0,2})?|DRAFT-20\d\d-v\d{1,2}", re.IGNORECASE
)
_FOLLOWS: Final = (
    "abcdfgiklmnprstuvwxy", "baceilorsuy", "cacehiklorstuy", "dadeilorstu", "eabcdefgilmnopqrstuvwxy",
    "faefilortuy", "gaeghilnorsu", "haeiortuy", "iabcdefglmnoprstvxz", "jeu", "kaeils", "lacdeilopstuvy",
    "mabeimopsu", "nacdefgiklnopstuv", "oabcdfgiklmnoprstuvw", "paehiloprstuy", "qu", "racdefgiklmnoprstuvwy",
    "sacefhiklmopstuy", "tacdehilmoprstuy", "uabcdefgilmnoprst", "vaeio", "waehinors", "xceipt", "yeinpst", "zaei",
)  # fmt: skip
"""For each letter the ones that often follow it, in the words of some thousand Python modules and specifications."""

_COMMON: Final = frozenset(letters[0] + second for letters in _FOLLOWS for second in letters[1:])

_MOST_DIGITS: Final = 4
"""Of a name (`S256`, `oauth2`); more is a number that stands for something."""

_MOST_VERSION_DIGITS: Final = 7
"""`0.148.0-alpha.15`; a telephone number has more."""

_LONGEST_WORD: Final = 20
"""`modelcontextprotocol`."""

_LONGEST_CAPITALS: Final = 6
"""`MOBILE`; a base32 key is longer."""

_MOST_RARE: Final = 0.15
"""Of the pairs of letters in a name, but one is always allowed: `mcp`, `jsonrpc`."""


@lru_cache(maxsize=2048)
def is_name(text: str) -> bool:
    """Whether `text` looks like the name of a member, a header, a method or a product."""
    if text in KNOWN_NAMES or text in KNOWN_HEADERS:
        return True
    if len(text) > LONGEST or not _NAME.fullmatch(text) or as_name(text) == REDACTED:
        return False
    return sum(map(str.isdigit, text)) <= _MOST_DIGITS and _is_likely(_WORD.findall(text))


def name_or(text: str, otherwise: str) -> str:
    """`text` if it looks like a name."""
    return text if is_name(text) else otherwise


def is_version(text: str) -> bool:
    """Whether `text` is the version of a product."""
    return bool(_VERSION.fullmatch(text)) and sum(map(str.isdigit, text)) <= _MOST_VERSION_DIGITS


def revision_or(text: str, otherwise: str) -> str:
    """`text` if it is a protocol revision: a date of this century, or a draft."""
    return text if _REVISION.fullmatch(text) else otherwise


def _is_likely(words: list[str]) -> bool:
    """Whether the letters follow one another as in words. Of capitals the first four are an abbreviation."""
    pairs = rare = 0
    for word in words:
        if word.lower() in KNOWN_WORDS:
            continue
        if len(word) > (_LONGEST_CAPITALS if word.isupper() else _LONGEST_WORD):
            return False
        found = [first + second for first, second in pairwise(word.lower())]
        pairs += len(found)
        rare += len(word[4:]) if word.isupper() else sum(pair not in _COMMON for pair in found)
    return rare <= max(1, pairs * _MOST_RARE)
