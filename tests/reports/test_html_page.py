"""The HTML page as a document, without a browser."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from contract_tests.outcome import Chunk, Ending, Received, Run, Span, StepRun, Verdict
from contract_tests.report.html import page, write_html


class Outline(HTMLParser):
    """The text of a page, its elements and its attributes, and whether every element was closed."""

    VOID = frozenset({"meta", "link", "br", "img", "line", "rect", "circle", "input", "base"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.targets += [value for name in ("href", "src", "action") if (value := given.get(name))]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words.append(data)


def test_the_page_opens_with_the_verdict_and_what_broke(run: Run, tmp_path: Path) -> None:
    """Issue 6: verdict first, findings with fix and incident."""
    write_html(run, tmp_path / "new" / "run.html")
    outline = Outline((tmp_path / "new" / "run.html").read_text(encoding="utf-8"))

    opening, _, rest = outline.text.partition("Exchanges What broke")
    assert (
        "1 session breaks 3 hold, 1 breaks, 1 not checked. Contracts: 0 hold, 0 are broken, 43 not checked." in opening
    )
    assert (
        "Target examples/pydocs.py Address http://127.0.0.1:8123/mcp Started 21 November 2026, 03:04:05 UTC" in opening
    )
    assert "Of 5 sessions 1 is only inferred and 1 has expired" in opening
    first, _, _ = rest.partition(" Hosts ")
    assert first.strip() == (
        "chatgpt: 1 of 5 breaks Falling back to a legacy handshake: initialize chatgpt-legacy-fallback, step 2 of 3 "
        "Where status Expected 200 Got 404 "
        "What next Answer initialize at the connector's own path; ChatGPT falls back to it when discovery fails. "
        "Guards against openai/t1379834 "
        "Where body $.error.code Expected no error Got -32601 "
        "Guards against kagura-ai/memory-cloud#1544, openai/t1379834"
    )


def test_the_summary_says_how_far_each_session_can_be_trusted(run: Run) -> None:
    """Issue 6: an expired or only inferred session says so in every report."""
    text = Outline(page(run)).text

    assert (
        "holds A probe without a method chatgpt-retired-probe only inferred expired 2026-10-01 53 days before 1 8.3 ms"
    ) in text
    assert "not checked The same write, twice chatgpt-write-twice: the target has no tool that writes observed" in text


def test_a_step_shows_the_exchange_its_timing_and_its_trace(run: Run) -> None:
    """Issue 2: what was sent, what came back, timing bars, the trace of each step."""
    text = Outline(page(run)).text

    assert "POST http://127.0.0.1:8123/mcp Content-Type : application/json" in text
    assert "Authorization : Bearer <access token A>" in text
    assert '{ "jsonrpc": "2.0", "id": 2, "method": "tools/call",' in text
    assert 'Exactly as on the wire {"jsonrpc":"2.0","id":2,"method":"tools/call",' in text
    assert (
        "Sent 31.0 ms after the first request; first byte after 1.00 s, 4 chunks (2 heartbeats), "
        "longest gap 6.90 s, complete after 13.4 s."
    ) in text
    assert "5.00 s of silence" in text
    trace = text.partition("Trace 4bf92f3577b34da6a3ce929d0e0e4736")[2]
    places = [trace.index(name) for name in ("tools/call search", "search index", "SELECT pages", "rank")]
    assert places == sorted(places)
    assert "error: no weights error.type KeyError" in trace
    assert "Not sent: there is no session to list them in." in text


def test_heartbeats_arrivals_and_silences_are_drawn(run: Run) -> None:
    """Issue 6: each exchange on a timeline with its heartbeats and gaps drawn."""
    call = page(run).partition('id="s1-2"')[2].partition("Trace")[0]
    timing = call.partition("Timing")[2]

    assert re.findall(r'class="beat" cx="([\d.]+)%"', timing) == ["7.47", "44.77"]
    assert re.findall(r'class="bytes" x1="([\d.]+)%"', timing) == ["96.2", "99.93"]
    assert re.findall(r'class="(gap[^"]*)" x="([\d.]+)%" width="([\d.]+)%"', timing) == [
        ("gap", "7.47", "37.3"),
        ("gap longest", "44.77", "51.43"),
    ]


def timeline(run: Run, *steps: StepRun) -> list[str]:
    """What is drawn of each of a session's steps on their common clock."""
    text = page(replace(run, sessions=(replace(run.sessions[1], steps=steps),)))
    return re.findall(r'<summary class="row">.*?</summary>', text, re.DOTALL)


