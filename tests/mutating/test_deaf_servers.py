"""A server that is deaf to exactly one change: that rule is named, with the smallest difference, and no other."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.mutating.mutating import broken_rules, mutate, mutations, smallest
from tests.mutating.servers import Careful, Deafness, bad_request, crash, meta, params
from tests.replay.servers import Answer, Asked, refusal, result

KNOWN_META = {
    "timezone", "openai/locale", "openai/session", "openai/subject", "openai/userAgent", "openai/organization",
    "openai/userLocation", "progressToken", "traceparent",
}  # fmt: skip
KNOWN_HEADERS = {
    "host", "user-agent", "accept", "content-type", "content-length", "mcp-protocol-version", "mcp-method", "mcp-name",
    "x-openai-session", "x-openai-subject", "origin", "accept-encoding", "connection",
}  # fmt: skip


def own_meta(asked: Asked) -> set[str]:
    return {name for name in meta(asked) if not name.startswith("io.modelcontextprotocol/")}


def client(asked: Asked) -> Mapping[str, Any]:
    found = params(asked).get("clientInfo") or meta(asked).get("io.modelcontextprotocol/clientInfo") or {}
    assert isinstance(found, dict)
    return found


def capabilities(asked: Asked) -> Mapping[str, Any]:
    found = meta(asked).get("io.modelcontextprotocol/clientCapabilities") or params(asked).get("capabilities") or {}
    assert isinstance(found, dict)
    return found


def deaf_to_meta(asked: Asked) -> Answer | None:
    return bad_request(asked, own_meta(asked) - KNOWN_META)


def deaf_to_null_in_params(asked: Asked) -> Answer | None:
    return bad_request(asked, (value is None for value in params(asked).values()))


def deaf_to_lists_at_the_top(asked: Asked) -> Answer | None:
    return bad_request(asked, (isinstance(value, list) for value in (asked.message or {}).values()))


def deaf_to_client_members(asked: Asked) -> Answer | None:
    return bad_request(asked, set(client(asked)) - {"name", "version"})


def deaf_to_capabilities(asked: Asked) -> Answer | None:
    odd = {name for name, value in capabilities(asked).items() if isinstance(value, dict)}
    return bad_request(asked, odd - {"experimental", "extensions"})


def deaf_without_location(asked: Asked) -> Answer | None:
    has_rich_meta = "openai/session" in meta(asked)
    return bad_request(asked, [has_rich_meta and "openai/userLocation" not in meta(asked)])


def deaf_to_text_ids(asked: Asked) -> Answer | None:
    is_discover = asked.kind == "server/discover"
    return bad_request(asked, [isinstance((asked.message or {}).get("id"), str) and not is_discover])


def deaf_to_token_zero(asked: Asked) -> Answer | None:
    return bad_request(asked, [meta(asked).get("progressToken") == 0])


def deaf_to_numbers_as_coordinates(asked: Asked) -> Answer | None:
    place = meta(asked).get("openai/userLocation")
    return bad_request(asked, [isinstance(place, dict) and isinstance(place.get("latitude"), float)])


def crashing_on_flags(asked: Asked) -> Answer | None:
    return crash() if capabilities(asked).get("ballast") is True else None


def deaf_to_cookies(asked: Asked) -> Answer | None:
    return bad_request(asked, ["cookie" in asked.headers])


def deaf_without_user_agent(asked: Asked) -> Answer | None:
    return Answer(status=403, media="text/html") if "user-agent" not in asked.headers else None


def crashing_on_origin(asked: Asked) -> Answer | None:
    return crash() if asked.headers.get("origin") == "null" else None


def deaf_to_other_names(asked: Asked) -> Answer | None:
    return bad_request(asked, [not client(asked).get("name", "openai-mcp").startswith("openai-mcp")])


def deaf_to_json_only(asked: Asked) -> Answer | None:
    return bad_request(asked, ["text/event-stream" not in asked.headers.get("accept", "*/*")])


def deaf_to_events_only(asked: Asked) -> Answer | None:
    return bad_request(asked, ["application/json" not in asked.headers.get("accept", "*/*")])


def crashing_on_the_next_version(asked: Asked) -> Answer | None:
    if meta(asked).get("io.modelcontextprotocol/protocolVersion", "") > "2026-07-28":
        same = asked.headers.get("mcp-protocol-version", "") > "2026-07-28"
        return crash() if same else None
    return None


def refusing_to_negotiate(asked: Asked) -> Answer | None:
    is_new = params(asked).get("protocolVersion", "") > "2026-07-28"
    return refusal(asked, -32602, status=400) if is_new else None


def blind_to_a_header_that_differs(asked: Asked) -> Answer | None:
    header, body = (
        asked.headers.get("mcp-protocol-version", ""),
        meta(asked).get("io.modelcontextprotocol/protocolVersion"),
    )
    return result(asked, {}) if body == "2026-07-28" and header > body else None


def answering_unknown_methods_with_a_page(asked: Asked) -> Answer | None:
    return Answer(status=404, media="text/html") if asked.kind == "server/ballast" else None


def answering_unknown_notifications(asked: Asked) -> Answer | None:
    if asked.kind != "notification" or asked.message["method"] == "notifications/initialized":
        return None
    return Answer(pieces=[(0, b"null")])


CASES: Mapping[str, tuple[Deafness, set[str]]] = {
    "unknown-member-meta": (deaf_to_meta, {"/params/_meta/openai~1ballastText", "/params/_meta"}),
    "unknown-member-params": (deaf_to_null_in_params, {"/params/ballastNull"}),
    "unknown-member-top": (deaf_to_lists_at_the_top, {"/ballastList"}),
    "unknown-member-client-info": (
        deaf_to_client_members,
        {"/params/_meta/io.modelcontextprotocol~1clientInfo/ballastText", "/params/clientInfo/ballastText"},
    ),
    "unknown-member-capabilities": (
        deaf_to_capabilities,
        {
            "/params/_meta/io.modelcontextprotocol~1clientCapabilities/ballast",
            "/params/capabilities/ballast",
        },
    ),
    "optional-member-removed": (deaf_without_location, {"/params/_meta/openai~1userLocation"}),
    "type-widened-id": (deaf_to_text_ids, {"/id"}),
    "type-widened-progress-token": (deaf_to_token_zero, {"/params/_meta/progressToken"}),
    "type-widened-meta": (deaf_to_numbers_as_coordinates, {"/params/_meta/openai~1userLocation/latitude"}),
    "type-widened-capability": (
        crashing_on_flags,
        {"/params/_meta/io.modelcontextprotocol~1clientCapabilities/ballast"},
    ),
    "header-new": (deaf_to_cookies, {"Cookie"}),
    "header-dropped": (deaf_without_user_agent, {"User-Agent"}),
    "origin-new": (crashing_on_origin, {"Origin"}),
    "client-renamed": (
        deaf_to_other_names,
        {"/params/_meta/io.modelcontextprotocol~1clientInfo/name", "/params/clientInfo/name"},
    ),
    "accept-json-only": (deaf_to_json_only, {"Accept"}),
    "accept-sse-only": (deaf_to_events_only, {"Accept"}),
    "version-apart": (blind_to_a_header_that_differs, {"MCP-Protocol-Version"}),
    "method-new": (answering_unknown_methods_with_a_page, {""}),
    "notification-new": (answering_unknown_notifications, {""}),
}


def test_a_careful_server_survives_every_rule() -> None:
    """Ours: a rule that a good server breaks under is a wrong rule."""
    run = mutate(Careful())

    assert [(m.rule, m.session, m.findings[:1]) for m in mutations(run).mutants if m.fate == "broke"] == []
    assert run.exit_code == 0
    assert all(rule.survived for rule in mutations(run).rules if not rule.id.startswith(("oauth-", "cut-later")))


@pytest.mark.parametrize("rule", CASES)
def test_exactly_the_rule_is_named_that_the_server_is_deaf_to(rule: str) -> None:
    """Ours: one planted deafness each, tried with every rule; S-01, P-36, P-37, P-41 among them."""
    deafness, pointers = CASES[rule]

    run = mutate(Careful(deafness))

    assert broken_rules(run) == {rule}
    assert {pointer for _, pointer, _, _ in smallest(run)} == pointers
    assert run.exit_code == 1
    broken = [mutant for mutant in mutations(run).mutants if mutant.fate == "broke"]
    assert {len(mutant.differences) for mutant in broken} == {1}
    assert all(mutant.findings[0].advice and mutant.findings[0].incidents for mutant in broken)


def test_a_version_that_crashes_is_told_from_one_that_is_refused() -> None:
    """P-37: header and envelope are bumped together, which is one change."""
    run = mutate(Careful(crashing_on_the_next_version))

    assert broken_rules(run) == {"version-unpublished"}
    assert smallest(run) == {
        ("header", "MCP-Protocol-Version", "replaced", 'string "2027-07-28"'),
        ("body", "/params/_meta/io.modelcontextprotocol~1protocolVersion", "replaced", 'string "2027-07-28"'),
    }


def test_a_handshake_that_refuses_a_newer_version_is_found() -> None:
    """P-37: initialize must negotiate."""
    run = mutate(Careful(refusing_to_negotiate))

    assert broken_rules(run) == {"version-unpublished"}
    assert smallest(run) == {("body", "/params/protocolVersion", "replaced", 'string "2027-07-28"')}
    broken = next(mutant for mutant in mutations(run).mutants if mutant.fate == "broke")
    assert (broken.findings[0].expected, broken.findings[0].actual) == ("status 200", "status 400 (-32602: no)")


class ReadingOnce(Careful):
    """Takes what has arrived for all there is."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        first = await receive()

        async def at_once() -> Any:
            return {**first, "more_body": False} if first["type"] == "http.request" else first

        await super().__call__(scope, at_once, send)


