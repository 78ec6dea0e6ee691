"""What a POST says: eras, ids, notifications, probes, and bad input that gets an answer a developer can read."""

import json
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from connector import Connector, LimitSettings, Settings, tool
from connector.http.request.reading import (
    ENVELOPE_VERSIONS,
    HANDSHAKE_VERSIONS,
    Asked,
    NothingAsked,
    Refused,
    Told,
    read_body,
)
from tests.loopback import Serve
from tests.wire import ENVELOPE, call, headers, modern, post, request


class Echo(Connector):
    """Says what it was told."""

    name = "echo"
    version = "2"

    @tool(read_only=True)
    async def echo(self, text: str) -> str:
        """Answer at once."""
        return text

    @tool(read_only=True)
    async def crash(self, secret: str) -> str:
        """Fail in a way nobody declared."""
        raise RuntimeError(f"the secret is {secret}")


@pytest.fixture
def url(serve: Serve) -> str:
    return serve(Echo())


def test_the_revisions_are_those_the_sdk_serves() -> None:
    """The reading is pure, so it names them itself; a new SDK revision must show here."""
    assert (HANDSHAKE_VERSIONS, ENVELOPE_VERSIONS) == (HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS)


@pytest.mark.parametrize("header", [None, "2024-11-05", "2025-11-25", "2026-07-28", "2099-01-01"])
@pytest.mark.parametrize(
    ("offered", "negotiated"),
    [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
    ],
)
def test_initialize_negotiates_a_handshake_revision_whatever_the_header_says(
    url: str, header: str | None, offered: str, negotiated: str
) -> None:
    """CT-07, incident P-37: a protocolVersion bump was refused."""
    client = {"name": "openai-mcp", "version": "1.0.0"}
    body = request("initialize", {"protocolVersion": offered, "capabilities": {}, "clientInfo": client}, id_=0)
    reply = post(url, body, headers(version=header))

    assert reply.status_code == 200
    assert reply.json()["result"]["protocolVersion"] == negotiated
    assert reply.json()["result"]["serverInfo"] == {"name": "echo", "version": "2"}


def test_the_era_follows_from_the_request_and_not_from_what_came_before(url: str) -> None:
    """DESIGN section 4; ChatGPT opened two clients of different revisions at once (incident P-04)."""
    offered = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}
    with httpx2.Client() as client:
        versions = []
        for said, body in [
            modern("tools/list"),
            (headers(), request("tools/list")),
            (headers(), request("initialize", offered)),
            modern("tools/list"),
            (headers(version=None), request("tools/list")),
        ]:  # fmt: skip
            result = client.post(f"{url}/mcp", json=body, headers=said).json()["result"]
            versions.append("modern" if "resultType" in result else "handshake")

    assert versions == ["modern", "handshake", "handshake", "modern", "handshake"]


def test_an_envelope_whose_header_was_lost_on_the_way_is_served(url: str) -> None:
    """Ours: the envelope alone says what the request speaks."""
    reply = post(url, request("tools/list", {"_meta": dict(ENVELOPE)}), headers(version=None))

    assert (reply.status_code, reply.json()["result"]["resultType"]) == (200, "complete")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"MCP-Protocol-Version": "2025-11-25"}, -32020),
        ({"Mcp-Method": "tools/list"}, -32020),
        ({"Mcp-Name": "other"}, -32020),
    ],
)
def test_headers_that_contradict_the_envelope_are_refused(url: str, change: dict[str, str], code: int) -> None:
    """MCP 2026-07-28, transports: a mismatch MUST be rejected with 400."""
    said, body = modern("tools/call", {"name": "echo", "arguments": {"text": "x"}})
    reply = post(url, body, said | change)

    assert (reply.status_code, reply.json()["error"]["code"], reply.json()["id"]) == (400, code, 1)


@pytest.mark.parametrize(
    ("meta", "code"),
    [
        ({}, -32602),
        ({"io.modelcontextprotocol/protocolVersion": "2026-07-28"}, -32602),
        ({**ENVELOPE, "io.modelcontextprotocol/protocolVersion": "2099-01-01"}, -32022),
    ],
)
def test_an_envelope_that_lacks_what_it_must_have_is_refused(url: str, meta: dict[str, Any], code: int) -> None:
    """MCP 2026-07-28, basic: the envelope pair is required, and the version must be one that is served."""
    version = meta.get("io.modelcontextprotocol/protocolVersion", "2026-07-28")
    reply = post(url, request("tools/list", {"_meta": meta}), headers(version=version, Mcp_Method="tools/list"))

    assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)


