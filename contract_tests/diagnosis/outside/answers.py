"""From what was asked from outside to answers of the table. Pure; conclusions with advice are drawn elsewhere."""

from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from ...outcome import Received
from ...report.words import seconds
from ..diagnosis import Certainty, Evidence, Standing, Suspect
from ..weighing.verdict import Sign
from .observations import Observations, Place, Question, carriers, header, media_type
from .published import published
from .reach import answered, framings, words
from .slow import slow_sign
from .streams import streams
from .tools import tool_sign

_PLATFORMS: Final = (Question.SMALL, Question.AS_CHATGPT, Question.AS_CLAUDE, Question.AS_PYTHON)
_PASSING: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
"""Refusals that speak of load and not of who asks."""

_STATUS: Final = {
    400: "unacceptable", 401: "unauthorized", 403: "forbidden", 404: "missing", 405: "missing", 406: "unacceptable",
    410: "missing", 415: "unacceptable", 421: "wrong-host", 422: "unacceptable", 429: "throttled",
    502: "gateway-error", 503: "gateway-error", 504: "gateway-timeout",
    520: "gateway-error", 521: "gateway-error", 522: "gateway-error", 523: "gateway-error", 524: "gateway-timeout",
    525: "gateway-error", 526: "gateway-error", 530: "gateway-error",
}  # fmt: skip
"""What a status says of a proper small call. 520 to 530 are Cloudflare's own."""

_EDGE_HEADERS: Final = (
    "cf-ray", "cf-mitigated", "x-amz-cf-id", "x-akamai-transformed", "akamai-grn", "x-azure-ref", "x-sucuri-id",
    "x-fastly-request-id", "x-iinfo", "x-vercel-id", "x-datadome", "x-amzn-waf-action", "x-amz-apigw-id",
)  # fmt: skip
"""Headers that content delivery networks and firewalls put on what they answer themselves or pass on."""


TRIED: Final = frozenset({
    "reach", "answerer", "certificate", "redirect", "agents", "framing", "idle-stream", "oauth",
})  # fmt: skip
"""Questions that every diagnosis from outside asks: what they did not answer now, they do not answer if asked again."""


def signs_of(seen: Observations) -> tuple[Sign, ...]:
    """Every answer that can be read off what was seen from outside."""
    found = (
        _reach(seen), _answerer(seen), _certificate(seen), _redirect(seen), _agents(seen), _direct(seen),
        _framing(seen), _idle_stream(seen), slow_sign(seen), tool_sign(seen), _bearer(seen),
        published(seen.documents, seen.url),
    )  # fmt: skip
    return tuple(sign for sign in found if sign is not None)


def is_served(received: Received | None) -> bool:
    """Whether a proper small call was answered as one."""
    return received is not None and answered(received) and received.status == HTTPStatus.OK


def _reach(seen: Observations) -> Sign | None:
    small = seen.of(Question.SMALL)
    if seen.connection.reach:
        return Sign(question="reach", answer=seen.connection.reach, fact=seen.connection.fact)
    if small is None or small.status is None:
        # A certificate that was refused says all of it, and so does a handshake that failed.
        is_known = seen.connection.certificate not in {"", "good", "ends-soon"}
        return None if is_known else Sign(question="reach", answer="silent", fact=seen.trouble)
    return Sign(question="reach", answer=_answer(small), fact=words(small))


def _answer(small: Received) -> str:
    if is_served(small):
        return "answers"
    status = small.status or 0
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return "redirected"
    if status in _STATUS and not (status == HTTPStatus.SERVICE_UNAVAILABLE and media_type(small).endswith("json")):
        return _STATUS[status]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "own-error"
    if status >= HTTPStatus.BAD_REQUEST:
        return "unacceptable"
    return "page" if "html" in media_type(small) else "something-else"


def _answerer(seen: Observations) -> Sign | None:
    """Who wrote the failing answer: edges and firewalls sign theirs, servers speak JSON."""
    small = seen.of(Question.SMALL)
    if small is None or small.status is None or small.status < HTTPStatus.BAD_REQUEST:
        return None
    if small.status == HTTPStatus.UNAUTHORIZED:
        return None
    if media_type(small).endswith("json"):
        return Sign(question="answerer", answer="server", fact=words(small))
    signed = [name for name in _EDGE_HEADERS if header(small, name)]
    by = carriers(small).lower()
    signed += [name for name in ("cloudflare", "akamaighost", "cloudfront", "awselb", "ddos-guard") if name in by]
    return Sign(question="answerer", answer="edge", fact=", ".join(signed)) if signed else None


