"""The corpus against the list of what hosts were seen to do: no profile, recipe or host is lost, none comes unnoticed.

The lists are literal on purpose. A session that is added or renamed has to be named here, with what it stands for.
"""

from collections.abc import Mapping

import pytest

from contract_tests import load_sessions

PROFILES: Mapping[str, frozenset[str]] = {
    # ChatGPT over time
    "ChatGPT, July 2025": frozenset({"run-2025-07", "legacy-2025-03-26"}),
    "ChatGPT, November 2025": frozenset({"run-2025-11-listening", "legacy-2025-06-18", "oauth-reconnect"}),
    "ChatGPT, December 2025": frozenset({"run-2025-12-twins"}),
    "ChatGPT, March 2026": frozenset({"run-2026-03-batches"}),
    "ChatGPT, May 2026": frozenset({"run-2026-05-planes", "call-model-legacy", "oauth-cimd-scalar"}),
    "ChatGPT, August 2026": frozenset({"run-2026-08-sessionless", "noauth-well-known", "oauth-cimd-plural"}),
    "ChatGPT, October 2026": frozenset({"run-2026-10", "oauth-cimd-iss"}),
    # its other surfaces
    "creation, modern": frozenset({"create-noauth-modern", "create-noauth-modern-sse"}),
    "creation, legacy": frozenset({"create-noauth-legacy", "create-without-discover", "initialize-locale"}),
    "creation that fails": frozenset({"create-fail-404", "create-bad-discover"}),
    "bodies without a method": frozenset({"probe-methodless"}),
    "after a pause": frozenset({"get-after-idle", "oauth-refresh-after-idle", "oauth-refresh-after-expiry"}),
    "OAuth": frozenset({
        "oauth-discovery", "oauth-well-known", "oauth-cimd-callback-id", "oauth-dcr", "oauth-predefined",
        "oauth-refresh-parallel", "oauth-refresh-late", "oauth-session-rotated", "oauth-step-up",
    }),
    "the model's calls": frozenset({"call-model", "call-unconfirmed-members"}),
    "calls of the Codex runtime": frozenset({"call-codex-runtime", "oauth-codex-loopback"}),
    "a widget's calls": frozenset({"call-widget", "call-then-template"}),
    "OpenAI's tunnel": frozenset({"tunnel-discover"}),
    "calls with little or no _meta": frozenset({"call-minimal-meta", "call-absent-meta"}),
    "slow calls": frozenset({"call-slow-119", "call-slow-60"}),
    "calls one after another": frozenset({"serial-3"}),
    "linking again": frozenset({"relink", "oauth-relink"}),
    "refresh of actions": frozenset({"refresh-actions", "refresh-action-id"}),
    "Scan Tools": frozenset({"scan-tools-aiohttp"}),
    "portal": frozenset({"submission-challenge"}),
    "input that cannot be given": frozenset({"input-required"}),
    "Responses API": frozenset({"responses-modern", "responses-legacy", "responses-slow-60x2"}),
    "Realtime API": frozenset({"realtime-legacy"}),
    # neighbours
    "Azure agents": frozenset({"azure-2024-11-05"}),
    "Claude on the web": frozenset({
        "claude-web-2025-11-25", "claude-web-2026-07-28", "claude-stale-session", "oauth-claude-cimd",
    }),
    "Claude Desktop": frozenset({"claude-desktop"}),
    "Claude Code": frozenset({"claude-code-2025-11-25", "claude-code-2026-07-28"}),
    "VS Code": frozenset({"vscode-2025-11-25", "oauth-vscode-dcr"}),
    "Cursor": frozenset({"cursor-2025-11-25"}),
    "Codex CLI": frozenset({"codex-cli-2025-11-25"}),
    "Microsoft Copilot": frozenset({"ms-copilot-2025-11-25"}),
    "Copilot Studio": frozenset({"legacy-2024-11-05-copilot"}),
    "Slack": frozenset({"slack-2025-06-18"}),
    "ElevenLabs": frozenset({"elevenlabs-stream-only"}),
}  # fmt: skip
"""Every known profile and recipe, and the sessions that play it. Gemini is known by its redirect only: CT-23."""

VARIANTS = (
    ("run-2025-07", "legacy-2025-03-26"),  # ids from 1, ids from 0
    ("create-noauth-legacy", "create-without-discover"),  # the probe comes first, or never came
    ("serial-3", "run-2025-12-twins"),  # calls one after another, or each on two sessions
    ("run-2026-05-planes", "run-2026-08-sessionless"),  # the control plane echoes the session, or nobody does
    ("responses-modern", "responses-legacy"),  # its version is undocumented
    ("call-model-legacy", "responses-legacy"),  # the call leaves the session out, or echoes it
    ("call-slow-119", "call-slow-60"),  # a call has two minutes, or one
    ("tunnel-discover", "create-noauth-modern-sse"),  # discover as JSON only, or as events only
    ("oauth-reconnect", "oauth-step-up"),  # again without scope, or with all of it
    ("oauth-cimd-scalar", "oauth-cimd-plural"),  # the method of the client document: one, or a list
)
"""Where sources disagree, both are played."""


def test_the_corpus_is_this_list_of_profiles() -> None:
    """Issue 6, item 1: every profile and recipe of the facts has its session."""
    listed = {session for sessions in PROFILES.values() for session in sessions}

    assert {session.id for session in load_sessions()} == listed


def test_no_profile_is_played_by_a_session_of_another() -> None:
    """Ours: or else a profile could lose its session and nobody would see it."""
    assert sum(len(sessions) for sessions in PROFILES.values()) == len(load_sessions())


@pytest.mark.parametrize(("one", "other"), VARIANTS)
def test_where_sources_disagree_both_variants_are_on_the_wire(one: str, other: str) -> None:
    """Issue 6, item 1: both variants where sources disagree."""
    sessions = {session.id: session for session in load_sessions()}

    wires = [
        [(step.send, sessions[id_].client_document) for step in sessions[id_].steps if not step.opening]
        for id_ in (one, other)
    ]
    assert wires[0] != wires[1]


def test_every_session_is_dated_sourced_and_expires() -> None:
    """Issue 6, item 1: provenance, date and expiry; what was last seen long ago is not trusted for years."""
    for session in load_sessions():
        assert session.source, session.id
        assert (session.expires - session.seen).days <= 550, session.id
        assert "inferred" not in session.source or session.provenance != "documented", session.id


def test_hosts_that_can_be_chosen() -> None:
    """Ours: `--host-profile` takes these."""
    assert {session.host for session in load_sessions()} == {
        "azure-agents", "chatgpt", "claude", "codex", "copilot-studio", "cursor", "elevenlabs", "ms-copilot", "slack",
        "vscode",
    }  # fmt: skip