def test_exchanges_at_the_same_time_are_drawn_at_the_same_time(run: Run) -> None:
    """Issue 6, item 6: one clock for all exchanges of a session."""
    call = run.sessions[1].steps[2]
    first, second = replace(call, started=0.0), replace(call, name="again", started=6.59)  # the clock runs 20 s

    drawn = timeline(run, first, second)

    assert [re.findall(r'class="sent" cx="([\d.]+)%"', row) for row in drawn] == [["0.0"], ["32.95"]]
    assert [re.findall(r'class="end" x1="([\d.]+)%"', row) for row in drawn] == [["67.05"], ["100.0"]]
    assert [re.findall(r'class="beat" cx="([\d.]+)%"', row) for row in drawn] == [["5.01", "30.02"], ["37.96", "62.97"]]


def test_a_cut_is_drawn_with_the_silence_before_it(run: Run) -> None:
    """Issue 6, item 6: the longest gap marked with its length, also where nothing came after it, or before it."""
    call = run.sessions[1].steps[2]
    assert call.received
    cut = replace(call.received, ending=Ending.CUT_BY_CLIENT, duration=40.0, longest_gap=26.6)
    late = replace(
        call.received, chunks=(Chunk(at=30.0, size=9), Chunk(at=33.0, size=9)), first_byte=30.0, duration=33.0
    )
    none = Received(status=None, headers=(), body="", chunks=(), ending=Ending.CUT_BY_CLIENT, duration=10.0)

    def told(received: Received) -> list[str]:
        step = replace(call, received=received, spans=(), started=0.0)
        text = page(replace(run, sessions=(replace(run.sessions[1], steps=(step,)),)))
        return re.findall(r'<text class="most"[^>]*>([^<]*)</text>', text)

    assert told(cut) == ["26.6 s of silence until it was cut by the client"]
    assert told(late) == ["30.0 s to the first byte"]
    assert told(none) == ["10.0 s without a byte"]
    (row,) = timeline(run, replace(call, received=cut, started=0.0))
    assert 'class="gap longest" x="33.5%" width="66.5%"' in row
    assert 'class="end cut" x1="100.0%"' in row


def test_a_reply_in_one_piece_has_no_silence(run: Run) -> None:
    """Ours: the wait for it is drawn as such, and a millisecond after it is nothing to look at."""
    (row,) = timeline(run, replace(run.sessions[1].steps[0], started=0.0))

    assert 'class="gap' not in row
    assert row.count('class="bytes"') == 1


def test_arrivals_are_told_in_words_too(run: Run) -> None:
    """WCAG 2.2, 1.1.1."""
    text = Outline(page(run)).text

    assert (
        "Arrivals, one by one 1.00 s: heartbeat, 8 bytes 6.00 s: heartbeat, 8 bytes 12.9 s: bytes, 60 bytes "
        "13.4 s: bytes, 95 bytes 13.4 s: complete"
    ) in text


def test_the_page_says_how_each_contract_stands(contracted: Run) -> None:
    """Issue 6, item 2: the reason, and what would make it checkable; those of no part in the run apart."""
    text = Outline(page(contracted)).text

    assert (
        "1 session and 1 contract break 5 hold, 2 break, 3 not checked. Contracts: 2 hold, 1 is broken (CT-12)" in text
    )
    assert "Every host: 1 of 4 breaks" in text
    assert "chatgpt: 1 of 6 breaks" in text
    table = text.partition("Contracts Not checked is never passed")[2].partition(" Sessions Verdict")[0]
    assert "is broken CT-12" in table
    assert "Left out: a call after 30 s of silence: it must really be waited for: add --slow" in table
    assert "Shown by legacy-2025-03-26 legacy-2025-03-26: only inferred" in table
    assert (
        "not checked CT-29 Clients, grants and tokens outlive a restart the target asks for no authorization "
        "nothing, unless people should have to log in to this target"
    ) in table
    assert "38 contracts were not part of this run" in table


def test_hosts_stand_in_the_order_of_what_breaks_for_them(contracted: Run) -> None:
    """Issue 6: which hosts will fail."""
    other = replace(contracted.sessions[0], host="claude")
    text = Outline(page(replace(contracted, sessions=(other, *contracted.sessions)))).text

    hosts = text.partition("Hosts Host Hold Break Not checked ")[2].partition(" Contracts ")[0]
    assert hosts == "Every host 1 1 2 chatgpt 4 1 1 claude 1 0 0"


def test_the_page_needs_nothing_but_itself(run: Run) -> None:
    """Issue 2: self-contained; every link leads into the page, and the policy forbids the rest."""
    text = page(run)
    outline = Outline(text)

    assert outline.open == []
    assert all(target.startswith("#") and target[1:] in outline.ids for target in outline.targets)
    assert len(outline.ids) == len(set(outline.ids))
    assert not {"link", "img", "iframe", "object", "base", "form"} & set(outline.tags)
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" in text
    assert "url(" not in text
    assert "@import" not in text


