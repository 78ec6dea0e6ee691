"""That the door tells the meters what becomes of streams and sessions."""

from dataclasses import dataclass, field
from time import monotonic

import httpx2
import pytest

from connector import Connector, Settings, tool
from connector.http.exchange import Framing, Mode
from connector.http.load.traffic import Traffic
from connector.http.request.reading import Asked, read_body, readable_by
from connector.settings import AdaptiveSettings
from connector.telemetry.meters import Meters
from connector.telemetry.spikes import Spike
from tests.loopback import Serve
from tests.wire import BOTH, call, headers, post, request

CHATGPT = {"user-agent": "openai-mcp/1.0.0 (ChatGPT)"}
LIMIT = 119.8
"""Seconds after which ChatGPT gives a call up by itself (surface.CALL_LIMITS)."""


@dataclass(eq=False)
class _Ended:
    """A reply as the door hands it back."""

    was_delivered: bool
    mode: Mode = Mode.EVENTS
    was_stopped: bool = False
    gone_at: float | None = field(default_factory=monotonic)

    @property
    def was_streamed(self) -> bool:
        """Whether it was."""
        return self.mode is Mode.EVENTS

    def stop(self) -> None:
        """Nothing runs."""


class _Day:
    """Two hours of streams to ChatGPT that hold, on a clock of its own; then as the test says."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[Spike] = []
        meters = Meters()
        meters.alarms._clock = lambda: self.now
        meters.alarms.when_spiking(self.told.append)
        quick = AdaptiveSettings(pause=1e-6, longest_pause=1e-5)
        self.traffic = Traffic(Settings(adaptive=quick), meters)
        self.asked = read_body({"content-type": "application/json"}, b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}')
        for tick in range(720):
            self.now = tick * 10.0
            self.answer(delivered=True)

    def answer(self, *, delivered: bool, lasted: float = 1.0) -> None:
        """One answer, as a stream if the door streams."""
        assert isinstance(self.asked, Asked)
        framing, permit = self.traffic.way_out(self.asked, readable_by(BOTH), CHATGPT)
        mode = Mode.WARM_JSON if framing is Framing.JSON_ONLY else Mode.EVENTS
        self.traffic.ended(_Ended(delivered, mode), permit, monotonic() - lasted)


def test_streams_that_break_raise_the_alarm_though_the_door_soon_stops_streaming() -> None:
    """Ours: the breaker opens at three of five, so most of an outage is answers that are not streamed."""
    day = _Day()
    for second in range(0, 120, 2):
        day.now = 7200.0 + second
        day.answer(delivered=False)

    assert [spike.label for spike in day.told] == ["chatgpt"]


def test_streams_that_the_client_ends_at_its_own_limit_raise_none() -> None:
    """The platform's 120 s are no broken stream (surface.CALL_LIMITS)."""
    day = _Day()
    for second in range(0, 600, 2):
        day.now = 7200.0 + second
        day.answer(delivered=False, lasted=LIMIT)

    assert day.told == []


def test_a_session_is_measured_when_it_ends(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry, semantic conventions for MCP: mcp.server.session.duration."""
    measured: list[str | None] = []
    monkeypatch.setattr(Meters, "session", lambda _, seconds, *, version: measured.append(version))

    class Sticky(Connector):
        name = "sticky"

        @tool(read_only=True)
        async def echo(self, text: str) -> str:
            """Answer."""
            return text

    url = serve(Sticky(store="memory:", sessions="sticky"))
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    session = post(url, request("initialize", client), headers(version=None)).headers["mcp-session-id"]
    said = headers(version="2025-06-18") | {"Mcp-Session-Id": session}
    assert post(url, call("echo", {"text": "x"}), said).status_code == 200
    assert measured == []
    assert httpx2.delete(f"{url}/mcp", headers=said).status_code < 400
    assert measured == ["2025-06-18"]
