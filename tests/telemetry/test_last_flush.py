"""The end of a process whose collector takes nothing: traces, metrics and logs share one deadline."""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.telemetry.setup import flush
from tests.telemetry.heard import Heard, until
from tests.telemetry.told_process import free_port, told
from tests.wire import call, headers, post

ENDED = {0, -signal.SIGTERM, 128 + signal.SIGTERM}


@contextmanager
def _black_hole() -> Iterator[tuple[str, list[bytes]]]:
    """Takes every connection and every byte, and never answers. Gives what each connection began with."""
    heard: list[bytes] = []
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                heard.append(connection.recv(64))

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
        listener.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()


@pytest.mark.parametrize("is_black_hole", [True, False], ids=["black hole", "closed port"])
def test_three_signals_that_nobody_takes_hold_up_the_end_once(tmp_path: Path, *, is_black_hole: bool) -> None:
    """Facts on telemetry, section 4: the SDK alone blocks for 10 s at a black hole, for each signal."""
    with _black_hole() as (hole, heard):
        endpoint = hole if is_black_hole else f"http://127.0.0.1:{free_port()}"
        late = dict.fromkeys(("OTEL_BSP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL"), "600000")
        environ = {**late, "OTEL_BLRP_SCHEDULE_DELAY": "600000", "BALLAST_DRAIN_NOTICE": "0.1"}
        with told(endpoint, f"store=sqlite:///{tmp_path}/calls.sqlite3", environ=environ) as (url, process):
            assert post(url, call("crash", {"text": "x"}), headers()).status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) in ENDED
        begun = sorted(head.split()[1].decode() for head in heard if head)

    assert begun == (["/v1/logs", "/v1/metrics", "/v1/traces"] if is_black_hole else [])


def test_the_last_of_all_three_is_sent_before_the_process_ends(tmp_path: Path) -> None:
    """A deploy must not lose the telemetry of its last seconds."""
    late = dict.fromkeys(("OTEL_BSP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL"), "600000")
    environ = {**late, "OTEL_BLRP_SCHEDULE_DELAY": "600000", "BALLAST_DRAIN_NOTICE": "0.1"}
    with Heard() as heard:
        with told(heard.endpoint, f"store=sqlite:///{tmp_path}/calls.sqlite3", environ=environ) as (url, process):
            post(url, call("crash", {"text": "x"}), headers())
            process.send_signal(signal.SIGTERM)
            process.wait(40)
        until(heard.logs)

    assert [span.name for span in heard.spans()] == ["tools/call crash"]
    assert heard.numbers("ballast.drains") == {"in time": 1}
    assert [record.severity_text for record in heard.logs() if record.severity_text == "ERROR"] == ["ERROR"]


def test_whoever_hangs_keeps_nobody_else_from_sending() -> None:
    """Side by side, not one after the other."""
    never, sent = threading.Event(), list[int]()
    flush([lambda _: never.wait(), lambda _: never.wait(), sent.append], within=0.2)
    never.set()

    assert sent == [200]
