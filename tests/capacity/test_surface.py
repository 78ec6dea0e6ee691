"""Who is calling, from what it says of itself, and which cuts are the client's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http.request.surface import CALL_LIMITS, Surface, is_own_limit, surface_of


@pytest.mark.parametrize(
    ("user_agent", "client_name", "expected"),
    [
        ("openai-mcp/1.0.0", None, "chatgpt"),
        ("openai-mcp/1.0.0 (ChatGPT)", None, "chatgpt"),
        ("openai-mcp/1.0.0 (Codex)", None, "chatgpt-codex"),
        ("openai-mcp/1.0.0", "openai-mcp (Codex)", "chatgpt-codex"),
        ("openai-mcp/1.0.0 (Responses API)", None, "responses-api"),
        (None, "openai-mcp (Realtime API)", "realtime-api"),
        (None, "codex-mcp-client", "codex"),
        ("Claude-User", None, "claude"),
        ("python-httpx/0.28.1", "Anthropic/ClaudeAI", "claude"),
        ("python-httpx/0.28.1", "claude-ai", "claude"),
        ("claude-code/2.1.147 (cli)", None, "claude-code"),
        ("Claude-User (claude-code/2.1.147)", None, "claude-code"),
        (None, "Visual Studio Code", "vscode"),
        (None, "cursor-vscode", "cursor"),
        (None, "ms-copilot", "copilot"),
        ("MicrosoftCopilotStudio-AgenticLoop/1.0", None, "copilot-studio"),
        ("Slack-MCP-Client/1.0", None, "slack"),
        ("python-httpx/0.28.1", None, "other"),
        ("Python/3.12 aiohttp/3.11", None, "other"),
        ("", "", "other"),
        (None, None, "other"),
    ],
)
def test_a_client_is_known_by_what_it_says_of_itself(
    user_agent: str | None, client_name: str | None, expected: str
) -> None:
    """Facts on the wire, sections 1.1 and 6."""
    assert surface_of(user_agent, client_name).value == expected


@pytest.mark.parametrize("user_agent", ["openai-mcp/9.9.9", "OpenAI-MCP/2.0", "openai-mcp/1.1.0-beta.3 (chatgpt)"])
def test_a_new_version_is_the_same_client(user_agent: str) -> None:
    """Ours: versions change weekly."""
    assert surface_of(user_agent) is Surface.CHATGPT


def test_a_product_that_nobody_knows_yet_stands_for_itself() -> None:
    """Ours: a new product of a known vendor may fail in its own way."""
    assert surface_of("openai-mcp/1.0.0 (Operator 7)") is Surface.OPENAI


@given(st.text(), st.text() | st.none())
def test_any_text_gives_one_of_few_labels(user_agent: str, client_name: str | None) -> None:
    """Ours: labels of metrics must be few, whatever callers send."""
    assert surface_of(user_agent, client_name) in Surface


def test_a_mark_far_behind_is_not_looked_for() -> None:
    """Ours: what is remembered of a caller's text is bounded."""
    assert surface_of("x" * 100_000 + "openai-mcp") is Surface.OTHER


@pytest.mark.parametrize(
    ("surface", "lasted", "expected"),
    [
        (Surface.CHATGPT, 119.8, True),
        (Surface.CHATGPT_CODEX, 118.2, True),
        (Surface.CHATGPT, 60.0, False),
        (Surface.CHATGPT, 100.0, False),
        (Surface.CHATGPT, 125.0, False),
        (Surface.RESPONSES_API, 59.76, True),
        (Surface.RESPONSES_API, 119.8, False),
        (Surface.CLAUDE, 180.0, True),
        (Surface.CLAUDE, 240.0, True),
        (Surface.CLAUDE, 120.0, False),
        (Surface.CLAUDE_CODE, 60.0, False),
        (Surface.OPENAI, 59.8, True),
        (Surface.OPENAI, 119.8, True),
        (Surface.OTHER, 119.8, False),
    ],
)
def test_a_cut_near_the_clients_own_limit_is_its_own(surface: Surface, lasted: float, expected: bool) -> None:
    """Facts on the wire, sections 1.6 and 6."""
    assert is_own_limit(surface, lasted, tolerance=2.0) is expected


def test_every_limit_is_a_span_of_seconds() -> None:
    """Ours: a limit written the wrong way round would never match."""
    assert [span for spans in CALL_LIMITS.values() for span in spans if not 0 < span[0] <= span[1]] == []
