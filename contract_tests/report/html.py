"""The run as one HTML page that needs nothing but itself: no network, no script to be read.

Everything a target said is escaped by the template engine and made printable on its way out; a content security
policy in the page forbids whatever might slip through.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..credentials import without_credentials
from ..outcome import Fate, Run, Verdict
from . import figures, matrix, words

LONGEST_READABLE = 12_000
"""Characters of a body laid out to be read: some four hundred lines."""

LONGEST_EXACT = 20_000
"""Characters of a body as it was on the wire. The JSON report holds all of it."""


def write_html(run: Run, path: Path) -> None:
    """Write the run as one self-contained HTML page, without credentials. An existing file is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(run), encoding="utf-8")


def page(run: Run) -> str:
    """The page that `write_html` writes."""
    template = _environment().get_template("report.html.j2")
    return template.render(run=without_credentials(run), Verdict=Verdict, Fate=Fate)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=_printable,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "age": words.age,
        "body_size": words.body_size,
        "digest": _digest,
        "doubts": words.doubts,
        "media_type": words.media_type,
        "one_line": lambda text: text.replace("\n", "\\n"),
        "plural": words.plural,
        "seconds": words.seconds,
        "size": words.size,
        "slowest_first_byte": words.slowest_first_byte,
        "status_line": words.status_line,
        "timing": words.timing,
    }
    environment.globals |= {
        "bar": figures.bar,
        "enumerate": enumerate,
        "matrix": matrix,
        "exact": lambda text: words.excerpt(text, longest=LONGEST_EXACT),
        "readable": _readable,
        "session_axis": figures.session_axis,
        "step_axis": figures.step_axis,
        "survivors": words.survivors,
        "verdict_line": words.verdict_line,
        "waterfall": figures.waterfall,
        "word": words.VERDICTS,
    }
    return environment


def _readable(text: str, media_type: str = "") -> words.Excerpt | None:
    """The body laid out to be read, if that differs from how it was sent."""
    laid_out = words.indented(text, media_type=media_type, longest=LONGEST_READABLE)
    if laid_out is None:
        return None
    if len(laid_out) <= LONGEST_READABLE:
        return words.Excerpt(text=laid_out)
    whole = words.size(len(text.encode(errors="surrogatepass")))
    return words.Excerpt(text=laid_out[:LONGEST_READABLE], omission=f"the beginning; the body has {whole} in all")


def _printable(value: Any) -> Any:
    return words.printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _digest(script: str) -> str:
    """The script's hash in the form in which a content security policy allows it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
