"""`[nightly]` of ballast.toml as values. Reads no file, and asks nobody.

Secrets stand in the environment: `${NAME}` in an address is filled from there, and what is filled in is never shown.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ..errors import BadConfiguration

STAGES: Final = ("canary", "suite", "drift", "diagnosis")
"""In this order: what the platform says of itself and what the suite found are evidence for the diagnosis."""

FOLDER: Final = Path(".ballast") / "nights"
NIGHTS: Final = 60
"""Nights that are kept: two months, so that a monthly change is seen twice."""
LIMIT: Final = 1800.0
"""Seconds for one stage: a whole suite with all mutants takes a tenth of it."""
MUTANTS: Final = 400

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MEMBERS: Final = (
    "folder", "stages", "nights", "limit", "store", "connector", "lock", "baseline", "surface", "mutants", "direct",
    "alerts",
)  # fmt: skip
_OF_ALERTS: Final = ("webhooks", "open_telemetry")
_OF_WEBHOOK: Final = ("url", "form", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where an alert is sent to. `form` is `json`, or `slack` for receivers that take Slack's payload."""

    name: str
    url: str = field(repr=False)
    form: str = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a night does. `store` and `lock` make it look for drift; `mutants` of 0 leaves mutations out.

    `baseline` and `surface` are files that are compared with, once they have been recorded.
    """

    folder: Path = FOLDER
    stages: tuple[str, ...] = STAGES
    nights: int = NIGHTS
    limit: float = LIMIT
    store: str = field(default="", repr=False)
    connector: str = ""
    """Which one of a store that several share."""
    lock: Path | None = None
    baseline: Path | None = None
    surface: Path | None = None
    mutants: int = MUTANTS
    direct: str = ""
    webhooks: tuple[Webhook, ...] = ()
    open_telemetry: bool = True


def to_settings(data: Mapping[str, Any]) -> Settings:
    """Check `[nightly]` and give its values.

    Raises:
        BadConfiguration: something in it is unknown or of no use; the sentence says what to write.
    """
    _known(data, _MEMBERS, "nightly")
    alerts = _of(data, "alerts", dict, {}, "nightly")
    _known(alerts, _OF_ALERTS, "nightly.alerts")
    store = _filled(_of(data, "store", str, "", "nightly"), "nightly.store")
    lock = _path(data, "lock")
    if bool(store) != (lock is not None):
        raise BadConfiguration("[nightly] needs both store and lock to look for drift: name the other one too")
    return Settings(
        folder=_path(data, "folder") or FOLDER,
        stages=_stages(_of(data, "stages", list, list(STAGES), "nightly")),
        nights=_positive(data, "nights", int, NIGHTS),
        limit=_positive(data, "limit", float, LIMIT),
        store=store,
        connector=_of(data, "connector", str, "", "nightly"),
        lock=lock,
        baseline=_path(data, "baseline"),
        surface=_path(data, "surface"),
        mutants=_of(data, "mutants", int, MUTANTS, "nightly"),
        direct=_of(data, "direct", str, "", "nightly"),
        webhooks=_webhooks(_of(alerts, "webhooks", list, [], "nightly.alerts")),
        open_telemetry=_of(alerts, "open_telemetry", bool, True, "nightly.alerts"),
    )


def _stages(names: Sequence[Any]) -> tuple[str, ...]:
    if unknown := [name for name in names if name not in STAGES]:
        raise BadConfiguration(f"nightly.stages has {unknown[0]!r}. There are: {', '.join(STAGES)}")
    return tuple(names)


def _webhooks(rows: Sequence[Any]) -> tuple[Webhook, ...]:
    made: list[Webhook] = []
    for row in rows:
        if not isinstance(row, Mapping):
            raise BadConfiguration('nightly.alerts.webhooks holds tables: webhooks = [{ url = "${ALERTS_URL}" }]')
        _known(row, _OF_WEBHOOK, "nightly.alerts.webhooks")
        url = _filled(_of(row, "url", str, "", "nightly.alerts.webhooks"), "nightly.alerts.webhooks.url")
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise BadConfiguration("the url of a webhook in [nightly.alerts] is no address such as https://...")
        form = _of(row, "form", str, "json", "nightly.alerts.webhooks")
        if form not in {"json", "slack"}:
            raise BadConfiguration(f"nightly.alerts.webhooks has the form {form!r}: write 'json' or 'slack'")
        made.append(Webhook(name=row.get("name") or parts.hostname, url=url, form=form))
    names = [webhook.name for webhook in made]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise BadConfiguration(f"two webhooks of [nightly.alerts] are called {doubled!r}: give each a name of its own")
    return tuple(made)


def _filled(text: str, place: str) -> str:
    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if not found:
            raise BadConfiguration(f"{place} wants the environment variable {match[1]}, which is not set")
        return found

    return _VARIABLE.sub(value, text)


def _path(data: Mapping[str, Any], name: str) -> Path | None:
    text = _of(data, name, str, "", "nightly")
    return Path(text) if text else None


def _positive(data: Mapping[str, Any], name: str, kind: type, otherwise: Any) -> Any:
    value = _of(data, name, kind, otherwise, "nightly")
    if not value > 0:
        raise BadConfiguration(f"nightly.{name} is {value!r}: write a number above 0")
    return value


def _of(data: Mapping[str, Any], name: str, kind: type, otherwise: Any, table: str) -> Any:
    value = data.get(name, otherwise)
    is_number = kind is float and isinstance(value, int) and not isinstance(value, bool)
    if is_number:
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BadConfiguration(f"{table}.{name} is {type(value).__name__}, and should be {kind.__name__}")
    return value


def _known(data: Mapping[str, Any], names: Sequence[str], table: str) -> None:
    for name in data:
        if name not in names:
            raise BadConfiguration(f"[{table}] has no {name!r}. It has: {', '.join(names)}")
