"""Which addresses may receive a code, as a table."""

import pytest

from connector.oauth.issuing import PLATFORMS, RedirectRule
from connector.oauth.issuing.clients.redirects import is_admitted, is_sound, matches, place_of

GOOD = (
    "https://chatgpt.com/connector_platform_oauth_redirect",
    "https://chatgpt.com/connector/oauth/AbC123xyz",
    "https://chatgpt.com/connector/oauth/LU3_gWQc0r-6",
    "https://claude.ai/api/mcp/auth_callback",
    "https://claude.com/api/mcp/auth_callback",
    "https://oauth-redirect.googleusercontent.com/r/my-project-1",
    "https://vscode.dev/redirect",
    "https://insiders.vscode.dev/redirect",
    "http://127.0.0.1:33418",
    "http://127.0.0.1:33418/",
    "http://localhost:54321/callback",
    "http://[::1]:8080/callback",
    "http://127.0.0.1:49152/callback/FLLrQdlez6Uf",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "https://www.cursor.com/agents/mcp/oauth/callback",
    "https://global.consent.azure-apim.net/redirect",
    "https://global.consent.azure-apim.net/redirect/mvp-5fnotes-5f0123456789abcdef",
    "https://grok.com/connectors-oauth-exchange-code/",
    "warp://mcp/oauth2callback",
    "vscode://saoudrizwan.claude-dev/callback",
    "com.example.app:/oauth2redirect",
)

BAD = (
    "https://chatgpt.com.evil.test/connector/oauth/x",
    "https://evil.test/connector/oauth/x",
    "https://evilchatgpt.com/connector/oauth/x",
    "https://chatgpt.com/connector/oauth/../x",
    "https://chatgpt.com/connector/oauth/%2e%2e/x",
    "https://chatgpt.com/connector/oauth/./x",
    "https://chatgpt.com/connector/oauth/%2fx",
    "https://chatgpt.com/connector/oauth//x",
    "https://chatgpt.com/connector/oauth/",
    "https://chatgpt.com/connector/oauthx",
    "https://chatgpt.com/share/abc",
    "https://chatgpt.com/",
    "https://chatgpt.com:8443/connector/oauth/x",
    "https://chatgpt.com/connector/oauth/x?next=https://evil.test",
    "https://chatgpt.com/connector/oauth/x#fragment",
    "https://chatgpt.com@evil.test/connector/oauth/x",
    "https://user:pass@chatgpt.com/connector/oauth/x",
    "https://chatgpt.com\\@evil.test/connector/oauth/x",
    "https://evil.test\\.chatgpt.com/connector/oauth/x",
    "https://CHATGPT.com/connector/oauth/x",
    "https://platform.openai.com/apps-manage/oauth",
    "http://chatgpt.com/connector/oauth/x",
    "http://127.0.0.1.evil.test/callback",
    "http://localhost.evil.test/callback",
    "http://127.0.0.2/callback",
    "http://10.0.0.1/callback",
    "http://user@127.0.0.1/callback",
    "https://vscode.dev/redirect/../evil",
    "https://oauth-redirect.googleusercontent.com/x/1",
    "https://",
    "https:///callback",
    "//chatgpt.com/connector/oauth/x",
    "/connector/oauth/x",
    "javascript:alert(1)",
    "JavaScript://chatgpt.com/%0aalert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://chatgpt.com/x",
    "view-source:https://chatgpt.com/",
    "ms-msdt:/id",
    "search-ms://query",
    "web+evil://x",
    "intent://scan/#Intent;scheme=zxing;end",
    "urn:ietf:wg:oauth:2.0:oob",
    "cursor:callback",
    "https://chatgpt.com/connector/oauth/x\r\nSet-Cookie: a=b",
    "https://chatgpt.com/connector/oauth/x ",
    " https://chatgpt.com/connector/oauth/x",
    "https://chatgpt.com/connector/oauth/\u0445",
    "https://chatgpt.com:99999/connector/oauth/x",
    "https://[::1/connector/oauth/x",
    "https://chatgpt.com/connector/oauth/" + "x" * 1000,
    "",
    None,
    7,
    ["https://chatgpt.com/connector/oauth/x"],
)


@pytest.mark.parametrize("uri", GOOD)
def test_a_known_platform_or_a_program_on_the_computer_may_receive_codes(uri: str) -> None:
    """CT-23, incidents P-10 and P-11."""
    assert is_admitted(uri, PLATFORMS)


@pytest.mark.parametrize("uri", BAD)
def test_what_only_looks_like_one_may_not(uri: object) -> None:
    """CT-23: look-alike hosts, dot segments, user names, other ports and schemes that the system runs itself."""
    assert not is_admitted(uri, PLATFORMS)


def test_an_owner_can_admit_one_more() -> None:
    """Ours: a new platform is a new line of data."""
    rule = RedirectRule(platform="New", host="new.example", path="/back")

    assert is_admitted("https://new.example/back", [*PLATFORMS, rule])
    assert not is_admitted("https://new.example/back/more", [*PLATFORMS, rule])
    assert not is_admitted("https://new.example/back", PLATFORMS)


def test_a_document_vouches_for_its_own_https_addresses() -> None:
    """Incident P-11: the policy comes from the document; the spelling is still checked."""
    assert is_sound("https://anything.example/callback?x=1")
    assert not is_sound("https://anything.example/callback#x")
    assert not is_sound("http://anything.example/callback")


@pytest.mark.parametrize(
    ("asked", "listed", "is_one"),
    [
        ("https://a.example/cb", "https://a.example/cb", True),
        ("https://a.example/cb/", "https://a.example/cb", False),
        ("https://a.example:444/cb", "https://a.example/cb", False),
        ("https://a.example/cb?x=1", "https://a.example/cb", False),
        ("https://a.example/CB", "https://a.example/cb", False),
        ("http://127.0.0.1:1234/callback/id", "http://127.0.0.1/callback/id", True),
        ("http://127.0.0.1:1234/callback/id", "http://127.0.0.1:33418/callback/id", True),
        ("http://127.0.0.1:1234/", "http://127.0.0.1:33418", True),
        ("http://127.0.0.1:1234/other", "http://127.0.0.1/callback/id", False),
        ("http://localhost:1234/callback", "http://127.0.0.1/callback", False),
        ("http://127.0.0.1:1234/callback?x=1", "http://127.0.0.1/callback", False),
        ("http://127.0.0.1.evil.test:1234/callback", "http://127.0.0.1/callback", False),
        ("http://[::1]:9/cb", "http://[::1]/cb", True),
        ("cursor://a/b", "cursor://a/c", False),
    ],
)
def test_addresses_are_compared_exactly_but_for_loopback_ports(asked: str, listed: str, is_one: bool) -> None:
    """RFC 8252 section 7.3, CT-24 (Codex), and nothing more."""
    assert matches(asked, [listed]) is is_one


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("https://chatgpt.com/connector/oauth/x", "chatgpt.com"),
        ("http://127.0.0.1:33418/callback", "an app on this computer (127.0.0.1)"),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "the app that opens cursor: links"),
    ],
)
def test_a_person_is_told_where_the_answer_goes(uri: str, words: str) -> None:
    """Ours: the host, since the name is only claimed."""
    assert place_of(uri) == words


def test_every_rule_says_when_and_where_it_was_seen() -> None:
    """Ours: data without provenance cannot be taken out again."""
    assert all(rule.seen and rule.source and rule.host == rule.host.lower() for rule in PLATFORMS)
    assert {rule.platform for rule in PLATFORMS} >= {"ChatGPT", "Claude", "Gemini", "VS Code", "Cursor"}