def _certificate(seen: Observations) -> Sign | None:
    found = seen.connection
    return Sign(question="certificate", answer=found.certificate, fact=found.fact) if found.certificate else None


def _redirect(seen: Observations) -> Sign | None:
    small = seen.of(Question.SMALL)
    location = "" if small is None else header(small, "location")
    if small is None or not location or small.status is None or small.status // 100 != 3:  # noqa: PLR2004 - 3xx
        return Sign(question="redirect", answer="stays") if is_served(small) else None
    there = urlsplit(urljoin(seen.url, location))
    here = urlsplit(seen.url)
    fact = f"{small.status} to {there.scheme}://{there.netloc}{there.path}"
    return Sign(question="redirect", answer=_leads(here, there), fact=fact)


def _leads(here: SplitResult, there: SplitResult) -> str:
    if (there.scheme, there.hostname, there.port) == (here.scheme, here.hostname, here.port):
        return "other-path"
    is_upgrade = (here.scheme, there.scheme) == ("http", "https") and there.hostname == here.hostname
    return "to-https" if is_upgrade else "leaves-origin"


def _agents(seen: Observations) -> Sign | None:
    plain = seen.of(Question.AS_BROWSER)
    asked = {question: seen.of(question) for question in _PLATFORMS}
    if plain is None or (not is_served(plain) and plain.status != HTTPStatus.UNAUTHORIZED):
        return None
    refused = [question for question, received in asked.items() if _is_refused(received, plain)]
    if not refused:
        return Sign(question="agents", answer="same", fact=f"{len(asked) + 1} names, all {plain.status}")
    facts = [f"{question.value}: {words(received)}" for question in refused if (received := asked[question])]
    return Sign(question="agents", answer="platforms-refused", fact=f"{'; '.join(facts)}; a browser: {plain.status}")


def _is_refused(received: Received | None, plain: Received) -> bool:
    """Another answer than a browser's: a status, a page in place of the answer, or a connection that is cut."""
    if received is None or received.status in _PASSING:
        return False
    return not is_served(received) if is_served(plain) else received.status != plain.status


def _direct(seen: Observations) -> Sign | None:
    own = seen.of(Question.SMALL, Place.DIRECT)
    if not seen.direct or own is None:
        return None
    public = is_served(seen.of(Question.SMALL))
    fact = f"at {seen.direct}: {words(own)}"
    if is_served(own):
        return Sign(question="direct", answer="both" if public else "only-direct", fact=fact)
    return (
        None
        if public or own.status == HTTPStatus.UNAUTHORIZED
        else Sign(question="direct", answer="neither", fact=fact)
    )


def _framing(seen: Observations) -> Sign | None:
    found = framings(seen)
    if found.standing is Standing.NOT_CHECKED:
        return None
    answer = "both" if found.standing is Standing.HOLDS else "only-json"
    return Sign(question="framing", answer=answer, fact="; ".join(found.facts))


def _idle_stream(seen: Observations) -> Sign | None:
    found = streams(seen)
    if found.standing is Standing.NOT_CHECKED:
        return None
    if found.standing is Standing.HOLDS:
        return Sign(question="idle-stream", answer="passes", fact=found.sentence)
    return Sign(question="idle-stream", answer=_held(found), fact="; ".join(found.facts))


def _held(found: Evidence) -> str:
    if found.certainty is Certainty.UNDECIDED:
        return "silent"
    if found.suspects == (Suspect.CONNECTOR,):
        return "silent-at-home"
    return "held-here-only" if found.certainty is Certainty.CERTAIN else "held"


def _bearer(seen: Observations) -> Sign | None:
    """Only where a token was given: it is, if the anonymous request was refused and another was sent."""
    small = seen.of(Question.SMALL)
    if not seen.has_token or small is None or not seen.documents.is_protected:
        return None
    if small.status == HTTPStatus.UNAUTHORIZED:
        return Sign(question="bearer", answer="refused", fact=words(small))
    return Sign(question="bearer", answer="accepted", fact=seconds(small.first_byte)) if is_served(small) else None