def test_a_server_that_reads_once_is_found() -> None:
    """Issue 6: slower sending."""
    run = mutate(ReadingOnce(), "sent-slowly", "header-new", only=["create-noauth-modern"])

    assert broken_rules(run) == {"sent-slowly"}
    assert smallest(run) == {("pace", "send_over", "replaced", "number 0.3")}


class Remembering(Careful):
    """Refuses the request it answered last, whatever its id: a lock against repetition in the wrong place."""

    def __init__(self) -> None:
        super().__init__(self._refused)
        self._last = ""

    def _refused(self, asked: Asked) -> Answer | None:
        before, self._last = self._last, json.dumps({**(asked.message or {}), "id": 0})
        return refusal(asked, -32000, status=409) if before == self._last else None


def test_a_server_that_refuses_a_retry_is_found() -> None:
    """D-02: the same request under a new id, after it was answered."""
    rules = ("retry-new-id", "header-new", "unknown-member-*")

    run = mutate(Remembering(), *rules, only=["create-noauth-modern"])

    assert broken_rules(run) == {"retry-new-id"}
    broken = next(mutant for mutant in mutations(run).mutants if mutant.fate == "broke")
    assert [(d.step, d.part, d.value, d.position) for d in broken.differences] == [
        ("tools-list", "dialogue", "again with a new id", "after")
    ]
    assert broken.findings[0].actual == "status 409 (-32000: no)"


