"""Checking one contract against one target; the result has the form of a session's, so that reports know one form."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from time import monotonic

from ..login.signing_in import Login
from ..offer.catalogue import Catalogue
from ..outcome import SessionRun, StepRun, Verdict
from ..replay.needs import why_no_oauth, why_unmet
from ..replay.territory import LeadsElsewhere
from ..replay.values import is_loopback
from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry
from .means import Means


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """Checks contracts. `named` are the ids the user asked for: only those may leave something behind elsewhere."""

    login: Login
    catalogue: Catalogue
    today: date
    named: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    means: Means = field(default_factory=Means)
    restart: Callable[[], None] | None = None

    async def check(self, contract: Contract) -> SessionRun:
        """Check a contract; what cannot be checked says why."""
        since = monotonic()
        inquiry = Inquiry(
            login=self.login,
            incidents=contract.incidents,
            advice=contract.advice,
            headers=self.headers,
            catalogue=self.catalogue,
            means=self.means,
            restart=self.restart,
        )
        reason = self._why_not(contract)
        if not reason:
            try:
                await contract.ask(inquiry)
            except (CannotBeChecked, LeadsElsewhere) as problem:
                reason = str(problem)
        return _concluded(contract, inquiry, reason, self.today, monotonic() - since)

    def _why_not(self, contract: Contract) -> str:
        if contract.surface == "oauth" and (reason := why_no_oauth(self.catalogue)):
            return reason
        if reason := why_unmet(contract.needs, self.catalogue):
            return reason
        is_meant = contract.id in self.named or self.means.is_destructive
        if contract.is_destructive and not is_meant:
            return f"it may do harm: ask for it with --only {contract.id}, or write destructive = true under [checks]"
        if contract.residue and not is_loopback(self.login.url) and contract.id not in self.named:
            return f"it leaves {contract.residue} behind: name it with --only {contract.id} if that may be"
        return ""


def _concluded(contract: Contract, inquiry: Inquiry, reason: str, today: date, duration: float) -> SessionRun:
    if any(step.findings for step in inquiry.steps):
        verdict = Verdict.FAILED
    else:
        verdict = Verdict.PASSED if inquiry.has_asked and not reason else Verdict.NOT_CHECKED
    return SessionRun(
        id=contract.id,
        title=contract.title,
        host=contract.host,
        surface=contract.surface,
        provenance="documented",
        seen=contract.seen,
        expires=contract.expires,
        is_expired=contract.is_expired(today),
        incidents=contract.incidents,
        verdict=verdict,
        steps=tuple(inquiry.steps),
        reason=reason or _untold(inquiry.steps) if verdict is Verdict.NOT_CHECKED else reason,
        duration=duration,
        severity=contract.severity,
    )


def _untold(steps: list[StepRun]) -> str:
    return next((step.skipped for step in steps if step.skipped), "nothing of it applied")
