"""What can be wrong with a file, as a closed set. Knows no words: those are in `connector.files.refusals`."""

from enum import StrEnum
from typing import Any


class Problem(StrEnum):
    """What can be wrong with a file."""

    UNFIT_URL = "unfit_url"
    FORBIDDEN = "forbidden"
    GONE = "gone"
    UNREACHABLE = "unreachable"
    BROKEN_OFF = "broken_off"
    SLOW = "slow"
    ENCODED = "encoded"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    DISK_FULL = "disk_full"
    EMPTY = "empty"
    WRONG_TYPE = "wrong_type"
    ENCRYPTED = "encrypted"
    CUT_OFF = "cut_off"
    CORRUPT = "corrupt"
    BOMB = "bomb"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_PAGES = "too_many_pages"
    NO_SUCH_PAGE = "no_such_page"
    TOO_LONG = "too_long"
    UNSAFE_NAME = "unsafe_name"
    NO_SUCH_ENTRY = "no_such_entry"
    NO_TEXT = "no_text"
    NO_DOCUMENT = "no_document"
    ENTITIES = "entities"
    MEMORY = "memory"
    STUCK = "stuck"
    CRASHED = "crashed"
    NOT_INSTALLED = "not_installed"


class Refused(Exception):
    """A file cannot be read. `detail` fills the sentence."""

    def __init__(self, problem: Problem, **detail: Any) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.detail = detail
