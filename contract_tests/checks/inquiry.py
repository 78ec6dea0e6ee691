"""`Inquiry`: what the function of a contract may use, and what it leaves: exchanges with findings.

Every request it sends is recorded as a step, without credentials; a session's own matchers judge the replies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

from ..judging.matchers import Complaint, judge
from ..judging.reply import Reply, read_reply
from ..login.agent import Agent
from ..login.discovery import Endpoints
from ..login.signing_in import Grant, Login, NoGrant
from ..notation.reading import to_expect
from ..offer.catalogue import CallableTool, Catalogue
from ..outcome import Finding, Received, StepRun
from ..replay.recording import SHORTEST_SECRET, recorded_reply, recorded_request, withheld
from ..replay.redirects import Exchange
from ..replay.wire import Request, Wire
from .means import Means

_ENOUGH = 5
"""Steps with findings after which a check may stop: more of the same teach nobody anything."""


class CannotBeChecked(Exception):
    """The contract says nothing about this target; the text is the reason."""


@dataclass(slots=True, kw_only=True)
class Inquiry:
    """One contract being checked against one target."""

    login: Login
    incidents: tuple[str, ...]
    advice: str
    headers: tuple[tuple[str, str], ...] = ()
    """What lets requests in; they go with everything a `Speech` says."""
    catalogue: Catalogue = field(default_factory=Catalogue)
    means: Means = field(default_factory=Means)
    restart: Callable[[], None] | None = None
    """Kills the target and starts it again; returns when it answers."""
    steps: list[StepRun] = field(default_factory=list)
    _secrets: list[str] = field(default_factory=list)
    _since: float = field(default_factory=monotonic)
    _asked: int = 0

    @property
    def agent(self) -> Agent:
        """Who sends."""
        return self.login.agent

    @property
    def url(self) -> str:
        """The target's address."""
        return self.login.url

    def tool(self) -> CallableTool:
        """The tool for ordinary calls.

        Raises:
            CannotBeChecked: there is none.
        """
        found = self.catalogue.tool()
        if isinstance(found, str):
            raise CannotBeChecked(found)
        return found

    async def look(self, request: Request) -> Reply:
        """Send a request without recording or judging it: what a check needs on its way."""
        return read_reply(await self.agent.wire.exchange(request))

    async def endpoints(self) -> Endpoints:
        """Where tokens come from.

        Raises:
            CannotBeChecked: nowhere.
        """
        try:
            return await self.login.endpoints()
        except NoGrant as problem:
            raise CannotBeChecked(str(problem)) from problem

    async def grant(self) -> Grant:
        """A new grant, by whichever way is open.

        Raises:
            CannotBeChecked: none is.
        """
        try:
            grant = await self.login.sign_in()
        except NoGrant as problem:
            raise CannotBeChecked(str(problem)) from problem
        self.keep_secret(grant.access_token, grant.refresh_token, grant.client.secret)
        return grant

    def keep_secret(self, *texts: str) -> None:
        """Keep texts out of everything that is recorded from now on."""
        self._secrets += [text for text in texts if len(text) >= SHORTEST_SECRET]

    async def ask(self, name: str, request: Request, expect: Mapping[str, Any], **more: Any) -> Reply:
        """Send a request and judge the reply; `expect` is written as in a session file.

        Args:
            name: What the step is called.
            request: What is sent.
            expect: What must hold.
            more: `until` (follow redirects up to this address), `incidents` and `advice` where they are not the
                contract's, `values` for variables in `expect`, `quiet` (record the step only if it has findings),
                `wire` (connections of its own).
        """
        started = monotonic() - self._since
        exchanges = await self._exchanges(request, more.get("until", ""), more.get("wire") or self.agent.wire)
        asked, came = exchanges[-1]
        reply = read_reply(came)
        self._note_credentials(reply)
        findings = [
            Finding(
                step=name,
                where=complaint.where,
                expected=withheld(complaint.expected, self._secrets),
                actual=withheld(complaint.actual, self._secrets),
                incidents=complaint.incidents or more.get("incidents") or self.incidents,
                advice=complaint.advice or more.get("advice") or self.advice,
            )
            for complaint in judge(to_expect(expect), reply, more.get("values") or {})
        ]
        self._asked += 1
        if findings or not more.get("quiet"):
            self._record(name, asked, came, findings, started)
        return reply

    def find(self, reason: Complaint, *, step: str, **more: Any) -> None:
        """Add a step of its own with one finding: for what several replies show together."""
        finding = Finding(
            step=step,
            where=reason.where,
            expected=reason.expected,
            actual=withheld(reason.actual, self._secrets),
            incidents=reason.incidents or more.get("incidents") or self.incidents,
            advice=reason.advice or more.get("advice") or self.advice,
        )
        since = monotonic() - self._since
        self.steps.append(StepRun(name=step, sent=None, received=None, findings=(finding,), started=since))

    def tally(self) -> None:
        """Count something as asked that was judged elsewhere."""
        self._asked += 1

    def complain(self, *, where: str, expected: str, actual: str, advice: str, incidents: tuple[str, ...]) -> None:
        """Add a finding to the last step: for what no expectation can say."""
        last = self.steps[-1]
        finding = Finding(
            step=last.name,
            where=where,
            expected=expected,
            actual=withheld(actual, self._secrets),
            incidents=incidents,
            advice=advice,
        )
        self.steps[-1] = replace(last, findings=(*last.findings, finding))

    def skip(self, name: str, reason: str) -> None:
        """Record a part that could not be checked."""
        self.steps.append(StepRun(name=name, sent=None, received=None, skipped=reason))

    @property
    def has_asked(self) -> bool:
        """Whether anything was judged at all."""
        return self._asked > 0

    @property
    def has_enough(self) -> bool:
        """Whether there are so many findings that a check may stop."""
        return sum(bool(step.findings) for step in self.steps) >= _ENOUGH

    async def _exchanges(self, request: Request, until: str, wire: Wire) -> Sequence[Exchange]:
        if until:
            return await self.agent.browse(request, until=until)
        return [(request, await wire.exchange(request))]

    def _note_credentials(self, reply: Reply) -> None:
        found = reply.message if isinstance(reply.message, dict) else {}
        names = ("access_token", "refresh_token", "client_secret", "registration_access_token", "id_token")
        self.keep_secret(*(str(found[name]) for name in names if isinstance(found.get(name), str)))
        self.keep_secret(reply.redirect().get("code", ""))

    def _record(
        self, name: str, request: Request, received: Received, findings: Sequence[Finding], started: float
    ) -> None:
        self.steps.append(
            StepRun(
                name=name,
                sent=recorded_request(request, self._secrets),
                received=recorded_reply(received, self._secrets),
                findings=tuple(findings),
                started=started,
            )
        )
