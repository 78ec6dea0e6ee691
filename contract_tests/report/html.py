"""The run as one HTML page that needs nothing but itself: no network, no script to be read.

Everything a target said is escaped by the template engine and made printable on its way out; a content security
policy in the page forbids whatever might slip through.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..credentials import without_credentials
from ..outcome import Fate, Run, Verdict
from . import contracts, figures, history, matrix, words
from .history_file import Past
from .hosts import hosts
from .room import MOST_KINDS, MOST_MUTANTS, rooms
from .trend import Change, Trend, trend

LONGEST_FINDING = 4_000
"""Characters of what was expected and of what came."""


def write_html(run: Run, path: Path, *, past: Past | None = None) -> None:
    """Write the run as one self-contained HTML page, without credentials. An existing file is replaced.

    Args:
        run: what was found.
        path: the file to write.
        past: earlier runs of the same target, to show the trend; without them no trend is shown.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(run, past=past), encoding="utf-8")


def page(run: Run, *, past: Past | None = None) -> str:
    """The page that `write_html` writes."""
    run = without_credentials(run)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            run=run,
            trend=_trend(run, past),
            standings=contracts.accounts(run.sessions),
            hosts=hosts(run.sessions),
            rooms=rooms(run),
            trust={session.id: words.doubts(session) for session in run.sessions},
            resolution=figures.resolution(step for session in run.sessions for step in session.steps),
            Verdict=Verdict,
            Fate=Fate,
            Change=Change,
        )
    )


def _trend(run: Run, past: Past | None) -> Trend | None:
    return None if past is None else trend(run, past)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "page"),
        autoescape=True,
        finalize=_printable,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "age": words.age,
        "capitalize_first": lambda text: text[:1].upper() + text[1:],
        "digest": _digest,
        "doubts": words.doubts,
        "media_type": words.media_type,
        "one_line": lambda text: text.replace("\n", "\\n"),
        "plural": words.plural,
        "seconds": words.seconds,
        "size": words.size,
        "slowest_first_byte": words.slowest_first_byte,
        "status_line": words.status_line,
        "text": _text,
        "timing": words.timing,
    }
    environment.globals |= {
        "arrivals": words.arrivals,
        "bar": figures.bar,
        "contracts": contracts,
        "doubtful": words.doubtful,
        "enumerate": enumerate,
        "exact": lambda text, longest=LONGEST_FINDING: words.excerpt(text, longest=longest),
        "headline": words.headline,
        "matrix": matrix,
        "most_kinds": MOST_KINDS,
        "most_mutants": MOST_MUTANTS,
        "place": history.place,
        "readable": _readable,
        "session_axis": figures.session_axis,
        "step_axis": figures.step_axis,
        "survivors": words.survivors,
        "verdict_line": words.verdict_line,
        "waterfall": figures.waterfall,
        "word": words.VERDICTS,
    }
    return environment


def _readable(text: str, media_type: str, longest: int) -> words.Excerpt | None:
    """The body laid out to be read, if that differs from how it was sent."""
    laid_out = words.indented(text, media_type=media_type, longest=longest)
    if laid_out is None:
        return None
    if len(laid_out) <= longest:
        return words.Excerpt(text=laid_out)
    whole = words.size(len(text.encode(errors="surrogatepass")))
    return words.Excerpt(text=laid_out[:longest], omission=f"the beginning; the body has {whole} in all")


def _printable(value: Any) -> Any:
    return words.printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _text(value: str) -> Markup:
    """Text between tags, where a quotation mark is no markup: JSON would be half as long again with all escaped."""
    clean = words.printable(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markup(clean)  # noqa: S704 - escaped in the line above


def _digest(script: str) -> str:
    """The script's hash in the form in which a content security policy allows it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
