"""What in a run is a credential, and the run without any.

The last line of defence before a report: whoever records an exchange should have put placeholders in already,
and those stay as they are. Works on names and forms alone; knows no store of secrets to compare with.
"""

import re
from dataclasses import replace

from .outcome import Finding, MutantRun, MutationRun, Received, Run, Sent, SessionRun, Span, StepRun

PLACEHOLDER = "<withheld>"

_SECRET_HEADER = re.compile(r"authorization|cookie|api-?key|token|secret|password|assertion", re.IGNORECASE)
_ALREADY_A_PLACEHOLDER = re.compile(r"(?:[\w-]+ )?(?:\S+=)?<[^<>]*>")

_WITHHELD_MEMBERS = (
    "access_token|refresh_token|id_token|client_secret|client_assertion|code_verifier|registration_access_token"
    "|subject_token|actor_token|device_code|api_?key|password|passwd"
)

# The quote may be escaped any number of times: MCP results carry JSON in text inside JSON. A value that the
# recording cut off has no closing quote, so the end of the text closes it too.
_JSON_MEMBER = re.compile(
    rf'(?P<quote>\\*")(?P<name>{_WITHHELD_MEMBERS})(?P=quote)(?P<colon>\s*:\s*)(?P=quote)'
    r"(?!<)(?P<value>.*?)(?:(?<!\\)(?P=quote)|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_FORM_MEMBER = re.compile(rf"(?P<before>(?:\A|[?&\s;#]))(?P<name>{_WITHHELD_MEMBERS})=(?!<)[^&\s\"'#;]+", re.IGNORECASE)
# `code` is secret in a query or a form only: elsewhere it is the name of innocent things (currencies, errors).
_CODE = re.compile(r"(?P<before>(?:\A|[?&]))(?P<name>code|assertion)=(?!<)[^&\s\"'#;]+")
# A digit or twenty characters tell a token from the next word of a sentence or of a challenge.
_BEARER = re.compile(r"\b(?P<scheme>(?i:Bearer|DPoP|Basic)) +(?=[\w.~+/-]*\d|[\w.~+/-]{20})[\w.~+/-]{8,}=*")
_USER_INFO = re.compile(r"(?<=://)[^/\s@\"'<>]+@")


def without_credentials(run: Run) -> Run:
    """The run with every credential replaced by `PLACEHOLDER`: in requests, replies, findings and spans."""
    return replace(
        run,
        url=clean(run.url),
        target=clean(run.target),
        sessions=tuple(_session(session) for session in run.sessions),
        notes=tuple(clean(note) for note in run.notes),
        mutations=run.mutations and _mutations(run.mutations),
    )


def clean(text: str) -> str:
    """Text, a body or a URL, with the credentials in it replaced."""
    text = _JSON_MEMBER.sub(rf"\g<quote>\g<name>\g<quote>\g<colon>\g<quote>{PLACEHOLDER}\g<quote>", text)
    text = _FORM_MEMBER.sub(rf"\g<before>\g<name>={PLACEHOLDER}", text)
    text = _CODE.sub(rf"\g<before>\g<name>={PLACEHOLDER}", text)
    text = _BEARER.sub(rf"\g<scheme> {PLACEHOLDER}", text)
    return _USER_INFO.sub(f"{PLACEHOLDER}@", text)


def clean_header(name: str, value: str) -> str:
    """A header's value, withheld if the name says it is a credential; an authorization keeps its scheme."""
    if not _SECRET_HEADER.search(name) or _ALREADY_A_PLACEHOLDER.fullmatch(value):
        return clean(value)
    scheme, space, _ = value.partition(" ")
    keeps_scheme = "authorization" in name.lower() and space and scheme.isalpha()
    return f"{scheme} {PLACEHOLDER}" if keeps_scheme else PLACEHOLDER


def _session(session: SessionRun) -> SessionRun:
    steps = tuple(_step(step) for step in session.steps)
    return replace(session, steps=steps, reason=clean(session.reason))


def _mutations(mutations: MutationRun) -> MutationRun:
    return replace(mutations, mutants=tuple(_mutant(mutant) for mutant in mutations.mutants))


def _mutant(mutant: MutantRun) -> MutantRun:
    return replace(mutant, steps=tuple(_step(step) for step in mutant.steps), reason=clean(mutant.reason))


def _step(step: StepRun) -> StepRun:
    return replace(
        step,
        sent=step.sent and _sent(step.sent),
        received=step.received and _received(step.received),
        findings=tuple(_finding(finding) for finding in step.findings),
        skipped=clean(step.skipped),
        spans=tuple(_span(span) for span in step.spans),
    )


def _sent(sent: Sent) -> Sent:
    return replace(sent, url=clean(sent.url), headers=_headers(sent.headers), body=clean(sent.body))


def _received(received: Received) -> Received:
    return replace(
        received,
        headers=_headers(received.headers),
        body=clean(received.body),
        trouble=clean(received.trouble),
    )


def _finding(finding: Finding) -> Finding:
    return replace(finding, expected=clean(finding.expected), actual=clean(finding.actual))


def _span(span: Span) -> Span:
    attributes = tuple((name, clean(value)) for name, value in span.attributes)
    return replace(span, attributes=attributes, status_message=clean(span.status_message))


def _headers(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, clean_header(name, value)) for name, value in headers)