def test_what_a_change_kills_for_good_is_reported_with_all_its_changes() -> None:
    """Ours: there is nothing to shrink with when the session no longer holds without the change."""

    class Poisoned(Careful):
        def __init__(self) -> None:
            super().__init__(self._poison)
            self.is_ill = False

        def _poison(self, asked: Asked) -> Answer | None:
            self.is_ill = self.is_ill or "cookie" in asked.headers
            return crash() if self.is_ill else None

    run = mutate(Poisoned(), "header-new", only=["create-noauth-modern", "call-model"])

    first, second = mutations(run).mutants
    assert (first.fate, first.plays) == ("broke", 2)
    assert len(first.differences) == 21
    assert first.reason == "afterwards the session did not hold without the change either, so it was not made smaller"
    assert second.fate == "broke"


def test_a_session_that_breaks_as_it_is_has_no_mutants() -> None:
    """Ours: of what does not hold there is no telling what a change does."""

    def no_discovery(asked: Asked) -> Answer | None:
        return refusal(asked, -32603) if asked.kind == "server/discover" else None

    run = mutate(Careful(no_discovery), only=["create-noauth-modern", "create-fail-404"])

    fates = {(mutant.session, mutant.fate.value) for mutant in mutations(run).mutants}
    assert ("create-noauth-modern", "not tried") in fates
    assert ("create-noauth-modern", "survived") not in fates
    assert ("create-fail-404", "survived") in fates
    reasons = {mutant.reason for mutant in mutations(run).mutants if mutant.session == "create-noauth-modern"}
    assert reasons == {"the session does not hold without a change"}


def test_a_target_that_limits_requests_is_not_accused() -> None:
    """Ours: 429 says nothing about the change."""
    asked_so_far: list[Asked] = []

    def limit(asked: Asked) -> Answer | None:
        asked_so_far.append(asked)
        return Answer(status=429, media="") if len(asked_so_far) > 25 else None

    run = mutate(Careful(limit), "unknown-member-*", only=["create-noauth-modern", "call-model"])

    assert broken_rules(run) == set()
    assert any("(429)" in mutant.reason for mutant in mutations(run).mutants)