def test_a_version_that_nobody_serves_is_told_which_are(url: str) -> None:
    """MCP 2025-11-25, transports: an unsupported MCP-Protocol-Version MUST get 400."""
    reply = post(url, request("tools/list"), headers(version="2031-01-01"))

    assert (reply.status_code, reply.json()["error"]["code"]) == (400, -32022)
    assert reply.json()["error"]["data"]["supported"] == [
        "2026-07-28", "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"
    ]  # fmt: skip


@pytest.mark.parametrize("id_", [0, 1, -7, 10**30, "", "a", "1", "ü\n", 2.0])
def test_every_legal_id_comes_back_exactly(url: str, id_: object) -> None:
    """CT-12."""
    reply = post(url, request("ping", id_=id_))

    assert (reply.status_code, json.dumps(reply.json()["id"])) == (200, json.dumps(id_))


@pytest.mark.parametrize("id_", [None, True, False, 1.5, [], ["a"], {}, {"a": 1}])
def test_an_illegal_id_is_refused(url: str, id_: object) -> None:
    """CT-12."""
    reply = post(url, request("ping", id_=id_))

    assert (reply.status_code, reply.json()["error"]["code"], reply.json()["id"]) == (400, -32600, None)


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", b"[]"])
def test_a_body_that_asks_nothing_is_not_refused(url: str, body: bytes) -> None:
    """ChatGPT's probes of 2026-08-11: answering 400 failed the connector in the UI."""
    reply = post(url, body)

    assert (reply.status_code, reply.content) == (202, b"")


