"""Run by another interpreter: connects to a URL with whatever `mcp` is installed there, and prints what came as JSON.

Stands alone: it imports nothing but `mcp` and the standard library, by name, because which names there are is what it
finds out. Usage: python client_script.py URL TOOL ARGUMENTS-AS-JSON; an empty TOOL calls none. The environment's
`BALLAST_CANARY_HEADERS` is a JSON object.
"""

import asyncio
import contextlib
import importlib
import importlib.metadata
import json
import os
import sys
from typing import Any


def main() -> None:
    """Print one JSON object: the version, what each step gave, and the step that failed if one did."""
    url, tool, arguments = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    said: dict[str, Any] = {"version": _version(), "steps": {}}
    try:
        asyncio.run(asyncio.wait_for(_play(url, tool, arguments, said), 60))
    except BaseException as problem:  # noqa: BLE001 - whatever it is, it is told to the other process
        said["failed"] = _reason(problem)
    sys.stdout.write(json.dumps(said, default=str) + "\n")


async def _play(url: str, tool: str, arguments: dict[str, Any], said: dict[str, Any]) -> None:
    said["step"] = "connect"
    async with _session(url, said) as session:
        said["step"] = "tools/list"
        listed = (await session.list_tools()).tools
        said["steps"]["tools/list"] = sorted(each.name for each in listed)
        if tool:
            said["step"] = "tools/call"
            result = await session.call_tool(tool, arguments)
            said["steps"]["tools/call"] = {
                "is_error": bool(_either(result, "is_error", "isError")),
                "content": [each.type for each in result.content],
                "structured": _either(result, "structured_content", "structuredContent") is not None,
            }
        said["step"] = "close"
    said["step"] = ""


@contextlib.asynccontextmanager
async def _session(url: str, said: dict[str, Any]) -> Any:
    """A session that is initialized, of whichever generation."""
    headers = json.loads(os.environ.get("BALLAST_CANARY_HEADERS", "{}"))
    library = importlib.import_module("mcp")
    if not hasattr(library, "Client"):
        async with _old_session(library, url, headers, said) as session:
            yield session
        return
    target: Any = url
    if headers:
        http = importlib.import_module("httpx2").AsyncClient(headers=headers, timeout=60)
        target = importlib.import_module("mcp.client.streamable_http").streamable_http_client(url, http_client=http)
    async with library.Client(target) as client:
        said["steps"]["connect"] = {"protocol": str(client.protocol_version)}
        yield client


@contextlib.asynccontextmanager
async def _old_session(library: Any, url: str, headers: dict[str, str], said: dict[str, Any]) -> Any:
    """As before `mcp` 2."""
    connect = importlib.import_module("mcp.client.streamable_http").streamablehttp_client
    async with (
        connect(url, headers=headers) as (reading, writing, _),
        library.ClientSession(reading, writing) as session,
    ):
        begun = await session.initialize()
        said["steps"]["connect"] = {"protocol": str(_either(begun, "protocol_version", "protocolVersion"))}
        yield session


def _either(value: Any, one: str, other: str) -> Any:
    return getattr(value, one, None) if hasattr(value, one) else getattr(value, other, None)


def _version() -> str:
    try:
        return importlib.metadata.version("mcp")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _reason(problem: BaseException) -> str:
    while isinstance(problem, BaseExceptionGroup) and problem.exceptions:
        problem = problem.exceptions[0]
    return f"{type(problem).__name__}: {problem}"[:500]


if __name__ == "__main__":
    main()
