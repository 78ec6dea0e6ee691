"""How values are put in words: durations, sizes, verdicts, trust, replies and bodies.

The same words in every report. Knows no terminal, no markup and no file.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from ..outcome import MutationRun, Received, Run, SessionRun, StepRun, Verdict

VERDICTS = {Verdict.PASSED: "holds", Verdict.FAILED: "breaks", Verdict.NOT_CHECKED: "not checked"}

# Controls but for tab and line feed, what XML 1.0 forbids, lone surrogates, and what reorders or hides text.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_LEXEME = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+)', re.DOTALL)
_INDENT = "  "
# Seconds below which a form is used, the factor to its unit, the form. The limits are where its rounding ends.
_SCALES = (
    (5e-10, 1, "0 s"),
    (9.95e-5, 1e6, "{:.0f} µs"),
    (0.0995, 1e3, "{:.1f} ms"),
    (0.9995, 1e3, "{:.0f} ms"),
    (9.995, 1, "{:.2f} s"),
    (59.95, 1, "{:.1f} s"),
)
_SIZES = ((1e3, 1, "{0}"), (999_950, 1e3, "{1:.1f} kB"), (math.inf, 1e6, "{1:.1f} MB"))


def printable(text: str) -> str:
    """Text that no terminal, browser or XML parser takes for more than text: controls become escapes."""
    return _UNPRINTABLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - what two digits can say


def seconds(value: float | None) -> str:
    """A duration in the unit a person would choose: 8.3 ms, 120 ms, 2.35 s, 2 min 5 s, or "none"."""
    if value is None:
        return "none"
    for limit, scale, form in _SCALES:
        if value < limit:
            return form.format(value * scale)
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(count: int) -> str:
    """A number of bytes: 312 bytes, 4.1 kB, 12.0 MB (decimal units)."""
    return next(form.format(plural(count, "byte"), count / unit) for limit, unit, form in _SIZES if count < limit)


def plural(count: int, noun: str) -> str:
    """A number with its noun: 1 step, 2 steps, 1,200 steps."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def verdict_line(run: Run) -> str:
    """The sentence that opens and closes every report: 19 hold, 1 breaks, 3 not checked."""
    count = {verdict: sum(s.verdict is verdict for s in run.sessions) for verdict in Verdict}
    parts = [_those_that(count[Verdict.PASSED], "hold"), _those_that(count[Verdict.FAILED], "break")]
    sessions = ", ".join([*parts, f"{count[Verdict.NOT_CHECKED]:,} not checked"])
    return f"{sessions}; {survivors(run.mutations)}" if run.mutations else sessions


def headline(run: Run) -> str:
    """The verdict in a few words: 2 sessions and 1 contract break."""
    broken = [session for session in run.sessions if session.verdict is Verdict.FAILED]
    contracts = sum(bool(session.severity) for session in broken)
    parts = ((len(broken) - contracts, "session"), (contracts, "contract"))
    if broken:
        told = " and ".join(plural(count, noun) for count, noun in parts if count)
        return f"{told} {'breaks' if len(broken) == 1 else 'break'}"
    if run.mutations and run.mutations.broke:
        return f"{plural(run.mutations.broke, 'platform change')} would break it"
    return "Nothing could be checked" if run.exit_code else "Every checked session holds"


def doubtful(run: Run) -> str:
    """How many sessions may say nothing of the platform of today, in a sentence; empty if none."""
    inferred = sum(session.provenance == "inferred" for session in run.sessions)
    expired = sum(session.is_expired for session in run.sessions)
    parts = (
        f"{inferred:,} {'is' if inferred == 1 else 'are'} only inferred" if inferred else "",
        f"{expired:,} {'has' if expired == 1 else 'have'} expired" if expired else "",
    )
    told = " and ".join(filter(None, parts))
    return (
        f"of {plural(len(run.sessions), 'session')} {told}: they may say nothing of the platform of today"
        if told
        else ""
    )


def survivors(mutations: MutationRun) -> str:
    """How many mutants survived: 518 of 522 mutants survive."""
    tried = mutations.survived + mutations.broke
    return f"{mutations.survived:,} of {plural(tried, 'mutant')} {'survives' if mutations.survived == 1 else 'survive'}"


def _those_that(count: int, verb: str) -> str:
    return f"{count:,} {verb}s" if count == 1 else f"{count:,} {verb}"


def doubts(session: SessionRun) -> tuple[str, ...]:
    """Why the session's expectations may not be those of the platform any more, or never were."""
    inferred = ("only inferred",) if session.provenance == "inferred" else ()
    expired = (f"expired {session.expires.isoformat()}",) if session.is_expired else ()
    return inferred + expired


