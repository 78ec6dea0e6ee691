"""What a person sees on a terminal, and what a pipe receives."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from contract_tests.outcome import Received, Run
from contract_tests.report.terminal import Progress


def played(run: Run, console: Console) -> str:
    with Progress(console) as progress:
        progress.run_started(run.target, run.url, len(run.sessions))
        for session in run.sessions:
            progress.session_started(session.id, session.title)
            progress.session_ended(session)
        progress.run_ended(run)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def piped(run: Run, *, width: int = 100) -> str:
    return played(run, Console(file=io.StringIO(), width=width, highlight=False))


def test_a_pipe_receives_one_line_per_session(run: Run) -> None:
    """Issue 2: plain lines otherwise; stable, so that they can be searched."""
    assert piped(run, width=40).splitlines()[:6] == [
        "replaying 5 sessions against examples/pydocs.py at http://127.0.0.1:8123/mcp",
        "holds        chatgpt-create-modern  Creating a connector  2 steps in 24.5 ms, slowest first byte 12.1 ms",
        "holds        chatgpt-slow-call  A call that takes its time  3 steps in 13.4 s, slowest first byte 1.00 s",
        (
            "holds        chatgpt-retired-probe  A probe without a method  1 step in 8.7 ms, "
            "slowest first byte 8.3 ms  [only inferred, expired 2026-10-01]"
        ),
        (
            "breaks       chatgpt-legacy-fallback  Falling back to a legacy handshake  3 steps in 14.5 ms, "
            "slowest first byte 8.3 ms"
        ),
        "not checked  chatgpt-write-twice  The same write, twice  the target has no tool that writes",
    ]


def test_the_account_gives_the_verdict_then_every_finding_then_what_was_not_checked(run: Run) -> None:
    """Issue 2: a failure shows the step, what was sent, what came back, what was expected and the incident."""
    account = [line.rstrip() for line in piped(run).splitlines()[6:]]

    assert account == [
        "",
        "3 hold, 1 breaks, 1 not checked  (examples/pydocs.py, 17.2 s)",
        "2 sessions of this corpus need an OAuth target and were left out",
        "of 5 sessions 1 is only inferred and 1 has expired: they may say nothing of the platform of today",
        "",
        "chatgpt-legacy-fallback > initialize",
        "  session     Falling back to a legacy handshake (chatgpt, connector; observed, seen 2026-09-29)",
        "  sent        POST http://127.0.0.1:8123/mcp",
        '              {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"',
        '              ,"capabilities":{},"clientInfo":{"name":"openai-mcp","version":"1.0.0"}}}',
        "  received    404 Not Found, application/json, 77 bytes; first byte after 3.1 ms, 1 chunk, complete",
        "              after 3.5 ms",
        '              {"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"Method not found"}}',
        "  finding     status",
        "    expected  200",
        "    got       404",
        "    guards    openai/t1379834",
        "    next      Answer initialize at the connector's own path; ChatGPT falls back to it when discovery",
        "              fails.",
        "  finding     body $.error.code",
        "    expected  no error",
        "    got       -32601",
        "    guards    kagura-ai/memory-cloud#1544, openai/t1379834",
        "",
        "not checked",
        "  chatgpt-write-twice: the target has no tool that writes",
    ]


def test_sessions_that_were_not_checked_for_one_reason_share_a_line(run: Run) -> None:
    """Ours: a target without tools is told so once."""
    first = run.sessions[4]
    other = replace(first, id="chatgpt-cut-write")
    third = replace(first, id="oauth-refresh", reason="")

    account = piped(replace(run, sessions=(first, third, other))).splitlines()

    assert account[-3:] == [
        "not checked",
        "  chatgpt-write-twice, chatgpt-cut-write: the target has no tool that writes",
        "  oauth-refresh: no reason given",
    ]


def test_a_terminal_shows_how_far_the_replay_is_and_is_given_back(run: Run) -> None:
    """Issue 2: a live progress display on a terminal."""
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="standard", _environ={})

    shown = played(run, console)

    assert "5/5" in shown
    assert "\x1b[1;31mbreaks" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1


def test_a_terminal_is_given_back_when_the_replay_is_interrupted(run: Run) -> None:
    """Ours: Ctrl-C leaves no hidden cursor behind."""
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="standard", _environ={})

    def interrupted() -> None:
        with Progress(console) as progress:
            progress.run_started(run.target, run.url, 5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().count("\x1b[?25h") == 1


def test_no_color_leaves_the_words(run: Run) -> None:
    """https://no-color.org"""
    console = Console(file=io.StringIO(), width=100, force_terminal=True, _environ={"NO_COLOR": "1", "TERM": "xterm"})

    shown = played(run, console)

    assert "\x1b[31m" not in shown
    assert "\x1b[1;31m" not in shown
    assert "3 hold, 1 breaks, 1 not checked" in shown


def test_a_narrow_terminal_loses_nothing(run: Run) -> None:
    """Ours: the account wraps to the width, and cuts nothing off."""
    account = piped(run, width=40).partition("chatgpt-legacy-fallback > initialize")[2].partition("not checked")[0]

    assert max(len(line) for line in account.splitlines()) <= 40
    assert "kagura-ai/memory-cloud#1544" in "".join(account.split())


def test_what_a_target_says_is_neither_markup_nor_an_escape_sequence(run: Run, hostile: Received) -> None:
    """Ours: a body cannot clear the screen or set the window's title."""
    session = run.sessions[3]
    finding = replace(session.steps[1].findings[0], actual="[bold]\x1b[2J[/bold]")
    steps = (replace(session.steps[1], received=hostile, findings=(finding,)),)
    title = "[red]\x1b]0;x\x07 [/nothing]"
    run = replace(run, sessions=(replace(session, steps=steps, title=title, reason="\x9b1m"),))

    shown = piped(run)

    assert {character for character in shown if ord(character) < 32} == {"\n"}
    assert "\x9b" not in shown
    assert "[bold]\\x1b[2J[/bold]" in shown
    assert "[red]\\x1b]0;x\\x07 [/nothing]" in shown
    assert "[bold red]markup[/bold red]" in shown
    assert "3.0 MB in all)" in shown
    assert len(shown) < 5_000
