"""Any process can answer any request: sessions that alternate between two of them never notice."""

import itertools
from pathlib import Path

import httpx2

from tests.leaving.serving import Start
from tests.wire import call, headers, modern, request


def test_two_hundred_sessions_that_change_the_process_at_every_request_lose_nothing(
    start: Start, tmp_path: Path
) -> None:
    """CT-30, incident T-07: a session lived on one replica, and every other request was a 404."""
    (tmp_path / "done").touch()
    arguments = {"until": str(tmp_path / "done")}
    offered = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "openai-mcp", "version": "1"},
    }
    said, body = modern("tools/call", {"name": "look", "arguments": arguments})
    session = [
        (headers(), request("initialize", offered), 200),
        (headers(), {"jsonrpc": "2.0", "method": "notifications/initialized"}, 202),
        (headers(), request("tools/list"), 200),
        (headers(Mcp_Session_Id="of-the-other-process"), call("look", arguments), 200),
        (said, body, 200),
    ]
    urls = itertools.cycle([start("uvicorn").url, start("mcp-ballast serve").url])
    wrong = []
    with httpx2.Client(timeout=30) as client:
        for _ in range(200):
            for with_headers, message, status in session:
                reply = client.post(f"{next(urls)}/mcp", json=message, headers=with_headers)
                if reply.status_code != status or (status == 200 and "result" not in reply.json()):
                    wrong.append((message["method"], reply.status_code, reply.text))

    assert wrong == []
