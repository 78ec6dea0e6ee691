"""What a model is told about a file that cannot be read: what is wrong, and what to ask the user for."""

from collections.abc import Mapping
from typing import Any, Final

from ..errors import ToolFailed
from .reading import kinds
from .reading.problems import Problem

AGAIN: Final = "Ask the user to attach it again."
WHOLE: Final = "Ask the user to check that it opens on their side, and to attach it again."

ONCE_MORE: Final = "Try once more; if that fails, ask the user to attach it again."

SENTENCES: Final[Mapping[Problem, str]] = {
    Problem.UNFIT_URL: "has no https address to download it from. " + AGAIN,
    Problem.FORBIDDEN: "cannot be downloaded: {why}. " + AGAIN,
    Problem.GONE: "can no longer be downloaded: its link has expired or was withdrawn (HTTP {status}). " + AGAIN,
    Problem.UNREACHABLE: "cannot be downloaded now ({why}). " + ONCE_MORE,
    Problem.BROKEN_OFF: "did not arrive whole: the download broke off after {size} bytes. " + ONCE_MORE,
    Problem.SLOW: "took too long to download: {size} bytes came in {seconds:.3g} s. Try once more; if that fails, ask "
    "the user for a smaller file.",
    Problem.ENCODED: "came packed as {entry}, which is not read here. " + AGAIN,
    Problem.TOO_LARGE: "is too large: at most {limit} bytes are read. Ask the user for a smaller file, or for the part "
    "that matters.",
    Problem.TOO_MANY: "is one of {size} files, and at most {limit} are read in one call. Call again with fewer.",
    Problem.DISK_FULL: "cannot be taken now, because too many files are being read. Try again in a minute.",
    Problem.EMPTY: "is empty: it has 0 bytes. " + WHOLE,
    Problem.WRONG_TYPE: "is {kind}. Ask the user for {wanted}.",
    Problem.ENCRYPTED: "is protected with a password. Ask the user for a copy without one, and not for the password.",
    Problem.CUT_OFF: "is not whole: its end is missing. " + WHOLE,
    Problem.CORRUPT: "is damaged and cannot be read. " + WHOLE,
    Problem.BOMB: "unpacks to far more than its size allows, and was not read. Ask the user for the document itself, "
    "saved anew or exported as PDF.",
    Problem.TOO_MANY_PIXELS: "has too many pixels: at most {limit} are read. Ask the user for a smaller picture.",
    Problem.TOO_MANY_PAGES: "has {total} pages, and {asked} were asked for at once; at most {limit} are read in one "
    "call. Ask the user which pages matter.",
    Problem.NO_SUCH_PAGE: "has {total} pages, and no page {page}. Ask for one between 1 and {total}.",
    Problem.TOO_LONG: "has more than {limit} characters. Ask the user for the part that matters.",
    Problem.UNSAFE_NAME: "is an archive in which {entry} leads out of the folder it is unpacked in; it was not read. "
    "Ask the user for the files themselves.",
    Problem.NO_SUCH_ENTRY: "is an archive without an entry called {entry}.",
    Problem.NO_TEXT: "is {kind}, and no text can be taken from it. Ask the user for a PDF, a Word document or a plain "
    "text.",
    Problem.NO_DOCUMENT: "looks like a Word document, but holds none. Ask the user to save it anew as .docx or PDF.",
    Problem.ENTITIES: "declares entities, as no Word document does, and was not read. Ask the user to save it anew as "
    ".docx or PDF.",
    Problem.MEMORY: "takes too much memory to read. Ask the user for a smaller or simpler file, or for a part of it.",
    Problem.STUCK: "takes too long to read. Ask the user for a smaller or simpler file, or for a part of it.",
    Problem.CRASHED: "cannot be read: it makes the program that reads it fail. Ask the user to save it anew, and to "
    "attach that.",
    Problem.NOT_INSTALLED: "is {kind}, which this connector cannot read yet: whoever runs it has to install "
    "`mcp-ballast[files]`.",
}

_CALLED: Final[Mapping[str, str]] = {
    kinds.PDF: "a PDF",
    kinds.PNG: "a PNG picture",
    kinds.JPEG: "a JPEG picture",
    kinds.GIF: "a GIF picture",
    kinds.WEBP: "a WebP picture",
    kinds.DOCX: "a Word document (.docx)",
    kinds.XLSX: "an Excel workbook (.xlsx)",
    kinds.PPTX: "a PowerPoint presentation (.pptx)",
    kinds.ZIP: "a ZIP archive",
    kinds.TEXT: "a plain text",
    kinds.HTML: "a web page (HTML)",
    kinds.UNKNOWN: "of a kind that cannot be told from its content",
    "application/msword": "a Word document of the old kind (.doc)",
    "application/vnd.ms-excel": "an Excel workbook of the old kind (.xls)",
    kinds.OLE: "an office file of the old kind, or one with a password",
    "image/heic": "a HEIC picture",
    "image/*": "a picture",
    "text/*": "a text file",
}

LONGEST: Final = 80
"""Characters of a name in a sentence: names come from strangers, and the model reads them."""


class FileRefused(ToolFailed):
    """An attachment cannot be read; the message says what is wrong with it and what to ask the user for.

    `problem` is what is wrong, in one word; `name` is what the file is called.
    """

    def __init__(self, problem: Problem, *, name: str, **detail: Any) -> None:
        said = {key: shown(value) if key == "entry" else value for key, value in detail.items()}
        super().__init__(f"The attachment {shown(name)} {SENTENCES[problem].format_map(_Open(said))}")
        self.problem = problem
        self.name = name


class _Open(dict[str, Any]):
    """A process that reads may be taken over: what it leaves out is not worth a crash."""

    def __missing__(self, key: str) -> str:
        return "?"


def called(kind: str) -> str:
    """A media type in words."""
    return _CALLED.get(kind, f"a file of type {kind}")


def any_of(wanted: tuple[str, ...]) -> str:
    """Media types in words, of which one will do."""
    *others, last = dict.fromkeys(called(each) for each in wanted)
    return f"{', '.join(others)} or {last}" if others else last


def shown(name: object) -> str:
    """A name as it stands in a sentence: quoted, short, and without anything that could pass for the sentence."""
    text = "".join(each if each.isprintable() and each not in "'\"`<>" else "_" for each in str(name))
    return f"'{text[:LONGEST]}…'" if len(text) > LONGEST else f"'{text}'"