@pytest.mark.parametrize("version", [None, "2025-11-25", "2026-07-28", "2099-01-01"])
@pytest.mark.parametrize("method", ["initialized", "cancelled", "progress", "roots/list_changed", "zzz"])
def test_a_notification_is_acknowledged_with_nothing(url: str, method: str, version: str | None) -> None:
    """CT-10, incident P-36: a body broke strict clients."""
    body = {"jsonrpc": "2.0", "method": f"notifications/{method}", "params": {"requestId": 99}}
    reply = post(url, body, headers(version=version))

    assert (reply.status_code, reply.content) == (202, b"")
    assert "content-type" not in reply.headers


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        (b"{", 400, -32700, "not JSON"),
        (b'{"a":\n NaN}', 400, -32700, "NaN"),
        (b"\xff\xfe", 400, -32700, "not UTF-8"),
        (b"[" * 100_000, 400, -32700, "nested too deeply"),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, -32600, "a batch"),
        (b'"ping"', 400, -32600, "one JSON-RPC object"),
        (b'{"jsonrpc":"2.0","id":4}', 400, -32600, "no method"),
        (b'{"id":4,"method":"ping"}', 400, -32600, '"jsonrpc": "2.0"'),
        (b'{"jsonrpc":"2.0","id":4,"method":7}', 400, -32600, "a method that is a string"),
        (b'{"jsonrpc":"2.0","id":4,"method":"ping","params":[1]}', 400, -32602, "params must be an object"),
    ],
)  # fmt: skip
def test_a_malformed_message_is_answered_with_what_is_wrong(
    url: str, body: bytes, status: int, code: int, says: str
) -> None:
    """Issue text, bad input: a JSON-RPC error with the right status, and the server keeps serving."""
    reply = post(url, body)
    error = reply.json()["error"]

    assert (reply.status_code, error["code"], reply.headers["content-type"]) == (status, code, "application/json")
    assert says in error["message"]
    assert post(url, request("ping")).json() == {"jsonrpc": "2.0", "id": 1, "result": {}}


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON;charset=UTF-8", 200),
        ("application/vnd.mcp+json", 200),
        ("application/json-rpc", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
def test_media_types_are_parsed_and_only_json_is_read(url: str, content_type: str, status: int) -> None:
    """CT-13b; a form or plain text is what a page in a browser can send without being asked."""
    assert post(url, request("ping"), headers() | {"Content-Type": content_type}).status_code == status


def test_a_byte_order_mark_is_passed_over(url: str) -> None:
    """RFC 8259, section 8.1: whoever reads JSON may ignore it."""
    assert post(url, b"\xef\xbb\xbf" + json.dumps(request("ping")).encode()).json()["result"] == {}


def test_an_unknown_method_is_told_so_in_the_way_of_its_era(url: str) -> None:
    """CT-11; MCP 2026-07-28, transports: 404."""
    said, body = modern("zzz/zzz", id_="m")
    new, legacy = post(url, body, said), post(url, request("zzz/zzz", id_="l"))

    assert (new.status_code, new.json()["error"]["code"], new.json()["id"]) == (404, -32601, "m")
    assert (legacy.status_code, legacy.json()["error"]["code"], legacy.json()["id"]) == (200, -32601, "l")


def test_an_unknown_tool_is_a_protocol_error_that_names_the_known_ones(url: str) -> None:
    """MCP, tools, error handling: -32602."""
    said, body = modern("tools/call", {"name": "ecko", "arguments": {}})
    new, legacy = post(url, body, said), post(url, call("ecko", {}))

    expected = {"code": -32602, "message": "Unknown tool: 'ecko'. Known: echo, crash"}
    assert (new.status_code, new.json()["error"]) == (400, expected)
    assert (legacy.status_code, legacy.json()["error"]) == (200, expected)


@pytest.mark.parametrize("arguments", [{}, {"text": 5}, {"text": None}, {"txt": "x"}, None])
def test_arguments_that_do_not_fit_are_a_tool_error_the_model_can_act_on(url: str, arguments: object) -> None:
    """SEP-1303: input validation errors are tool errors."""
    result = post(url, call("echo", arguments)).json()["result"]

    assert result["isError"] is True
    assert result["content"][0]["text"].startswith("echo was not called: its arguments do not fit (text: ")


def test_a_crash_shows_neither_text_nor_traceback_to_the_client_nor_to_the_log(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Issue text, bad input; no argument value in a log."""
    caplog.set_level("INFO")
    result = post(url, call("crash", {"secret": "hunter2"})).json()["result"]

    assert result == {
        "content": [{"type": "text", "text": "crash failed unexpectedly. The reason is in the connector's log."}],
        "isError": True,
    }
    assert "Tool 'crash' failed with RuntimeError" in caplog.text
    assert "hunter2" not in caplog.text


def test_the_log_at_debug_level_holds_the_exception(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Ours: a developer asks for it explicitly."""
    caplog.set_level("DEBUG", logger="ballast")
    post(url, call("crash", {"secret": "hunter2"}))

    assert "the secret is hunter2" in caplog.text


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_over_the_limit_is_refused_before_it_is_parsed(serve: Serve, *, is_chunked: bool) -> None:
    """CT-35d."""
    url = serve(Echo(settings=Settings(limits=LimitSettings(max_body=200))))
    text = json.dumps(call("echo", {"text": "x" * 200})).encode()
    parts = (text[i : i + 50] for i in range(0, len(text), 50))
    reply = httpx2.post(f"{url}/mcp", content=parts if is_chunked else text, headers=headers())

    assert (reply.status_code, reply.json()["error"]["code"]) == (413, -32600)
    assert "larger than the 200 bytes" in reply.json()["error"]["message"]
    assert post(url, call("echo", {"text": "x"})).status_code == 200


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | _JSON,
        "id": _JSON,
        "method": st.sampled_from(["ping", "initialize", "notifications/x"]) | _JSON,
        "params": _JSON,
        "extra": _JSON,
    },
)


@given(message=_MESSAGE | _JSON, version=st.none() | st.sampled_from(["2025-11-25", "2026-07-28", "x"]))
def test_any_json_is_read_as_one_of_the_four(message: object, version: str | None) -> None:
    """CT-08: nothing a client can send makes the reading fail."""
    said = {} if version is None else {"mcp-protocol-version": version}
    read = read_body(said, json.dumps(message).encode())

    assert isinstance(read, Asked | Told | NothingAsked | Refused)
    if isinstance(read, Refused):
        assert read.status in {400, 415}
