"""A server like those behind ChatGPT, and the sixteen changes that are planted in it one at a time.

`python -m tests.compatibility.planted` says what catches each; `--repeat 30` says what is reported of an unchanged one.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from typing import Any

import anyio
import click

from contract_tests import Options, Run, choose, load_sessions, open_target, play_sessions
from contract_tests.baseline.baseline import Baseline, observed
from contract_tests.baseline.comparing import drift
from tests.replay.servers import SUPPORTED, Answer, Asked, Tolerant

SESSIONS = ("create-noauth-modern", "create-noauth-legacy", "call-model", "call-model-legacy", "refresh-actions")
"""What is played in each variant: both eras, both planes."""

_SCHEMES = [{"type": "noauth"}, {"type": "oauth2", "scopes": ["orders.read"]}]
TOOL: Mapping[str, Any] = {
    "name": "find_order",
    "title": "Find an order",
    "description": "Find an order by its number.",
    "annotations": {"readOnlyHint": True, "destructiveHint": False, "openWorldHint": False},
    "inputSchema": {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]},
    "outputSchema": {
        "type": "object",
        "properties": {"id": {"type": "string"}, "status": {"type": "string"}},
        "required": ["id", "status"],
    },
    "securitySchemes": _SCHEMES,
    "_meta": {"securitySchemes": _SCHEMES, "openai/outputTemplate": "https://example.com/order.html"},
}
RESULT: Mapping[str, Any] = {
    "content": [{"type": "text", "text": '{"id":"A-1","status":"shipped"}'}],
    "structuredContent": {"id": "A-1", "status": "shipped"},
    "_meta": {"orders/freshness": "live"},
}
VERSION = "2025-11-25"


def _tool(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    tool = deepcopy(dict(TOOL))
    change(tool)
    return {"tool": tool}


def _result(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    result = deepcopy(dict(RESULT))
    change(result)
    return {"result": result}


PLANTED: Mapping[str, Mapping[str, Any]] = {
    "description rewritten": _tool(lambda tool: tool.update(description="Look for an order.")),
    "openai/outputTemplate changed": _tool(
        lambda tool: tool["_meta"].update({"openai/outputTemplate": "https://example.com/order-2.html"})
    ),
    "tool _meta removed": _tool(lambda tool: tool.pop("_meta")),
    "securitySchemes changed": _tool(lambda tool: tool.update(securitySchemes=[{"type": "noauth"}])),
    "readOnlyHint flipped": _tool(lambda tool: tool["annotations"].update(readOnlyHint=False)),
    "new required parameter": _tool(
        lambda tool: tool["inputSchema"].update(
            properties={"number": {"type": "string"}, "year": {"type": "integer"}}, required=["number", "year"]
        )
    ),
    "outputSchema tightened": _tool(
        lambda tool: tool["outputSchema"]["properties"].update(status={"type": "string", "enum": ["shipped", "open"]})
    ),
    "structuredContent.id wrong": _result(lambda result: result["structuredContent"].update(id=7)),
    "result status wrong": _result(lambda result: result["structuredContent"].update(status="lost")),
    "result _meta key lost": _result(lambda result: result.pop("_meta")),
    "isError flipped": _result(lambda result: result.update(isError=True)),
    "SSE to JSON": {"media": "application/json"},
    "session header lost": {"headers": {}},
    "protocol version lowered": {"version": "2025-06-18"},
    "3 s slower": {"delay": 3.0},
    "HTTP 500 with a good body": {"status": 500},
}
"""The changes of the drift matrix, in its order."""


def server(change: Mapping[str, Any] | None = None) -> Tolerant:
    """The server, with one change."""
    altered = change or {}

    def handshake(asked: Asked) -> Answer:
        said = {
            "protocolVersion": altered.get("version", VERSION),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "orders", "version": "1"},
        }
        return replace(_event(asked, said), headers=altered.get("headers", {"mcp-session-id": "one-for-all"}))

    def discovery(asked: Asked) -> Answer:
        newest = "2026-07-28"
        return _event(asked, {"supportedVersions": [newest, *SUPPORTED], "capabilities": {"tools": {}}})

    def listing(asked: Asked) -> Answer:
        return _event(asked, {"tools": [altered.get("tool", TOOL)]})

    def call(asked: Asked) -> Answer:
        event = _event(asked, altered.get("result", RESULT), delay=altered.get("delay", 0.0))
        media = altered.get("media", event.media)
        pieces = event.pieces if media == event.media else [(0, event.pieces[0][1].partition(b"data: ")[2].strip())]
        return replace(event, media=media, pieces=pieces, status=altered.get("status", 200))

    changes = {"initialize": handshake, "server/discover": discovery, "tools/list": listing, "tools/call": call}
    return Tolerant(changes)


def _event(asked: Asked, result: Mapping[str, Any], *, delay: float = 0.0) -> Answer:
    message = json.dumps({"jsonrpc": "2.0", "id": asked.message["id"], "result": result})
    return Answer(media="text/event-stream", pieces=[(delay, f"event: message\ndata: {message}\n\n".encode())])


def play(change: Mapping[str, Any] | None = None, *, seed: int = 1) -> Run:
    """The sessions against one variant."""
    sessions = choose(load_sessions(), SESSIONS)

    async def run() -> Run:
        return await play_sessions(sessions, target, options=Options(pace="none", seed=seed))

    with open_target(server(change)) as target:
        return anyio.run(run)


def caught(name: str, before: Baseline, usual: Run) -> list[str]:
    """What reports a planted change: sessions that break for it, and places where the baseline differs."""
    run = play(PLANTED[name])
    known = {one.id for one in usual.sessions if one.findings}
    broken = [one.id for one in run.sessions if one.findings and one.id not in known]
    return broken + [f"baseline: {one.step}: {one.where}" for one in drift(before, observed(run))]


def matrix() -> dict[str, list[str]]:
    """What catches each of the sixteen; several at a time, for they are waiting most of it."""
    usual = play()
    before = observed(usual)
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = pool.map(lambda name: caught(name, before, usual), PLANTED)
        return dict(zip(PLANTED, found, strict=True))


def unchanged(times: int) -> list[str]:
    """What is reported of the unchanged server in so many runs, each with other identifiers."""
    usual = play()
    before, found = observed(usual), list[str]()
    for number in range(times):
        run = play(seed=1000 + number)
        found += [f"{one.step}: {one.where}: {one.actual}" for one in (*run.findings, *drift(before, observed(run)))]
    return found


def main() -> int:
    """Print the matrix, or what repeated runs report."""
    parser = argparse.ArgumentParser(prog="python -m tests.compatibility.planted", description=__doc__)
    parser.add_argument("--repeat", type=int, default=0, help="so many runs of the unchanged server instead")
    asked = parser.parse_args()
    if asked.repeat:
        reported = unchanged(asked.repeat)
        click.echo("\n".join([*reported, f"{len(reported)} reported in {asked.repeat} runs of the unchanged server"]))
        return int(bool(reported))
    found = matrix()
    for name, by in found.items():
        click.echo(f"{name}: {'; '.join(by[:3]) or 'MISSED'}" + (f" and {len(by) - 3} more" if len(by) > 3 else ""))
    click.echo(f"{sum(map(bool, found.values()))} of {len(found)} caught")
    return int(not all(found.values()))


if __name__ == "__main__":
    sys.exit(main())