def trust(session: SessionRun) -> str:
    """How the session is known, since when, and what speaks against it: observed, seen 2026-09-29."""
    known = () if session.provenance == "inferred" else (session.provenance,)
    return ", ".join([*known, *doubts(session), f"seen {session.seen.isoformat()}"])


def age(seen: date, on: date) -> str:
    """How long before `on` the wire was last seen like this."""
    days = (on - seen).days
    return "today" if days <= 0 else plural(days, "day")


def slowest_first_byte(session: SessionRun) -> float | None:
    """Seconds to the first byte of the session's slowest reply; None if no reply had one."""
    return max((time for step in session.steps if (time := first_byte(step)) is not None), default=None)


def first_byte(step: StepRun) -> float | None:
    """Seconds from the request to the first byte of its reply, if there was one."""
    return step.received.first_byte if step.received else None


def status_line(received: Received) -> str:
    """The reply in a few words: 404 Not Found, text/plain, 9 bytes."""
    if received.status is None:
        return f"no reply ({received.ending})"
    phrase = f" {HTTPStatus(received.status).phrase}" if received.status in set(HTTPStatus) else ""
    parts = (f"{received.status}{phrase}", media_type(received), size(body_size(received)))
    return ", ".join(part for part in parts if part)


def media_type(received: Received) -> str:
    """The Content-Type without its parameters; empty if there is none."""
    types = [value for name, value in received.headers if name.lower() == "content-type"]
    return types[0].partition(";")[0].strip().lower() if types else ""


def body_size(received: Received) -> int:
    """Bytes of the reply's body as they arrived; of its text if the arrivals were not recorded."""
    return sum(chunk.size for chunk in received.chunks) or len(received.body.encode(errors="surrogatepass"))


def timing(received: Received) -> str:
    """How the reply came over time, in one sentence without a full stop."""
    beats = sum(chunk.count for chunk in received.chunks if chunk.is_heartbeat)
    parts = [
        f"first byte after {seconds(received.first_byte)}" if received.first_byte is not None else "no byte",
        plural(arrivals(received), "chunk") + (f" ({plural(beats, 'heartbeat')})" if beats else ""),
        f"longest gap {seconds(received.longest_gap)}" if _is_gap_worth_a_word(received) else "",
        f"{received.ending} after {seconds(received.duration)}",
    ]
    return ", ".join(part for part in parts if part)


def arrivals(received: Received) -> int:
    """How many times bytes arrived, those included that are recorded together."""
    return sum(chunk.count for chunk in received.chunks)


def _is_gap_worth_a_word(received: Received) -> bool:
    """Waiting for the first byte is a gap too, and has been told already."""
    return received.first_byte is not None and received.longest_gap > received.first_byte


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The beginning of a text; `omission` says how much there was, and is empty if nothing is left out."""

    text: str
    omission: str = ""


def excerpt(text: str, *, longest: int) -> Excerpt:
    """At most `longest` characters of `text`."""
    if len(text) <= longest:
        return Excerpt(text=text)
    whole = size(len(text.encode(errors="surrogatepass")))
    return Excerpt(text=text[:longest], omission=f"first {longest:,} of {len(text):,} characters, {whole} in all")


def first_line(text: str, *, longest: int) -> str:
    """Text on one line, for places where only one fits."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def indented(body: str, *, media_type: str = "", longest: int) -> str | None:
    """The body as JSON or an event stream laid out to be read, at most about `longest` characters of it.

    Only white space changes: names, numbers, escapes and their order stay as sent. None if it is neither, or
    if nothing would change.
    """
    laid_out = _events(body, longest) if media_type == "text/event-stream" else _json(body, longest)
    return laid_out if laid_out and laid_out != body else None


def _events(body: str, longest: int) -> str:
    lines, used = [], 0
    for line in body.splitlines():
        data = _json(line[5:].strip(), longest) if line.startswith("data:") else None
        lines.append(f"data: {data}" if data else line)
        used += len(lines[-1])
        if used > longest:
            break
    return "\n".join(lines)


def _json(text: str, longest: int) -> str | None:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    pieces, used = [], 0
    for piece in _layout(text):
        pieces.append(piece)
        used += len(piece)
        if used > longest:
            break
    return "".join(pieces)


def _layout(text: str) -> Iterator[str]:
    depth, before = 0, ""
    for match in _LEXEME.finditer(text):
        part = match[1]
        depth -= part in "]}"
        if before and (before in "[{," or part in "]}") and before + part not in {"[]", "{}"}:
            yield "\n" + _INDENT * depth
        yield ": " if part == ":" else part
        depth += part in "[{"
        before = part
