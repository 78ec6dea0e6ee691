"""One session, played step by step: fill, send, judge, keep what later steps need.

The only place where templates, the wire and the matchers meet. Which sessions are played, and when a target is
served, is decided elsewhere.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit

import anyio

from ..credentials import clean_header
from ..errors import CannotFill
from ..judging.matchers import Complaint, judge
from ..judging.operators import look_up
from ..judging.reply import Reply, read_reply
from ..notation.session import MISSING, Capture, FormBody, JsonBody, RawBody, Send, Session, Step
from ..notation.template import fill, variables
from ..outcome import Ending, Finding, Received, Sent, StepRun
from .client_documents import ClientDocuments
from .recording import SHORTEST_SECRET, recorded_reply, recorded_request, secrets_among, withheld
from .redirects import Exchange, follow
from .territory import LeadsElsewhere, Territory
from .values import of_step, origin_of
from .wire import Request, Wire, encode

_Body: TypeAlias = JsonBody | RawBody | FormBody | None
_Prepared: TypeAlias = tuple[Request, str, Mapping[str, Any]]
"""A request, the trace it belongs to, and the values it was filled with."""

_CONTENT_TYPES: Mapping[type, str] = {JsonBody: "application/json", FormBody: "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is the same for every session of a run."""

    wire: Wire
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    public_origin: str = ""
    follow: tuple[str, ...] = ()
    documents: ClientDocuments | None = None
    judged_apart: frozenset[str] = frozenset()
    """Sessions of this run: what others take over from them is played there and judged once, here."""
    is_paced: bool = True
    is_slow: bool = False
    is_traced: bool = False

    @property
    def territory(self) -> Territory:
        """Where requests may go."""
        return Territory(url=self.url, public_origin=self.public_origin, follow=self.follow)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The configured values that must not reach a report."""
        words = [value.rpartition(" ")[2] for name, value in self.headers if clean_header(name, value) != value]
        return tuple(word for word in words if len(word) >= SHORTEST_SECRET)


class _NotPlayed(Exception):
    """A step is left out, and maybe the rest of the session."""

    def __init__(self, reason: str, *, ends: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ends = ends


@dataclass(slots=True, kw_only=True)
class Dialogue:
    """A session in progress. `ended` says why it could not be checked to its end, if so."""

    session: Session
    setting: Setting
    values: dict[str, Any]
    random: Random
    started: float = field(default_factory=monotonic)
    ended: str = ""
    _cut: set[str] = field(default_factory=set)
    _runs: list[StepRun] = field(default_factory=list)
    _signed: list[str] = field(default_factory=list)
    _request_id: int = 0

    async def play(self) -> tuple[StepRun, ...]:
        """Play every step; return how each went."""
        self._request_id = self.random.randrange(1000)
        for step in self.session.steps:
            if self.ended:
                self._runs.append(StepRun(name=step.name, sent=None, received=None, skipped=self.ended))
            else:
                self._runs += await self._step(step)
        return tuple(self._runs)

    async def _step(self, step: Step) -> list[StepRun]:
        self._request_id += 1
        self.values |= of_step(self._request_id, self.random)
        try:
            self._refuse_unless(step)
            await self._idle(step)
            requests = [self._request(step, values) for values in self._each(step)]
        except _NotPlayed as left_out:
            self.ended = left_out.reason if left_out.ends else ""
            return [StepRun(name=step.name, sent=None, received=None, skipped=left_out.reason, started=self._now())]
        except CannotFill as missing:
            return [self._unfillable(step, missing)]
        if step.pause and self.setting.is_paced:
            await anyio.sleep(step.pause)
        started = self._now()
        if len(requests) == 1 and step.parallel == 1:
            return await self._alone(step, requests[0], started)
        return await self._at_once(step, requests, started)

    async def _alone(self, step: Step, prepared: _Prepared, started: float) -> list[StepRun]:
        """One request, and the redirects it leads to if they are to be followed."""
        request, trace_id, values = prepared
        exchanges: list[Exchange] = [(request, await self.setting.wire.exchange(request))]
        if step.follow_until:
            until = str(fill(step.follow_until, values))
            exchanges = await follow(
                exchanges[0], until=until, wire=self.setting.wire, territory=self.setting.territory
            )
        runs = [
            StepRun(name=_hop(step, number), sent=self._sent(asked), received=self._received(came), started=started)
            for number, (asked, came) in enumerate(exchanges[:-1])
        ]
        asked, came = exchanges[-1]
        name = _hop(step, len(exchanges) - 1)
        return [*runs, self._judged(step, (asked, trace_id, values), came, started, name)]

    async def _at_once(self, step: Step, requests: Sequence[_Prepared], started: float) -> list[StepRun]:
        """Every request at the same time; what is captured is kept of each, in the order of the requests."""
        replies: dict[int, Received] = {}

        async def ask(number: int, request: Request) -> None:
            replies[number] = await self.setting.wire.exchange(request)

        async with anyio.create_task_group() as group:
            for number, (request, _, _) in enumerate(requests):
                group.start_soon(ask, number, request)
        runs: list[StepRun] = []
        kept: dict[str, list[Any]] = {capture.name: [] for capture in step.captures}
        for number, prepared in enumerate(requests):
            name = f"{step.name} ({number + 1} of {len(requests)})"
            for capture in step.captures:
                self.values.pop(capture.name, None)
            runs.append(self._judged(step, prepared, replies[number], started, name))
            for capture in step.captures:
                kept[capture.name] += [self.values[capture.name]] if capture.name in self.values else []
        self.values |= {f"{name}.all": found for name, found in kept.items() if found}
        return runs

    def _judged(self, step: Step, prepared: _Prepared, received: Received, started: float, name: str) -> StepRun:
        request, trace_id, values = prepared
        reply = read_reply(received, request_id=_id_of(step, values))
        self._keep(step, reply)
        is_judged = step.opening not in self.setting.judged_apart
        complaints = judge(step.expect, reply, {**self.values, **values}) if is_judged else []
        if received.ending is Ending.UNREACHABLE:
            self.ended = "the target no longer answers"
        if complaints and "code" not in reply.redirect() and self._is_document_unread(step):
            self.ended = (
                f"the authorization server answered {received.status} without having asked for the client document at "
                "an address of this machine: publish the documents where it can read them (docs/sessions.md) and "
                'write client_documents = "https://..." under [oauth] in ballast.toml'
            )
            complaints = []
        return StepRun(
            name=name,
            sent=self._sent(request),
            received=self._received(received),
            findings=tuple(self._finding(step, complaint, name) for complaint in complaints),
            started=started,
            trace_id=trace_id,
        )

    def _is_document_unread(self, step: Step) -> bool:
        """Whether what was refused is an address that nobody looked at."""
        documents = self.setting.documents
        named = {name for text in step.send.query.values() for name, _ in variables(str(text))}
        return "document.url" in named and documents is not None and documents.was_ignored(self.session.id)

    async def _idle(self, step: Step) -> None:
        """Let time pass that has to pass for real.

        Raises:
            _NotPlayed: nobody asked for it.
        """
        seconds = float(fill(step.idle, self.values)) if step.idle else 0.0
        if seconds and not self.setting.is_slow:
            raise _NotPlayed(f"{seconds:g} s have to pass before it: run with --slow", ends=True)
        await anyio.sleep(seconds)

    def _each(self, step: Step) -> list[dict[str, Any]]:
        """The values of every request of a step: one, or several that are made at once."""
        own = dict(self.values)
        for name, claims in step.signs.items():
            if self.setting.documents is None:
                raise CannotFill(name)
            own[name] = self.setting.documents.sign(fill(claims, own))
            self._signed.append(own[name])
        if isinstance(step.parallel, int):
            return [own] * step.parallel
        ((name, items),) = step.parallel.items()
        return [{**own, name: item} for item in fill(items, own)]

    def _now(self) -> float:
        return monotonic() - self.started

    def _refuse_unless(self, step: Step) -> None:
        when = step.when
        reason = ""
        if any(name not in self.values for name in when.known):
            reason = when.otherwise or f"no value for {', '.join(n for n in when.known if n not in self.values)}"
        elif any(name in self.values for name in when.unknown):
            reason = when.otherwise or f"{', '.join(n for n in when.unknown if n in self.values)} is known already"
        elif when.cut and when.cut not in self._cut:
            reason = when.otherwise or f"{when.cut} was answered in time"
        if reason:
            raise _NotPlayed(reason, ends=when.ends)

    def _unfillable(self, step: Step, missing: CannotFill) -> StepRun:
        """A step that lacks a value: broken by an earlier finding, or else a finding itself."""
        reason = f"it needs ${{{missing.name}}}, which no earlier step gave"
        where = f"${{{missing.name}}}"
        complaint = Complaint(where=where, expected="a value from an earlier reply", actual="none was there")
        was_found = any(run.findings for run in self._runs)
        return StepRun(
            name=step.name,
            sent=None,
            received=None,
            skipped=reason,
            findings=() if was_found else (self._finding(step, complaint),),
            started=self._now(),
        )

    def _request(self, step: Step, values: Mapping[str, Any]) -> _Prepared:
        send = step.send
        url = self._url(send, values)
        body = _filled_body(send.body, values)
        headers = self._headers(send, url, body, values)
        trace_id = ""
        if self.setting.is_traced and self.setting.territory.is_own(url):
            trace_id = f"{self.random.getrandbits(128) | 1:032x}"
            headers = (*headers, ("traceparent", f"00-{trace_id}-{self.random.getrandbits(64) | 1:016x}-01"))
        limit = step.limit if step.cut_after is None else max(step.limit, step.cut_after + 1)
        request = Request(
            method=send.method,
            url=url,
            headers=headers,
            body=encode(body),
            cut_after=step.cut_after,
            limit=limit,
            send_over=step.send_over,
        )
        return request, trace_id, values

    def _url(self, send: Send, values: Mapping[str, Any]) -> str:
        try:
            url = self.setting.territory.address(str(fill(send.path, values)))
        except LeadsElsewhere as outside:
            raise _NotPlayed(str(outside), ends=True) from outside
        query = fill(send.query, values)
        return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(query)}" if query else url

    def _headers(self, send: Send, url: str, body: _Body, values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        filled = fill(send.headers, values)
        names = {name.lower() for name in filled}
        configured = () if send.anonymous or not self.setting.territory.is_own(url) else self.setting.headers
        headers = [(name, value) for name, value in configured if name.lower() not in names]
        headers += [(name, str(value)) for name, value in filled.items()]
        if type(body) in _CONTENT_TYPES and "content-type" not in names:
            headers.append(("Content-Type", _CONTENT_TYPES[type(body)]))
        return tuple(headers)

    def _keep(self, step: Step, reply: Reply) -> None:
        if reply.ending is Ending.CUT_BY_CLIENT:
            self._cut.add(step.name)
        for capture in step.captures:
            value = _captured(capture, reply)
            if value is MISSING or value is None:
                value = capture.default if reply.ending is Ending.COMPLETE else MISSING
            if value is MISSING:
                continue
            self.values[capture.name] = value
            if capture.is_url:
                self.values[f"{capture.name}.origin"] = origin_of(str(value))
                self.values[f"{capture.name}.path"] = urlsplit(str(value)).path.rstrip("/")

    def _finding(self, step: Step, complaint: Complaint, name: str = "") -> Finding:
        return Finding(
            step=name or step.name,
            where=complaint.where,
            expected=withheld(complaint.expected, self._secrets),
            actual=withheld(complaint.actual, self._secrets),
            incidents=complaint.incidents or step.incidents or self.session.incidents,
            advice=complaint.advice or step.advice,
        )

    @property
    def _secrets(self) -> tuple[str, ...]:
        return (*self.setting.secrets, *self._signed, *secrets_among(self.values))

    def _sent(self, request: Request) -> Sent:
        return recorded_request(request, self._secrets)

    def _received(self, received: Received) -> Received:
        return recorded_reply(received, self._secrets)


def _hop(step: Step, number: int) -> str:
    return f"{step.name}, redirect {number}" if number else step.name


def _filled_body(body: _Body, values: Mapping[str, Any]) -> _Body:
    match body:
        case None:
            return None
        case JsonBody(value=value):
            return JsonBody(value=fill(value, values))
        case RawBody(text=text):
            return RawBody(text=str(fill(text, values)))
        case FormBody(fields=fields):
            return FormBody(fields=fill(fields, values))


def _id_of(step: Step, values: Mapping[str, Any]) -> Any:
    body = step.send.body
    if isinstance(body, JsonBody) and isinstance(body.value, dict) and "id" in body.value:
        return fill(body.value["id"], values)
    return MISSING


def _captured(capture: Capture, reply: Reply) -> Any:
    value: Any
    match capture.source:
        case "json":
            value = look_up(reply.message, capture.at)
        case "header":
            value = reply.header(str(capture.at[0]))
        case _:
            value = reply.redirect().get(str(capture.at[0]))
    if capture.join is not None and isinstance(value, list):
        value = capture.join.join(map(str, value)) or None
    if not capture.pattern or value is MISSING or value is None:
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    found = re.search(capture.pattern, text)
    return found[1 if found.re.groups else 0] if found else None
