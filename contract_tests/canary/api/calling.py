"""Asks the Responses API to call the connector. The only place that holds the key, and it is never said or written."""

from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from ...credentials import PLACEHOLDER, clean
from ...replay.values import is_loopback
from ..findings import Change, Part, Said, not_checked
from ..settings import ApiSettings, secret
from .answering import NAME, judged, unreachable
from .wording import request_body

_LARGEST: Final = 4 * 1024 * 1024


async def call(settings: ApiSettings) -> Part:
    """Have the API call the connector once, and say how it went. Never raises for what the network does."""
    why = _why_not(settings)
    if why:
        return not_checked(NAME, why)
    key, authorization = secret(settings.key_env), secret(settings.authorization_env)
    body = request_body(settings.model, settings.server_url, settings.tool, settings.arguments, authorization)
    headers = {"Authorization": f"Bearer {key}", "User-Agent": "mcp-ballast-canary"}
    try:
        async with httpx2.AsyncClient(timeout=httpx2.Timeout(settings.limit, connect=20.0)) as client:
            reply = await client.post(settings.url, json=body, headers=headers)
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        found = unreachable(f"{type(problem).__name__}: {problem}".rstrip(": "))
    else:
        found = judged(reply.status_code, _content(reply), settings.tool)
    return without(found, (key, authorization))


def without(part: Part, secrets: tuple[str, ...]) -> Part:
    """The part with secrets that somebody repeated replaced; APIs like to quote a wrong key."""

    def cleaned(text: str) -> str:
        for each in filter(None, secrets):
            text = text.replace(each, PLACEHOLDER)
        return clean(text)

    def of_change(change: Change) -> Change:
        return replace(change, sentence=cleaned(change.sentence), after=cleaned(change.after))

    def of_said(said: Said) -> Said:
        return replace(said, fact=cleaned(said.fact))

    return replace(
        part,
        sentence=cleaned(part.sentence),
        facts=tuple(map(cleaned, part.facts)),
        changes=tuple(map(of_change, part.changes)),
        said=tuple(map(of_said, part.said)),
    )


def _why_not(settings: ApiSettings) -> str:
    if not secret(settings.key_env):
        return f"the environment has no {settings.key_env}"
    if not settings.server_url:
        return "no address: write server_url under [canary.api], or give an https target"
    if is_loopback(settings.server_url) and not is_loopback(settings.url):
        return f"{urlsplit(settings.server_url).netloc} is this machine: the API cannot call it"
    if not settings.tool:
        return "no tool: write tool under [canary.api], the name of one that reads"
    if settings.authorization_env and not secret(settings.authorization_env):
        return f"the environment has no {settings.authorization_env}"
    return ""


def _content(reply: httpx2.Response) -> Any:
    if len(reply.content) > _LARGEST:
        return None
    try:
        return reply.json()
    except (ValueError, RecursionError):
        return None
