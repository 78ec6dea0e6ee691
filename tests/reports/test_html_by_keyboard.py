"""The HTML page under the keyboard, on a telephone, and in both schemes, in headless Chromium."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contract_tests.outcome import MutationRun, Run, Verdict
from contract_tests.report.history_file import past_runs, record_run
from contract_tests.report.html import write_html
from tests.chrome import Tab, chromium

UNFOLD = "document.querySelectorAll('details').forEach((one) => (one.open = true))"

CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((x) => x / 255)
    .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4))
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (at) => {
    for (; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return null;
  };
  const found = {count: 0, without: 0, least: 99, where: ''};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const at = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || at.closest('.unseen, .skip, script, style')) continue;
    if (!at.getClientRects().length) continue;
    const style = getComputedStyle(at);
    const ink = rgba(at.closest('svg') ? style.fill : style.color), paper = behind(at);
    if (!paper || ink[3] !== 255) { found.without += 1; continue; }
    const [low, high] = [light(ink), light(paper)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    found.count += 1;
    if (ratio < found.least) { found.least = ratio; found.where = at.outerHTML.slice(0, 120); }
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def report(contracted: Run, mutations: MutationRun, tmp_path: Path) -> str:
    """A page with everything on it: findings of two kinds, contracts, platform changes, and a trend."""
    run = replace(contracted, mutations=mutations)
    healthy = tuple(replace(one, verdict=Verdict.PASSED, steps=()) for one in run.sessions[:4])
    record_run(replace(run, started=run.started - timedelta(days=1), sessions=healthy), tmp_path / "history.jsonl")
    write_html(run, tmp_path / "run.html", past=past_runs(tmp_path / "history.jsonl", run.target))
    return (tmp_path / "run.html").as_uri()


def focused(tab: Tab) -> str:
    return str(tab.say("document.activeElement.innerText.trim().split('\\n')[0]"))


def test_the_findings_are_reached_and_unfolded_without_a_mouse(tab: Tab, report: str) -> None:
    """WCAG 2.2, 2.1.1 and 2.4.1: past the head in one step, from a finding to its exchange in one more."""
    tab.resize(1280, 900)
    tab.open(report)

    tab.press("Tab")
    assert focused(tab) == "Skip to what broke"
    tab.press("Enter")
    tab.wait_for("document.activeElement.id === 'broke'")
    tab.press("Tab")
    assert focused(tab) == 'Every legal id is answered with the same id: id "x"'
    tab.press("Tab")
    assert focused(tab) == "Falling back to a legacy handshake: initialize"
    tab.press("Enter")
    tab.wait_for("location.hash === '#s3-1'")
    opened = "document.getElementById('s3-1').closest('details.step').open"
    tab.wait_for(f"{opened} && document.getElementById('s3-1').closest('details.session').open")
    tab.say("document.getElementById('s3-1').closest('details.step').firstElementChild.focus()")
    tab.press("Enter")
    assert tab.say(opened) is False
    tab.press("Space")
    assert tab.say(opened) is True


def test_every_place_that_scrolls_or_unfolds_is_on_the_way_of_the_tab_key(tab: Tab, report: str) -> None:
    """WCAG 2.2, 2.1.1: in the order of the page, with a mark that is seen."""
    tab.resize(1280, 900)
    tab.open(report)
    way = []
    for _ in range(200):
        tab.press("Tab")
        if tab.say("document.activeElement === document.body"):
            break
        way.append(
            tab.say("""(() => {
            const at = document.activeElement, style = getComputedStyle(at);
            at.dataset.seen = 1;
            return [at.tagName, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2];
        })()""")
        )

    assert {"A", "SUMMARY", "DIV", "BUTTON"} <= {tag for tag, _ in way}
    assert {is_marked for _, is_marked in way} == {True}
    missed = "[...document.querySelectorAll('a, summary, button, .matrix')].filter((at) => at.checkVisibility())"
    assert tab.say(f"{missed}.filter((at) => !at.dataset.seen).map((at) => at.outerHTML)") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_stands_out_from_what_is_behind_it(tab: Tab, report: str, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: as the browser computes it, with everything unfolded."""
    tab.resize(1280, 900)
    tab.prefer(scheme)
    tab.open(report)
    tab.say(UNFOLD)

    found = tab.say(CONTRAST)

    assert found["without"] == 0
    assert found["count"] > 500
    assert found["least"] >= 4.5, found["where"]
    paper = tab.say("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(252, 252, 251)", "dark": "rgb(20, 23, 26)"}[scheme]


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_reaches_over_the_edge_of_any_screen(tab: Tab, report: str, width: int) -> None:
    """WCAG 2.2, 1.4.10 (reflow): contracts, trend and findings; the matrix scrolls in its own region."""
    tab.resize(width, 900)
    tab.open(report)
    tab.say(UNFOLD)

    inside, reach = tab.say("[document.documentElement.clientWidth, document.documentElement.scrollWidth]")
    assert width - 20 <= inside <= width, "the rest is a scroll bar"
    assert reach == inside


def test_a_telephone_shows_each_cell_over_the_whole_width(tab: Tab, report: str) -> None:
    """Ours: a reason in a column of a few letters is there, and cannot be read."""
    tab.resize(390, 900)
    tab.open(report)

    cells = "[...document.querySelectorAll('.standings tbody td, .standings tbody th')]"
    widths = f"{cells}.map((at) => at.getBoundingClientRect().width).filter((width) => width > 1)"
    assert tab.say(f"Math.min(...{widths})") > 300


def test_every_drawing_has_words(tab: Tab, report: str) -> None:
    """WCAG 2.2, 1.1.1: a drawing has a label, or stands in one that has, or is left out beside words."""
    tab.open(report)

    named = "!at.closest('[aria-hidden=true]') && !(at.getAttribute('aria-label') || '').trim()"
    assert tab.say(f"[...document.querySelectorAll('svg')].filter((at) => {named}).length") == 0
    labels = tab.say("[...document.querySelectorAll('[role=img]')].map((at) => at.getAttribute('aria-label'))")
    assert "first byte after 1.00 s, 4 chunks (2 heartbeats), longest gap 6.90 s, complete after 13.4 s" in labels
    assert "2 runs, oldest first. Broken: 0, 2." in labels
