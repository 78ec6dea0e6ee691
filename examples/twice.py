"""The same order placed twice: once by a broken stream, once by intent. A client of `examples/orders.py`.

It hangs up before the answer arrives, as a proxy or a closed tab would, and sends the call again under a new id, as
hosts do. Then it orders the same once more, because the person wants two.

    mcp-ballast serve examples/orders.py
    python examples/twice.py http://127.0.0.1:8000
"""

import json
import socket
import sys
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import httpx2

CONVERSATION = {"openai/session": f"v1/{uuid.uuid4()}", "openai/subject": "v1/somebody"}
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2025-11-25",
    "User-Agent": "openai-mcp/1.0.0",
}


def main(url: str) -> None:
    """Place the order, lose the answer, ask again, and order once more."""
    wish = {"customer": "Ada", "items": [{"sku": "TEA-100", "quantity": 1}]}
    hang_up_before_the_answer(url, call(1, "place_order", wish))
    print("1. Sent an order, and the connection broke before the answer came.")

    retried = ask(url, call(2, "place_order", wish))
    print(f"2. Sent it again, as a host does: order {number(retried)}, {how(retried)}.")
    print(f"   The model reads: {retried['content'][-1]['text']}")

    wanted = ask(url, call(3, "place_order", wish))
    while how(wanted) == "replayed":  # within a second of the first answer it passes for a double dispatch
        time.sleep(0.2)
        wanted = ask(url, call(3, "place_order", wish))
    print(f"3. Ordered the same once more, having seen the answer: order {number(wanted)}, {how(wanted)}.")

    orders = ask(url, call(4, "list_orders", {}))["structuredContent"]["orders"]
    print(f"Orders at the desk, newest first: {[order['number'] for order in orders][:2]}")


def call(id_: int, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Word a tool call as ChatGPT does."""
    params = {"name": name, "arguments": arguments, "_meta": CONVERSATION}
    return {"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": params}


def hang_up_before_the_answer(url: str, message: dict[str, Any]) -> None:
    """Send a whole request, and close the connection at once."""
    parts, content = urlsplit(url), json.dumps(message).encode()
    lines = {"Host": parts.netloc, "Content-Length": str(len(content)), **HEADERS}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80), timeout=10) as connection:
        connection.sendall(f"POST /mcp HTTP/1.1\r\n{head}\r\n".encode() + content)


def ask(url: str, message: dict[str, Any]) -> dict[str, Any]:
    """Send a request and return its result."""
    reply = httpx2.post(f"{url}/mcp", json=message, headers=HEADERS, timeout=30)
    if reply.headers["content-type"] == "application/json":
        answer = reply.json()
    else:
        answer = [json.loads(line[6:]) for line in reply.text.splitlines() if line.startswith("data: ")][-1]
    result: dict[str, Any] = answer["result"]
    return result


def number(result: dict[str, Any]) -> int:
    """The number of the order that a result is about."""
    found: int = result["structuredContent"]["number"]
    return found


def how(result: dict[str, Any]) -> str:
    """How the connector says that a result came about."""
    mark: str = result.get("_meta", {}).get("ballast/idempotency", {}).get("outcome", "executed")
    return mark


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
