"""`[canary]` of ballast.toml as values. Nothing is asked of anybody that does not stand there; reads no file.

Addresses that are known are used where the configuration says `known`, and not before.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ..errors import BadConfiguration

STATE: Final = Path(".ballast") / "canary.json"
"""Where the state is kept unless told otherwise."""

KINDS: Final = ("client", "keys", "egress", "status", "json")

KNOWN: Final[Mapping[str, str]] = {
    "client": "https://chatgpt.com/oauth/client.json",  # seen 2026-08-03; asks to be cached for 300 s
    "keys": "https://chatgpt.com/oauth/jwks.json",  # named by that document
    "egress": "https://openai.com/chatgpt-connectors.json",  # the addresses that ChatGPT calls from
    "status": "https://status.openai.com/api/v2/summary.json",  # ours: as status pages have it; not checked
}
"""Documents of one platform, by kind."""

_API: Final = "https://api.openai.com/v1/responses"
_KEY: Final = "OPENAI_API_KEY"

_MEMBERS: Final = ("state", "documents", "api", "sdk")
_OF_API: Final = ("url", "model", "key_env", "server_url", "tool", "arguments", "authorization_env", "limit")
_OF_SDK: Final = ("package", "pip", "tool", "arguments", "limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One published document: where it is, and of which kind."""

    name: str
    url: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """How the platform's API is asked to call the connector. The key stays in the environment, under `key_env`.

    `server_url` is the connector's public address; `authorization_env` names the variable with its token, if any.
    """

    model: str
    url: str = _API
    key_env: str = _KEY
    server_url: str = ""
    tool: str = ""
    arguments: Mapping[str, Any] | None = None
    authorization_env: str = ""
    limit: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkSettings:
    """What is installed to be tried: a requirement, and more words for pip (an index, a folder of wheels)."""

    package: str = "mcp"
    pip: tuple[str, ...] = ()
    tool: str = ""
    arguments: Mapping[str, Any] | None = None
    limit: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is to be asked; None and empty for what is not."""

    state: Path = STATE
    sources: tuple[Source, ...] = ()
    api: ApiSettings | None = None
    sdk: SdkSettings | None = field(default=None)


def to_settings(data: Mapping[str, Any]) -> Settings:
    """Check `[canary]` and give its values.

    Raises:
        BadConfiguration: something in it is unknown or of no use; the sentence says what to write.
    """
    _known(data, _MEMBERS, "canary")
    documents = _table(data, "documents")
    return Settings(
        state=Path(str(data.get("state", STATE))),
        sources=_sources(documents),
        api=_api(_table(data, "api")) if "api" in data else None,
        sdk=_sdk(data["sdk"]) if data.get("sdk") else None,
    )


def _sources(documents: Mapping[str, Any]) -> tuple[Source, ...]:
    wants_all = documents.get("known") is True
    found = [Source(name=kind, url=url, kind=kind) for kind, url in KNOWN.items()] if wants_all else []
    own = [_source(name, said) for name, said in documents.items() if name != "known"]
    named = {source.name for source in own}
    return (*(source for source in found if source.name not in named), *own)


def _source(name: str, said: Any) -> Source:
    table = said if isinstance(said, dict) else {"url": said}
    _known(table, ("url", "kind"), f"canary.documents.{name}")
    kind = str(table.get("kind", name if name in KINDS else "json"))
    if kind not in KINDS:
        raise BadConfiguration(f"canary.documents.{name}.kind is {kind!r}. Write one of {', '.join(KINDS)}.")
    url = KNOWN.get(kind, "") if table.get("url") == "known" else table.get("url")
    if not isinstance(url, str) or urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise BadConfiguration(
            f'canary.documents.{name} is {table.get("url")!r}, which is no http(s) address. Write one, or "known" for '
            f"{', '.join(KNOWN)}."
        )
    return Source(name=name, url=url, kind=kind)


def _api(data: Mapping[str, Any]) -> ApiSettings:
    _known(data, _OF_API, "canary.api")
    if not data.get("model"):
        raise BadConfiguration('canary.api needs a model. Write model = "..." as the platform names one.')
    if any("key" in name and name != "key_env" for name in data):
        raise BadConfiguration(f"canary.api takes no key. Put it into the environment, as {_KEY}.")
    return ApiSettings(**{**data, "limit": _seconds(data, "canary.api")})


def _sdk(said: Any) -> SdkSettings:
    data = {} if said is True else said
    if not isinstance(data, dict):
        raise BadConfiguration(f"canary.sdk is {said!r}. Write sdk = true, or a table [canary.sdk].")
    _known(data, _OF_SDK, "canary.sdk")
    return SdkSettings(
        **{**data, "pip": tuple(str(word) for word in data.get("pip", ())), "limit": _seconds(data, "canary.sdk")}
    )


def _seconds(data: Mapping[str, Any], place: str) -> float:
    value = data.get("limit", 300.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise BadConfiguration(f"{place}.limit is {value!r}. Write seconds, e.g. 300.")
    return float(value)


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name, {})
    if not isinstance(found, dict):
        raise BadConfiguration(f"canary.{name} is {found!r}, which is no table. Write [canary.{name}].")
    return found


def _known(data: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
    for name in data:
        if name not in known:
            raise BadConfiguration(f"{place}.{name} is unknown. Known here: {', '.join(known)}.")


def secret(variable: str) -> str:
    """The value of an environment variable without white space around it; empty if there is none."""
    return os.environ.get(variable, "").strip() if variable else ""
