"""Whether a Host and an Origin may come in. Pure: names in, a refusal or nothing out.

The defence is against DNS rebinding: a page whose name was pointed at this server reaches it with its own Host and
Origin. Configured names are taken with and without a port (incident G-02: a guard that did not know its public name
broke deployments).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from ...settings import AccessSettings

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})

PLATFORM_ORIGINS: Final = frozenset({"https://chatgpt.com", "https://chat.openai.com", "https://claude.ai"})
"""Browsers send these for widgets; the platforms' servers send no Origin (facts on the wire, section 1.3)."""


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """The HTTP status and the sentence a stranger is refused with."""

    status: int
    reason: str


@dataclass(slots=True)
class Admission:
    """The names one connector answers to."""

    hosts: frozenset[str]
    origins: frozenset[str]
    _decided: dict[tuple[str | None, str | None], NotAdmitted | None] = field(default_factory=dict)

    @classmethod
    def of(cls, access: AccessSettings) -> "Admission":
        """The names that `access` declares, and loopback."""
        public = [access.public_url] if access.public_url else []
        hosts = {_host_name(urlsplit(url).netloc) for url in public} | {_host_name(h) for h in access.allowed_hosts}
        origins = {_origin(url) for url in (*public, *access.allowed_origins)}
        return cls(frozenset(hosts) | LOOPBACK_NAMES, frozenset(origins) | PLATFORM_ORIGINS)

    def decide(self, host: str | None, origin: str | None) -> NotAdmitted | None:
        """None if the request may come in. 421 for a Host that is not ours, 403 for an Origin that is not."""
        key = (host, origin)
        if key not in self._decided:
            if len(self._decided) >= _REMEMBERED:
                self._decided.clear()
            self._decided[key] = self._decide(host, origin)
        return self._decided[key]

    def _decide(self, host: str | None, origin: str | None) -> NotAdmitted | None:
        if host is not None and _host_name(host) not in self.hosts:
            return NotAdmitted(421, f"Host {host!r} is not served here. {_listed('BALLAST_ALLOWED_HOSTS', self.hosts)}")
        if origin is None or _origin(origin) in self.origins or urlsplit(origin).hostname in LOOPBACK_NAMES:
            return None
        return NotAdmitted(403, f"Origin {origin!r} is refused. {_listed('BALLAST_ALLOWED_ORIGINS', self.origins)}")


_REMEMBERED: Final = 256
"""Pairs kept; real traffic has a handful, and a scanner that sends thousands only empties the memory."""


def _listed(variable: str, names: Iterable[str]) -> str:
    return f"Known: {', '.join(sorted(names))}. Set public_url, or add the name to {variable}."


def _host_name(host: str) -> str:
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.rpartition(":")[0] if name.count(":") == 1 else name


def _origin(url: str) -> str:
    parts = urlsplit(url.strip().lower())
    port = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.removesuffix(port)}"
