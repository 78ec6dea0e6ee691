"""ballast.toml and `[tool.ballast]`: which target, how to reach it, and which tools may be called with what.

Both have the same form. Values are checked here, so that everyone after this deals with good ones. Reads the disk once.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from .checks.means import Means
from .errors import BadConfiguration
from .login.signing_in import Tokens
from .login.signing_key import SigningKey
from .offer.catalogue import Example
from .play import Options, Pace
from .replay.values import Client

_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_KNOWN: Mapping[str, type | tuple[type, ...]] = {
    "target": (str, dict),
    "host-profile": str,
    "only": list,
    "sessions": list,
    "pace": str,
    "seed": int,
    "headers": dict,
    "tools": dict,
    "oauth": dict,
    "checks": dict,
    "canary": dict,
    "nightly": dict,
    "config": str,
}
_KNOWN_TARGET = ("url", "start", "path", "headers", "command", "counter", "workers", "hosts")
_KNOWN_TOOL = ("arguments", "slow", "earlier")
_KNOWN_CHECKS = (
    "destructive", "slow_tool", "removed_tools", "published_ui", "health", "upload", "download", "write", "long_write",
    "blocking_tool", "echo_meta", "token_hash", "change_tool",
)  # fmt: skip
_KNOWN_UPLOAD = ("tool", "content", "size", "sha256")
_KNOWN_DOWNLOAD = ("tool", "size")
_KNOWN_OAUTH = (
    "client_id", "client_secret", "redirect_uri", "follow", "access_token", "refresh_token", "client_documents",
    "client_key",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the user configured. Empty values mean: not said."""

    target: str = ""
    path: str = "/mcp"
    host_profile: str = ""
    only: tuple[str, ...] = ()
    sessions: tuple[Path, ...] = ()
    command: tuple[str, ...] = ()
    """What starts the process behind the target's address; empty if it runs already."""
    options: Options = field(default_factory=Options)
    canary: Mapping[str, Any] = field(default_factory=dict)
    """What to ask of the platform itself, as it stands there."""
    nightly: Mapping[str, Any] = field(default_factory=dict)
    """What a night does, as it stands there."""


def read_configuration(file: Path) -> Configuration:
    """Read a ballast.toml.

    Raises:
        BadConfiguration: the file is missing, is no TOML, or says something unknown.
    """
    return to_configuration(_toml(file), source=str(file), folder=file.parent)


def read_project(file: Path) -> Configuration | None:
    """Read `[tool.ballast]` of a pyproject.toml; None if there is none. Its `config` names a file to start from.

    Raises:
        BadConfiguration: as `read_configuration`.
    """
    table = _toml(file).get("tool", {}).get("ballast")
    if table is None:
        return None
    base = {}
    if isinstance(table, dict) and "config" in table:
        base = _toml(file.parent / str(table["config"]))
    return to_configuration({**base, **table}, source=f"{file}, [tool.ballast]", folder=file.parent)


def to_configuration(data: Mapping[str, Any], *, source: str, folder: Path) -> Configuration:
    """Check configuration data and give its values; relative paths count from `folder`.

    Raises:
        BadConfiguration: something in it is unknown or has the wrong type.
    """
    reader = _Reader(source)
    reader.check(data, _KNOWN)
    target = data.get("target", "")
    table = target if isinstance(target, dict) else {}
    reader.refuse_unknown(table, _KNOWN_TARGET, "target.")
    return Configuration(
        target=str(table.get("url") or table.get("start") or "") if table else str(target),
        path=str(table.get("path", "/mcp")),
        host_profile=data.get("host-profile", ""),
        only=tuple(str(key) for key in data.get("only", ())),
        sessions=tuple(folder / str(place) for place in data.get("sessions", ())),
        command=reader.texts(table, "command", "target."),
        canary=data.get("canary", {}),
        nightly=data.get("nightly", {}),
        options=Options(
            headers=reader.headers({**data.get("headers", {}), **table.get("headers", {})}),
            examples=reader.examples(data.get("tools", {}), data.get("checks", {})),
            means=reader.means(table, data.get("checks", {}), data.get("tools", {})),
            client=reader.client(data.get("oauth", {})),
            tokens=reader.tokens(data.get("oauth", {})),
            client_documents=str(data.get("oauth", {}).get("client_documents", "")),
            client_key=reader.client_key(data.get("oauth", {}), folder),
            follow=tuple(str(origin).rstrip("/") for origin in data.get("oauth", {}).get("follow", ())),
            pace=reader.pace(data.get("pace", "real")),
            seed=data.get("seed"),
        ),
    )


