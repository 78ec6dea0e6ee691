"""What a platform may add, drop or misshape overnight without breaking anybody."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types.methods import validate_client_request

from connector import Connector, tool
from connector.http.request.tolerance import tolerated
from tests.loopback import Serve
from tests.wire import ENVELOPE, call, headers, modern, post, request


class Plain(Connector):
    """One tool."""

    name = "plain"

    @tool(read_only=True)
    async def echo(self, text: str = "nothing") -> str:
        """Answer at once."""
        return text


@pytest.fixture
def url(serve: Serve) -> str:
    return serve(Plain())


ODD_CAPABILITIES: list[Any] = [
    {},
    None,
    [],
    "all",
    7,
    {"roots": True},
    {"roots": {"listChanged": "perhaps"}},
    {"sampling": {"tools": []}, "elicitation": {"form": 1}},
    {"experimental": {"openai/visibility": {"enabled": True}, "openai/next": True}},
    {"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}},
    {"extensions": ["io.modelcontextprotocol/ui"]},
    {"tasks": {"requests": {"tools": {"call": []}}}},
    {"invented": ["of", {"any": "shape"}], "null": None},
]


@pytest.mark.parametrize("capabilities", ODD_CAPABILITIES, ids=json.dumps)
@pytest.mark.parametrize(
    "client", [{"name": "a", "version": "1"}, {"name": 1, "icons": "x"}, None, "a"], ids=json.dumps
)
def test_initialize_takes_any_capabilities_and_any_client(url: str, capabilities: Any, client: Any) -> None:
    """CT-08: capability objects are opaque."""
    offered = {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client, "more": [1]}
    reply = post(url, request("initialize", offered))

    assert (reply.status_code, reply.json()["result"]["serverInfo"]["name"]) == (200, "plain")


@pytest.mark.parametrize("params", [None, {}, {"protocolVersion": None}, {"protocolVersion": 20251125}], ids=json.dumps)
def test_initialize_takes_what_is_left_out(url: str, params: Any) -> None:
    """CT-07: initialize never fails on a version."""
    reply = post(url, request("initialize", params))

    assert (reply.status_code, reply.json()["result"]["protocolVersion"]) == (200, "2025-11-25")


@pytest.mark.parametrize("capabilities", [odd for odd in ODD_CAPABILITIES if odd is not None], ids=json.dumps)
def test_an_envelope_takes_any_capabilities(url: str, capabilities: Any) -> None:
    """Incident O-16: new fields of 2026 clients. (Null says absent, and absent MUST be refused.)"""
    meta = {"io.modelcontextprotocol/clientCapabilities": capabilities, "io.modelcontextprotocol/clientInfo": [1]}
    said, body = modern("tools/call", {"name": "echo", "arguments": {"text": "hi"}, "_meta": meta})
    reply = post(url, body, said)

    assert (reply.status_code, reply.json()["result"]["structuredContent"]) == (200, {"result": "hi"})


RICH_META: list[Any] = [
    {},
    None,
    [],
    "meta",
    {"progressToken": 0},
    {"progressToken": "a"},
    {"progressToken": True},
    {"progressToken": {"deep": 1}},
    {"openai/session": "v1/s", "openai/userLocation": {"latitude": "37.79535", "city": None}},
    {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage": 5},
    {"io.modelcontextprotocol/logLevel": "shout"},
    {"vendor.example/anything": [1, {"a": None}], "sessionId": "01a0ea9f", "windowId": "01a0ea9f:0"},
]


@pytest.mark.parametrize("meta", RICH_META, ids=json.dumps)
@pytest.mark.parametrize("method", ["tools/call", "tools/list", "resources/list", "prompts/list", "ping"])
def test_any_meta_gives_the_result_that_none_gives(url: str, method: str, meta: Any) -> None:
    """CT-09, incident S-01."""
    params = {"name": "echo", "arguments": {"text": "hi"}} if method == "tools/call" else {}
    without, with_meta = post(url, request(method, params)), post(url, request(method, params | {"_meta": meta}))

    assert with_meta.status_code == 200
    assert with_meta.json() == without.json()


def test_unknown_members_and_explicit_nulls_change_nothing(url: str) -> None:
    """CT-08, CT-09."""
    body = call("echo", None) | {"trace": {"id": 1}, "_meta": 3}
    body["params"] |= {"arguments": None, "task": None, "idempotencyKey": "k", "priority": ["high"]}
    reply = post(url, body)

    assert reply.json()["result"]["structuredContent"] == {"result": "nothing"}


@pytest.mark.parametrize("sid", ["", "made-up", "0" * 500])
def test_a_session_id_nobody_issued_is_no_obstacle(url: str, sid: str) -> None:
    """CT-01, CT-02, incidents P-01 and P-22: without or with a stale id the call is served."""
    reply = post(url, call("echo", {"text": "hi"}), headers(Mcp_Session_Id=sid))

    assert (reply.status_code, reply.json()["result"]["structuredContent"]) == (200, {"result": "hi"})
    assert "mcp-session-id" not in reply.headers


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("ping", None, {}),
        ("logging/setLevel", {"level": "debug"}, {}),
        ("resources/list", None, {"resources": []}),
        ("resources/templates/list", {"cursor": None}, {"resourceTemplates": []}),
        ("prompts/list", {}, {"prompts": []}),
    ],
)
def test_what_hosts_ask_unbidden_is_answered_though_there_is_nothing(
    url: str, method: str, params: Any, expected: dict[str, Any]
) -> None:
    """CT-11."""
    assert post(url, request(method, params)).json()["result"] == expected


def test_five_handshakes_at_once_and_five_in_a_row_are_all_answered(url: str) -> None:
    """CT-01b, incident T-12: a second initialize was refused."""
    from concurrent.futures import ThreadPoolExecutor

    body = request("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a"}})
    with ThreadPoolExecutor(5) as pool:
        statuses = [reply.status_code for reply in pool.map(lambda _: post(url, body), range(5))]
    statuses += [post(url, body).status_code for _ in range(5)]

    assert statuses == [200] * 10


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_CAPABILITIES = st.dictionaries(
    st.sampled_from(["roots", "sampling", "elicitation", "tasks", "experimental", "extensions", "invented"]), _JSON
)


@given(capabilities=_CAPABILITIES | _JSON, client=_JSON, version=_JSON)
def test_the_sdk_takes_every_tolerated_handshake(capabilities: Any, client: Any, version: Any) -> None:
    """The class, not the examples: whatever is sent, the strict model accepts what is left of it."""
    offered = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": client}

    validate_client_request("initialize", "2025-11-25", tolerated("initialize", offered))


@given(capabilities=_CAPABILITIES, client=_JSON, token=_JSON, level=_JSON)
def test_the_sdk_takes_every_tolerated_envelope(capabilities: Any, client: Any, token: Any, level: Any) -> None:
    """The same for 2026-07-28, whose envelope is typed."""
    prefix = "io.modelcontextprotocol/"
    meta = {**ENVELOPE, f"{prefix}clientCapabilities": capabilities, f"{prefix}clientInfo": client}
    params = {"_meta": {**meta, "progressToken": token, f"{prefix}logLevel": level}}

    validate_client_request("tools/list", "2026-07-28", tolerated("tools/list", params))
