"""One session, played step by step: fill, send, judge, keep what later steps need.

The only place where templates, the wire and the matchers meet. Which sessions are played, and when a target is
served, is decided elsewhere.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from time import monotonic
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit

import anyio

from ..credentials import PLACEHOLDER, clean, clean_header
from ..errors import CannotFill
from ..judging.matchers import Complaint, judge
from ..judging.operators import look_up
from ..judging.reply import Reply, read_reply
from ..notation.session import MISSING, Capture, FormBody, JsonBody, RawBody, Send, Session, Step
from ..notation.template import fill
from ..outcome import Ending, Finding, Received, Sent, StepRun
from .values import of_step, origin_of
from .wire import Request, Wire, encode

_Body: TypeAlias = JsonBody | RawBody | FormBody | None
_CONTENT_TYPES: Mapping[type, str] = {JsonBody: "application/json", FormBody: "application/x-www-form-urlencoded"}
_SHORTEST_SECRET = 8  # characters: a shorter configured value would be found in innocent text


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is the same for every session of a run."""

    wire: Wire
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    public_origin: str = ""
    follow: tuple[str, ...] = ()
    is_paced: bool = True
    is_traced: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """The configured values that must not reach a report."""
        words = [value.rpartition(" ")[2] for name, value in self.headers if clean_header(name, value) != value]
        return tuple(word for word in words if len(word) >= _SHORTEST_SECRET)


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
    _request_id: int = 0

    async def play(self) -> tuple[StepRun, ...]:
        """Play every step; return how each went."""
        self._request_id = self.random.randrange(1000)
        for step in self.session.steps:
            if self.ended:
                self._runs.append(StepRun(name=step.name, sent=None, received=None, skipped=self.ended))
            else:
                self._runs.append(await self._step(step))
        return tuple(self._runs)

    async def _step(self, step: Step) -> StepRun:
        self._request_id += 1
        self.values |= of_step(self._request_id, self.random)
        try:
            self._refuse_unless(step)
            request, trace_id = self._request(step)
        except _NotPlayed as left_out:
            self.ended = left_out.reason if left_out.ends else ""
            return StepRun(name=step.name, sent=None, received=None, skipped=left_out.reason, started=self._now())
        except CannotFill as missing:
            return self._unfillable(step, missing)
        if step.pause and self.setting.is_paced:
            await anyio.sleep(step.pause)
        started = self._now()
        received = await self.setting.wire.exchange(request)
        return self._judged(step, request, received, started, trace_id)

    def _judged(self, step: Step, request: Request, received: Received, started: float, trace_id: str) -> StepRun:
        reply = read_reply(received, request_id=_id_of(step, self.values))
        self._keep(step, reply)
        complaints = judge(step.expect, reply, self.values)
        if received.ending is Ending.UNREACHABLE:
            self.ended = "the target no longer answers"
        return StepRun(
            name=step.name,
            sent=self._recorded_request(request),
            received=self._recorded_reply(received),
            findings=tuple(self._finding(step, complaint) for complaint in complaints),
            started=started,
            trace_id=trace_id,
        )

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

    def _request(self, step: Step) -> tuple[Request, str]:
        send = step.send
        url = self._url(send)
        body = _filled_body(send.body, self.values)
        headers = self._headers(send, url, body)
        trace_id = ""
        if self.setting.is_traced and self._is_own(url):
            trace_id = f"{self.random.getrandbits(128) | 1:032x}"
            headers = (*headers, ("traceparent", f"00-{trace_id}-{self.random.getrandbits(64) | 1:016x}-01"))
        limit = step.limit if step.cut_after is None else max(step.limit, step.cut_after + 1)
        return Request(
            method=send.method, url=url, headers=headers, body=encode(body), cut_after=step.cut_after, limit=limit
        ), trace_id

    def _url(self, send: Send) -> str:
        path = str(fill(send.path, self.values))
        url = path if "://" in path else origin_of(self.setting.url) + path
        if self.setting.public_origin and origin_of(url) == self.setting.public_origin:
            url = origin_of(self.setting.url) + url.removeprefix(self.setting.public_origin)
        if not self._is_own(url) and origin_of(url) not in self.setting.follow:
            raise _NotPlayed(
                f"it leads to {origin_of(url)}, which is not the target; to play against it too, "
                f'write follow = ["{origin_of(url)}"] under [oauth] in ballast.toml',
                ends=True,
            )
        query = fill(send.query, self.values)
        return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(query)}" if query else url

    def _is_own(self, url: str) -> bool:
        return origin_of(url) == origin_of(self.setting.url)

    def _headers(self, send: Send, url: str, body: _Body) -> tuple[tuple[str, str], ...]:
        filled = fill(send.headers, self.values)
        names = {name.lower() for name in filled}
        configured = () if send.anonymous or not self._is_own(url) else self.setting.headers
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

    def _finding(self, step: Step, complaint: Complaint) -> Finding:
        return Finding(
            step=step.name,
            where=complaint.where,
            expected=self._withheld(complaint.expected),
            actual=self._withheld(complaint.actual),
            incidents=complaint.incidents or step.incidents or self.session.incidents,
            advice=complaint.advice or step.advice,
        )

    def _recorded_request(self, request: Request) -> Sent:
        body = "" if request.body is None else request.body.decode()
        headers = tuple((name, self._withheld(clean_header(name, value))) for name, value in request.headers)
        return Sent(method=request.method, url=self._withheld(request.url), headers=headers, body=self._withheld(body))

    def _recorded_reply(self, received: Received) -> Received:
        headers = tuple((name, self._withheld(clean_header(name, value))) for name, value in received.headers)
        return replace(received, headers=headers, body=self._withheld(received.body))

    def _withheld(self, text: str) -> str:
        for secret in self.setting.secrets:
            text = text.replace(secret, PLACEHOLDER)
        return clean(text)


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
