"""`python -m tests.backends`: a connector tells real backends what happened, and that is read back from them.

Arize Phoenix for traces and VictoriaMetrics for metrics. Ends with 0 if all is there, 1 if not, 2 if a backend cannot
be had here. Outside the test run: it fetches close to a gigabyte, once.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from . import checks, obtaining, serving


def main() -> int:
    """Run all of it."""
    try:
        commands = obtaining.phoenix(), obtaining.victoria_metrics()
    except obtaining.NotHere as missing:
        sys.stderr.write(f"A backend cannot be had: {missing}\n")
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="ballast-backends-") as folder:
            _check(*commands, Path(folder))
    except serving.Failed as failed:
        sys.stderr.write(f"FAILED: {failed}\n")
        return 1
    obtaining.say("Both backends have what was sent to them.")
    return 0


def _check(phoenix: Path, victoria: Path, folder: Path) -> None:
    for each in ("phoenix", "victoria", "connector"):
        (folder / each).mkdir()
    with (
        serving.phoenix(phoenix, folder / "phoenix") as traces,
        serving.victoria_metrics(victoria, folder / "victoria") as metrics,
    ):
        environ = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{traces}/v1/traces",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{metrics}/opentelemetry/v1/metrics",
            "OTEL_LOGS_EXPORTER": "none",
        }
        checks.send(environ, folder / "connector")
        for name, check, url in (("Phoenix", checks.traces, traces), ("VictoriaMetrics", checks.metrics, metrics)):
            for sentence in check(url):
                obtaining.say(f"{name}: {sentence}")
    _read_rules(victoria.with_name("vmalert"))


def _read_rules(vmalert: Path) -> None:
    if not vmalert.exists():
        obtaining.say("vmalert: not beside victoria-metrics, so the alert rules were not read by it")
        return
    words = [str(vmalert), "-dryRun", f"-rule={checks.FOLDER / 'alerts.yaml'}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise serving.Failed(f"vmalert refuses the alert rules: {done.stderr[-400:]}")
    obtaining.say("vmalert: reads the alert rules")


if __name__ == "__main__":
    sys.exit(main())
