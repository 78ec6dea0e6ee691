"""Where known platforms receive answers, as data. Exact hosts; a new platform is a new line, never a new condition.

A rule is needed only by clients that register themselves: a client document vouches for its own addresses. What listens
on the person's own computer needs none either. `https://platform.openai.com/apps-manage/oauth` is left out on purpose:
it relays for a scan tool and would let it collect codes.
"""

from typing import Final

from .redirects import RedirectRule

_FACTS = "platform documentation and observed requests"
_PUBLIC = "public issue trackers of MCP servers"

PLATFORMS: Final = (
    RedirectRule(
        platform="ChatGPT", host="chatgpt.com", path="/connector_platform_oauth_redirect", seen="2026-10", source=_FACTS
    ),
    RedirectRule(
        platform="ChatGPT", host="chatgpt.com", path="/connector/oauth", below=True, seen="2026-10", source=_FACTS
    ),
    RedirectRule(
        platform="Claude", host="claude.ai", path="/api/mcp/auth_callback", below=True, seen="2026-10", source=_FACTS
    ),
    RedirectRule(
        platform="Claude", host="claude.com", path="/api/mcp/auth_callback", below=True, seen="2026-10", source=_FACTS
    ),
    RedirectRule(
        platform="Gemini", host="oauth-redirect.googleusercontent.com", path="/r", below=True, seen="2026-09-21",
        source=_FACTS,
    ),
    RedirectRule(
        platform="VS Code", host="vscode.dev", path="/redirect", seen="2026-08-16",
        source="https://github.com/zeptonow/mcp/issues/39",
    ),
    RedirectRule(
        platform="VS Code Insiders", host="insiders.vscode.dev", path="/redirect", seen="2026-07-25", source=_PUBLIC
    ),
    RedirectRule(
        platform="Cursor", host="www.cursor.com", path="/agents/mcp/oauth/callback", seen="2026-09-17",
        source="https://github.com/koala73/worldmonitor/issues/8303",
    ),
    RedirectRule(
        platform="Copilot Studio and Power Platform", host="global.consent.azure-apim.net", path="/redirect",
        below=True, seen="2025-12-30",
        source="https://agentifyanchor.github.io/blog/posts/"
        "2025-12-30-building-a-production-ready-mcp-server-for-copilot-with-dynamic-client-registration",
    ),
    RedirectRule(
        platform="Grok", host="grok.com", path="/connectors-oauth-exchange-code/", seen="2026-09-17",
        source="https://grok.com/oauth/mcp-client.json, by https://github.com/koala73/worldmonitor/pull/8307",
    ),
    RedirectRule(
        platform="Grok", host="console.x.ai", path="/connectors-oauth-exchange-code/", seen="2026-09-17",
        source="https://grok.com/oauth/mcp-client.json, by https://github.com/koala73/worldmonitor/pull/8307",
    ),
)  # fmt: skip
