"""One replay as it could have happened: what holds, what breaks, what was not checked, with heartbeats and spans."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from contract_tests.outcome import (
    Chunk,
    Difference,
    Ending,
    Fate,
    Finding,
    MutantRun,
    MutationRun,
    Received,
    RuleRun,
    Run,
    Sent,
    SessionRun,
    Span,
    StepRun,
    Verdict,
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
URL = "http://127.0.0.1:8123/mcp"
EPOCH = 1_795_248_000_000_000_000


def sent(body: str, *, method: str = "POST") -> Sent:
    headers = (
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("User-Agent", "openai-mcp/1.0.0 (ChatGPT)"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Authorization", "Bearer <access token A>"),
    )
    return Sent(method=method, url=URL, headers=headers, body=body)


def rpc(method: str, identity: object, **params: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": identity, "method": method, "params": params}, separators=(",", ":"))


def answered(body: str, *, status: int = 200, media_type: str = "application/json", after: float) -> Received:
    size = len(body.encode(errors="surrogatepass"))
    return Received(
        status=status,
        headers=(("content-type", media_type), ("content-length", str(size))),
        body=body,
        chunks=(Chunk(at=after, size=size),) if size else (),
        ending=Ending.COMPLETE,
        duration=after + 0.0004,
        first_byte=after,
    )


def discovered() -> StepRun:
    result = {
        "resultType": "complete",
        "supportedVersions": ["2026-07-28", "2025-11-25"],
        "capabilities": {"tools": {}},
        "instructions": "Search and read the documentation of Python's standard library.",
    }
    body = json.dumps({"jsonrpc": "2.0", "id": "openai-mcp-discover", "result": result}, separators=(",", ":"))
    question = rpc(
        "server/discover", "openai-mcp-discover", _meta={"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
    )
    return StepRun(name="discover", sent=sent(question), received=answered(body, after=0.0083), started=0.0)


def listed(started: float) -> StepRun:
    tools = [
        {
            "name": f"tool_{number}",
            "description": "Looks something up, and says so at length. " * 3,
            "inputSchema": {"type": "object", "properties": {"query": {"type": "string"}}},
        }
        for number in range(40)
    ]
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools}}, separators=(",", ":"))
    return StepRun(
        name="list the tools", sent=sent(rpc("tools/list", 1)), received=answered(body, after=0.0121), started=started
    )


def streamed() -> Received:
    """Fifteen seconds of an event stream: a heartbeat every five, then the result in two pieces."""
    message = json.dumps(
        {"jsonrpc": "2.0", "id": 2, "result": {"content": [{"type": "text", "text": "found 3 pages"}]}}
    )
    return Received(
        status=200,
        headers=(("content-type", "text/event-stream"), ("cache-control", "no-cache, no-transform")),
        body=f": beat\n\n: beat\n\nevent: message\ndata: {message}\n\n",
        chunks=(
            Chunk(at=1.002, size=8, is_heartbeat=True),
            Chunk(at=6.004, size=8, is_heartbeat=True),
            Chunk(at=12.9, size=60),
            Chunk(at=13.4, size=len(message)),
        ),
        ending=Ending.COMPLETE,
        duration=13.41,
        first_byte=1.002,
        longest_gap=6.896,
    )


def spans() -> tuple[Span, ...]:
    def span(number: int, parent: int, name: str, start: float, end: float, **more: object) -> Span:
        return Span(
            trace_id=TRACE,
            span_id=f"{number:016x}",
            parent_id=f"{parent:016x}" if parent else "00f067aa0ba902b7",
            name=name,
            kind=str(more.get("kind", "internal")),
            started_ns=EPOCH + round(start * 1e9),
            ended_ns=EPOCH + round(end * 1e9),
            status=str(more.get("status", "unset")),
            status_message=str(more.get("message", "")),
            attributes=tuple(more.get("attributes", ())),  # type: ignore[arg-type]
            service="pydocs",
            events=(("first byte", EPOCH + round((start + 1.0) * 1e9)),) if number == 1 else (),
            links=("0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",) if number == 1 else (),
        )

    call = (
        ("mcp.method.name", "tools/call"),
        ("gen_ai.tool.name", "search"),
        ("mcp.protocol.version", "2026-07-28"),
        ("network.transport", "tcp"),
        ("ballast.idempotency.outcome", "executed"),
    )
    return (
        span(3, 2, "SELECT pages", 0.4, 12.6, kind="client", attributes=(("db.system.name", "sqlite"),)),
        span(4, 2, "rank", 12.6, 12.61, status="error", message="no weights", attributes=(("error.type", "KeyError"),)),
        span(2, 1, "search index", 0.3, 12.8),
        span(1, 0, "tools/call search", 0.001, 13.4, kind="server", attributes=call),
    )


def session(identity: str, title: str, verdict: Verdict, *steps: StepRun, **more: object) -> SessionRun:
    return SessionRun(
        id=identity,
        title=title,
        host="chatgpt",
        surface=str(more.get("surface", "connector")),
        provenance=str(more.get("provenance", "observed")),
        seen=date(2026, 9, 29),
        expires=date(2026, 10, 1) if more.get("expired") else date(2027, 3, 29),
        is_expired=bool(more.get("expired", False)),
        incidents=("openai/t1379834", "kagura-ai/memory-cloud#1544"),
        verdict=verdict,
        steps=steps,
        reason=str(more.get("reason", "")),
        duration=max((step.started + step.received.duration for step in steps if step.received), default=0.0),
    )


def broken() -> SessionRun:
    wrong = Finding(
        step="initialize",
        where="status",
        expected="200",
        actual="404",
        incidents=("openai/t1379834",),
        advice="Answer initialize at the connector's own path; ChatGPT falls back to it when discovery fails.",
    )
    shape = Finding(
        step="initialize",
        where="body $.error.code",
        expected="no error",
        actual="-32601",
        incidents=("kagura-ai/memory-cloud#1544", "openai/t1379834"),
    )
    body = '{"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"Method not found"}}'
    asked = rpc(
        "initialize",
        0,
        protocolVersion="2025-11-25",
        capabilities={},
        clientInfo={"name": "openai-mcp", "version": "1.0.0"},
    )
    steps = (
        discovered(),
        StepRun(
            name="initialize",
            sent=sent(asked),
            received=answered(body, status=404, after=0.0031),
            findings=(wrong, shape),
            started=0.011,
        ),
        StepRun(name="list the tools", sent=None, received=None, skipped="there is no session to list them in"),
    )
    return session("chatgpt-legacy-fallback", "Falling back to a legacy handshake", Verdict.FAILED, *steps)


@pytest.fixture
def run() -> Run:
    """Three sessions that hold, one that breaks, one that was not checked."""
    called = StepRun(
        name="call a tool",
        sent=sent(rpc("tools/call", 2, name="search", arguments={"query": "event loop"})),
        received=streamed(),
        started=0.031,
        trace_id=TRACE,
        spans=spans(),
    )
    return Run(
        target="examples/pydocs.py",
        url=URL,
        started=datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC),
        duration=17.25,
        version="0.1.0",
        sessions=(
            session("chatgpt-create-modern", "Creating a connector", Verdict.PASSED, discovered(), listed(0.012)),
            session(
                "chatgpt-slow-call", "A call that takes its time", Verdict.PASSED, discovered(), listed(0.012), called
            ),
            session(
                "chatgpt-retired-probe",
                "A probe without a method",
                Verdict.PASSED,
                discovered(),
                provenance="inferred",
                expired=True,
            ),
            broken(),
            session(
                "chatgpt-write-twice",
                "The same write, twice",
                Verdict.NOT_CHECKED,
                surface="model",
                reason="the target has no tool that writes",
            ),
        ),
        notes=("2 sessions of this corpus need an OAuth target and were left out",),
    )


def contract(number: str, title: str, verdict: Verdict, *steps: StepRun, reason: str = "") -> SessionRun:
    """A numbered contract as it was checked."""
    return replace(
        session(number, title, verdict, *steps, surface="mcp", provenance="documented", reason=reason),
        host="any",
        incidents=("O-16", number),
        severity="serious",
    )


@pytest.fixture
def contracted(run: Run) -> Run:
    """The run with contracts: one broken, one held but for a part, two not checked, one shown by a session."""
    finding = Finding(
        step='id "x"', where="status", expected="status 200", actual="status 400", incidents=("O-16", "CT-12"),
        advice="Take every id that JSON-RPC allows.",
    )  # fmt: skip
    refused = StepRun(
        name='id "x"',
        sent=sent(rpc("ping", "x")),
        received=answered("{}", status=400, after=0.002),
        findings=(finding,),
    )
    waiting = StepRun(name="a call after 30 s of silence", sent=None, received=None,
                      skipped="it must really be waited for: add --slow")  # fmt: skip
    workers = 'it takes two processes of the server: [target] workers = ["http://...", "http://..."]'
    return replace(
        run,
        sessions=(
            *run.sessions,
            session("legacy-2025-03-26", "A client of 2025-03-26", Verdict.PASSED, discovered(), provenance="inferred"),
            contract("CT-12", "Every legal id is answered with the same id", Verdict.FAILED, discovered(), refused),
            contract("CT-42", "A client that answers no pings is served", Verdict.PASSED, discovered(), waiting),
            contract("CT-30", "Requests may reach any process", Verdict.NOT_CHECKED, reason=workers),
            contract("CT-29", "Clients outlive a restart", Verdict.NOT_CHECKED,
                     reason="the target asks for no authorization"),
        ),
    )  # fmt: skip


@pytest.fixture
def mutations() -> MutationRun:
    """One kind of platform change, under which two sessions break: one of them twice, alike."""
    change = Difference(
        step="discover", part="body", pointer="/params/_meta/x", kind="added", value='string "new"', position="here"
    )
    finding = Finding(step="discover", where="status", expected="status 200", actual="status 400")
    step = StepRun(name="discover", sent=None, received=None, findings=(finding,))
    rule = RuleRun(
        id="unknown-member-meta", title="A member nobody knows", stands_for="The platform adds one.", source="it did",
        expected="to be ignored", incidents=("S-01", "CT-09"), advice="Ignore what you do not know.",
        survived=5, broke=3, not_tried=0, not_applicable=1,
    )  # fmt: skip

    def broke(session: str, *differences: Difference) -> MutantRun:
        return MutantRun(
            rule=rule.id, session=session, fate=Fate.BROKE, differences=differences, steps=(step,), plays=4
        )

    mutants = (
        broke("chatgpt-create-modern", change),
        broke("chatgpt-create-modern", change),
        broke("chatgpt-retired-probe", change),
        MutantRun(rule=rule.id, session="chatgpt-slow-call", fate=Fate.SURVIVED, differences=(), plays=1),
    )
    return MutationRun(
        seed=1, budget=0, derived=8, duration=1.0, sessions=("chatgpt-create-modern", "chatgpt-retired-probe"),
        rules=(rule,), mutants=mutants,
    )  # fmt: skip


@pytest.fixture
def hostile() -> Received:
    """A reply that tries to be more than text, in every way a report could fall for, and is long."""
    body = (
        "</script><script>alert(1)</script><img src=x onerror=alert(2)></pre></details>{{ 7*7 }}{% raw %}"
        "[bold red]markup[/bold red]]]><!--\x00\x08\x1b[2J\x1b]0;title\x07\r\n\x85\ud800-\udfff\u202e\u2028\ufeff\uffff"
    )
    return Received(
        status=599,
        headers=(("content-type", 'text/html; x="</style>'), ("x-\x1b[2J", "\r\nset: \ud800")),
        body=body + "A" * 3_000_000,
        chunks=tuple(Chunk(at=number / 2e3, size=30, is_heartbeat=number % 3 == 0) for number in range(20_000)),
        ending=Ending.BROKEN,
        duration=10.0,
        first_byte=0.0,
        trouble="\x1b[31mreset by peer</div>",
    )
