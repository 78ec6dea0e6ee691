"""Export of traces, metrics and logs where OpenTelemetry's own variables say so; nothing else to configure.

A provider that the application installed is left alone. Exporting happens in threads of its own with bounded queues, so
a collector that is slow, full or gone costs a call nothing; what does not fit is dropped.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from threading import Thread
from time import monotonic
from typing import Any, Final

SIGNALS: Final = ("TRACES", "METRICS", "LOGS")

FLUSH_WITHIN: Final = 3.0
"""Seconds that shutdown waits for the last spans, metrics and logs. The SDK alone blocks 7.6 s at a closed port and
10 s at a black hole, for each of them.
"""

Flush = Callable[[int], Any]
"""Sends what is left, within so many milliseconds."""


def wants_export(environ: Mapping[str, str], signal: str = "TRACES") -> bool:
    """Whether the standard variables ask for OTLP of `signal` (OpenTelemetry, "General SDK Configuration")."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = {name.strip() for name in environ.get(f"OTEL_{signal}_EXPORTER", "").split(",") if name.strip()}
    if exporters:
        return "otlp" in exporters
    return any(environ.get(name) for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"))


def export_from_environment(*, service: str, version: str) -> list[Flush]:
    """Install providers that export by OTLP over HTTP, where the environment asks for it and none is installed yet.

    Gives what has to be flushed at the end. No provider flushes at exit by itself, where nothing bounds it.
    """
    wanted = [signal for signal in SIGNALS if wants_export(os.environ, signal)]
    if not wanted:
        return []
    from .exporting import INSTALL, resource_of  # noqa: PLC0415  # the SDK costs a third of a second

    resource = resource_of(service=service, version=version)
    return [flush for signal in wanted for flush in INSTALL[signal](resource)]


def flush(flushes: Sequence[Flush], within: float = FLUSH_WITHIN) -> None:
    """Send what is left, side by side, and leave after `within` seconds whatever the collector does."""
    ends = monotonic() + within
    senders = [Thread(target=each, args=(int(within * 1000),), daemon=True) for each in flushes]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(max(0.0, ends - monotonic()))