class _Reader:
    """Checks values and complains with the place they came from."""

    def __init__(self, source: str) -> None:
        self._source = source

    def check(self, data: Mapping[str, Any], known: Mapping[str, type | tuple[type, ...]]) -> None:
        self.refuse_unknown(data, tuple(known), "")
        for name, value in data.items():
            if not isinstance(value, known[name]):
                kinds = known[name] if isinstance(known[name], tuple) else (known[name],)
                words = " or ".join(kind.__name__ for kind in cast("tuple[type, ...]", kinds))
                raise self._bad(f"{name} is {value!r}, which is no {words}. See docs/sessions.md.")

    def refuse_unknown(self, data: Mapping[str, Any], known: tuple[str, ...], prefix: str) -> None:
        for name in data:
            if name not in known:
                raise self._bad(f"{prefix}{name} is unknown. Known here: {', '.join(known)}.")

    def headers(self, data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        return tuple((name, self._from_environment(str(value))) for name, value in data.items())

    def example(self, name: str, tool: Any) -> Example:
        if not isinstance(tool, dict):
            raise self._bad(f"tools.{name} is no table. Write [tools.{name}] and arguments = {{...}} under it.")
        self.refuse_unknown(tool, _KNOWN_TOOL, f"tools.{name}.")
        arguments = tool.get("arguments")
        if arguments is not None and not isinstance(arguments, dict):
            raise self._bad(f"tools.{name}.arguments is no table. Write arguments = {{name = value}}.")
        return Example(arguments=arguments, is_slow=bool(tool.get("slow", False)))

    def examples(self, tools: Mapping[str, Any], checks: Mapping[str, Any]) -> dict[str, Example]:
        found = {name: self.example(name, tool) for name, tool in tools.items()}
        if slow := checks.get("slow_tool"):
            found[str(slow)] = replace(found.get(str(slow), Example()), is_slow=True)
        return found

    def means(self, target: Mapping[str, Any], checks: Mapping[str, Any], tools: Mapping[str, Any]) -> Means:
        self.refuse_unknown(checks, _KNOWN_CHECKS, "checks.")
        if not isinstance(checks.get("destructive", False), bool):
            raise self._bad(f"checks.destructive is {checks['destructive']!r}. Write true or false.")
        return Means(
            is_destructive=checks.get("destructive", False),
            health=str(checks.get("health", "/health")),
            upload=self._named(checks, "upload", _KNOWN_UPLOAD),
            download=self._named(checks, "download", _KNOWN_DOWNLOAD),
            write=str(checks.get("write", "")),
            long_write=str(checks.get("long_write", "")),
            blocking_tool=str(checks.get("blocking_tool", "")),
            echo_meta=str(checks.get("echo_meta", "")),
            token_hash=str(checks.get("token_hash", "")),
            change_tool=str(checks.get("change_tool", "")),
            counter=str(target.get("counter", "")),
            workers=self.texts(target, "workers", "target."),
            hosts=self.texts(target, "hosts", "target."),
            removed_tools=self.texts(checks, "removed_tools", "checks."),
            published_ui=self.texts(checks, "published_ui", "checks."),
            earlier={name: self._earlier(name, tool["earlier"]) for name, tool in tools.items() if "earlier" in tool},
        )

    def texts(self, table: Mapping[str, Any], name: str, prefix: str) -> tuple[str, ...]:
        found = table.get(name, [])
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise self._bad(f'{prefix}{name} is {found!r}, which is no list of texts. Write {name} = ["..."].')
        return tuple(found)

    def _named(self, checks: Mapping[str, Any], name: str, known: tuple[str, ...]) -> dict[str, str]:
        """A tool and what its arguments are called: all of them, or nothing."""
        found = checks.get(name, {})
        if found and not (isinstance(found, dict) and {*found} == {*known}):
            words = ", ".join(f'{key} = "..."' for key in known)
            raise self._bad(f"checks.{name} is {found!r}. Write {name} = {{{words}}}.")
        return {key: str(value) for key, value in found.items()}

    def _earlier(self, name: str, found: Any) -> tuple[Mapping[str, Any], ...]:
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise self._bad(f"tools.{name}.earlier is no list of tables. Write earlier = [{{name = value}}].")
        return tuple(found)

    def client(self, data: Mapping[str, Any]) -> Client | None:
        self.refuse_unknown(data, _KNOWN_OAUTH, "oauth.")
        if "client_id" not in data:
            return None
        client = Client(id=str(data["client_id"]), secret=self._from_environment(str(data.get("client_secret", ""))))
        if "redirect_uri" not in data:
            return client
        return Client(id=client.id, secret=client.secret, redirect_uri=str(data["redirect_uri"]))

    def tokens(self, data: Mapping[str, Any]) -> Tokens | None:
        if "access_token" not in data:
            return None
        access, refresh = (self._from_environment(str(data.get(f"{kind}_token", ""))) for kind in ("access", "refresh"))
        return Tokens(access=access, refresh=refresh)

    def client_key(self, data: Mapping[str, Any], folder: Path) -> SigningKey | None:
        if ("client_key" in data) != ("client_documents" in data):
            raise self._bad(
                "oauth needs client_documents and client_key together: the address, and the key's PEM file."
            )
        return SigningKey.read(folder / str(data["client_key"])) if "client_key" in data else None

    def pace(self, value: str) -> Pace:
        if value not in {"real", "none"}:
            raise self._bad(f"pace is {value!r}. Write real or none.")
        return cast("Pace", value)

    def _from_environment(self, text: str) -> str:
        """Fill `${NAME}` from the environment, so that no token has to stand in a file."""

        def value(match: re.Match[str]) -> str:
            if match[1] not in os.environ:
                raise self._bad(f"the environment has no {match[1]}. Set it, or write the value in the file.")
            return os.environ[match[1]]

        return _ENVIRONMENT.sub(value, text)

    def _bad(self, problem: str) -> BadConfiguration:
        return BadConfiguration(f"{self._source}: {problem}")


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadConfiguration(f"There is no file {file}. Create it, or leave --config away.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as problem:
        raise BadConfiguration(f"{file} cannot be read as TOML: {problem}. Correct it there.") from problem