def test_nothing_a_target_says_becomes_part_of_the_page(run: Run, hostile: Received) -> None:
    """Ours: the elements of the page are the same whether the words in it are harmless or not."""
    session = run.sessions[3]
    evil = hostile.body[:400]
    bad = replace(session.steps[1].findings[0], step=evil, where=evil, expected=evil, actual=evil, advice=evil)
    span = replace(run.sessions[1].steps[2].spans[1], name=evil, attributes=((evil, evil),), status="error")
    harmless = Received(status=599, headers=(("a", "b"), ("c", "d")), body="x" * 30_000, chunks=hostile.chunks,
                        ending=Ending.BROKEN, duration=10.0, first_byte=0.0, trouble="reset")  # fmt: skip

    def told(received: Received, words: str) -> Run:
        finding = bad if words == evil else replace(bad, step="a", where="a", expected="a", actual="a", advice="a")
        seen = span if words == evil else replace(span, name="a", attributes=(("a", "a"),))
        step = replace(session.steps[1], received=received, findings=(finding,), name=words, spans=(seen,))
        return replace(run, target=words, notes=(words,), sessions=(replace(session, title=words, steps=(step,)),))

    text = page(told(hostile, evil))
    outline = Outline(text)

    assert outline.tags == Outline(page(told(harmless, "plain"))).tags
    assert "{{ 7*7 }}{% raw %}" in text
    assert "first 20,000 of 3,000," in text
    text.encode("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert len(text) < 400_000


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.NOT_CHECKED])
def test_a_run_without_findings_says_so(run: Run, verdict: Verdict) -> None:
    """Ours: not checked is never passed."""
    run = replace(run, sessions=(replace(run.sessions[4], verdict=verdict),))

    text = Outline(page(run)).text

    said = {Verdict.PASSED: "Every checked session holds", Verdict.NOT_CHECKED: "Nothing could be checked"}
    assert said[verdict] in text
    assert "What broke" not in text


def test_a_target_that_never_answers_has_a_page_too(run: Run) -> None:
    """Ours: no status, no header, no byte, no time."""
    nothing = Received(status=None, headers=(), body="", chunks=(), ending=Ending.UNREACHABLE, duration=0.0,
                       trouble="connection refused")  # fmt: skip
    session = run.sessions[3]
    step = replace(session.steps[1], received=nothing, started=0.0)
    run = replace(run, sessions=(replace(session, steps=(step,), reason="gave up"),))

    text = Outline(page(run)).text

    assert "no reply (unreachable)" in text
    assert "connection refused" in text
    assert "The first request; no byte, 0 chunks, unreachable after 0 s." in text


def test_spans_that_lie_about_their_parents_are_drawn_once_each(run: Run) -> None:
    """Ours: a trace can hold cycles, orphans, doubles, and end before it begins."""

    def span(own: str, parent: str, start: int, end: int) -> Span:
        return Span(trace_id="1" * 32, span_id=own, parent_id=parent, name=f"span {own}", kind="server",
                    started_ns=start, ended_ns=end, status="unset")  # fmt: skip

    odd = (span("a", "b", 5, 9), span("b", "a", 7, 8), span("c", "gone", 1, 2), span("d", "d", 9, 3))
    many = tuple(span(f"x{number}", "c", number, number) for number in range(300))
    session = run.sessions[1]
    step = replace(session.steps[2], spans=odd)

    few = Outline(page(replace(run, sessions=(replace(session, steps=(step,)),)))).text
    assert [few.count(f"span {name}") for name in "abcd"] == [1, 1, 1, 1]

    step = replace(step, spans=odd + many)
    assert "104 spans more, not drawn." in Outline(page(replace(run, sessions=(replace(session, steps=(step,)),)))).text


def test_a_stream_of_very_many_chunks_is_drawn_with_few_marks(run: Run) -> None:
    """Ours: two marks closer than a pixel or two are one."""
    session = run.sessions[1]
    received = session.steps[2].received
    assert received
    chunks = tuple(Chunk(at=number / 7e3, size=1) for number in range(90_000))
    step = replace(session.steps[2], received=replace(received, chunks=chunks), spans=())
    run = replace(run, started=datetime(2026, 11, 21, tzinfo=UTC), sessions=(replace(session, steps=(step,)),))

    assert 400 < page(run).count('class="bytes"') < 1_100


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_the_paper(scheme: int) -> None:
    """WCAG 2.2, 1.4.3 (text, 4.5 to 1) and 1.4.11 (marks, 3 to 1)."""
    style = files("contract_tests.report").joinpath("page/page.css").read_text()
    colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]))

    for text in ("ink", "soft", "link", "passed", "failed", "unsure"):
        assert contrast(colours[text], colours["paper"]) >= 4.5, text
        assert contrast(colours[text], colours["raised"]) >= 4.5, text
    for mark in ("receive", "bytes", "focus"):
        assert contrast(colours[mark], colours["paper"]) >= 3, mark
