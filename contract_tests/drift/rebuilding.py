"""A sighting as sessions: the request as it usually is, and as it is now, with every difference between them. Pure.

What comes before it in a dialogue (a handshake, a login) is taken from the sessions that ship; of OAuth the whole
dialogue is, because a code has to be issued before it is redeemed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from connector.recorder.shape import DISCOVERY, MCP, OAUTH, Shape
from connector.recorder.sighting import Sighting

from ..mutating.applying import changed
from ..mutating.change import Change
from ..mutating.expectations import UNKNOWN_METHOD, UNKNOWN_NOTIFICATION
from ..notation.session import Expect, Provenance, Session, Step
from .deviating import against, nearest
from .editing import CannotBeMade, Editor, reverted
from .finding import Deviation
from .kinds import Kind, Turn
from .literal import is_legacy, method_of, send_of
from .lock import Lock

STEP: Final = "new"
"""The step that is judged, where it is not one of a shipped session."""

_GET: Final = 1.0  # seconds a stream that never ends is looked at
_POLITE: Final = (200, 201, 202, 204, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 410)
_OTHER: Final = Expect(status=_POLITE)
_DOCUMENT: Final = Expect(
    any_of=(
        Expect(name="a document", status=(200,), media_not=("text/html",)),
        Expect(name="a refusal that is no page", status=(400, 401, 403, 404, 405, 410), media_not=("text/html",)),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """A sighting that can be tried. `usual` is the session without a difference; None if there is nothing like it, and
    the request itself is what is new. `step` is the one that is judged; `learns` says that what it must answer is what
    it answers usually.
    """

    usual: Session | None
    new: Session
    step: str
    changes: Mapping[Deviation, Change]
    learns: bool = False
    left_out: tuple[str, ...] = ()


def rebuild(sighting: Sighting, lock: Lock, shipped: Mapping[str, Session]) -> Rebuilt:
    """Make sessions of a sighting.

    Raises:
        CannotBeMade: its sample is missing, or it needs what nobody can make up; the text says what.
    """
    shape = sighting.shape
    known = nearest(shape, lock)
    if known is not None and shape.channel == OAUTH:
        return _of_oauth(sighting, known[0], lock, shipped)
    session = _session(sighting, shipped)
    if known is None:
        return Rebuilt(usual=None, new=session, step=STEP, changes={})
    changes, left_out = _changes(sighting, session.steps[-1], known[0], lock)
    usual = changed(session, [reverted(change) for change in changes.values()])
    return Rebuilt(usual=usual, new=session, step=STEP, changes=changes, learns=True, left_out=left_out)


def differences(shape: Shape, version: str, lock: Lock) -> list[Deviation]:
    """Every difference of a shape from what is most like it."""
    known = nearest(shape, lock)
    found = [] if known is None else [*against(shape, known[1])]
    if known is not None and version != shape.version:
        turn = Turn.APPEARED if shape.version else Turn.VANISHED
        found.append(Deviation(kind=Kind.VERSION, turn=turn, name=shape.version or "any", was=version))
        found = [each for each in found if not each.name.endswith(f": {shape.version}")]
    return found


def _changes(
    sighting: Sighting, step: Step, version: str, lock: Lock
) -> tuple[dict[Deviation, Change], tuple[str, ...]]:
    known = nearest(sighting.shape, lock)
    if known is None:
        return {}, ()
    editor = Editor(step=step.name, send=step.send, shape=sighting.shape, profile=known[1], version=version)
    changes: dict[Deviation, Change] = {}
    left_out = []
    for deviation in differences(sighting.shape, version, lock):
        try:
            changes[deviation] = editor.change(deviation)
        except CannotBeMade as problem:
            left_out.append(str(problem))
    return changes, tuple(left_out)


def _session(sighting: Sighting, shipped: Mapping[str, Session]) -> Session:
    """The sample as the last step of a session."""
    shape, sample = sighting.shape, sighting.sample
    if not {"verb", "path"} <= sample.keys():
        raise CannotBeMade("the book has no sample of it")
    send = send_of(sample, shape.channel)
    if "authorization" not in shape.headers:
        send = replace(send, anonymous=shape.channel != MCP)
    cut = _GET if send.method == "GET" and shape.channel == MCP else None
    step = Step(name=STEP, send=send, expect=_expect_of_new(shape), cut_after=cut)
    needs = ("tool",) if method_of(sample) == "tools/call" else ("access",) if shape.channel == MCP else ()
    return _as_session(shape, (*_handshake(sighting, shipped), step), needs)


def _expect_of_new(shape: Shape) -> Expect:
    """What a request that nothing is known of must be answered with."""
    if shape.channel == MCP and not shape.method.startswith("("):
        is_notification = shape.method.startswith("notifications/")
        answered = Expect(name="an answer", status=(200, 202, 204), media_not=("text/html",))
        refused = UNKNOWN_NOTIFICATION if is_notification else UNKNOWN_METHOD
        return _OTHER if shape.method in {"GET", "DELETE"} else Expect(any_of=(answered, *refused.any_of))
    return _DOCUMENT if shape.channel == DISCOVERY else _OTHER


def _handshake(sighting: Sighting, shipped: Mapping[str, Session]) -> tuple[Step, ...]:
    """The handshake of an older revision, without judging it: that is done elsewhere."""
    if sighting.shape.channel != MCP or not is_legacy(sighting.sample):
        return ()
    opening = shipped.get("call-model-legacy")
    return tuple(replace(step, expect=Expect()) for step in opening.steps[:2]) if opening else ()


def _of_oauth(sighting: Sighting, version: str, lock: Lock, shipped: Mapping[str, Session]) -> Rebuilt:
    """The shipped login with the differences made in the step that asks for the same."""
    session = shipped.get("oauth-dcr")
    name = _role(sighting.shape)
    step = next((step for step in session.steps if step.name == name), None) if session else None
    if session is None or step is None:
        raise CannotBeMade(f"no shipped session asks for {sighting.shape.method}")
    sample = replace(step, send=replace(send_of(sighting.sample, OAUTH), path=step.send.path, anonymous=True))
    changes, left_out = _changes(sighting, sample, version, lock)
    steps = tuple(replace(step, incidents=()) for step in session.steps if step.name != "register-as-recorded")
    usual = replace(session, id=f"drift-{sighting.shape.id}", steps=steps, begins_with="")
    made = changed(usual, list(changes.values()))
    return Rebuilt(usual=usual, new=made, step=name, changes=changes, left_out=left_out)


def _role(shape: Shape) -> str:
    """The step of the shipped login that makes such a request."""
    words = shape.method.lower()
    if "regist" in words:
        return "register"
    if words.startswith("get") and "authoriz" in words:
        return "authorize"
    if "token" in words:
        return "refresh" if ("grant_type", "refresh_token") in shape.values else "token"
    return ""


def _as_session(shape: Shape, steps: Sequence[Step], needs: tuple[str, ...]) -> Session:
    return Session(
        id=f"drift-{shape.id}",
        title=f"{shape.method} as {shape.surface} sends it now",
        host="drift",
        surface=shape.surface,
        build="as recorded",
        seen=date.min,
        provenance=Provenance.OBSERVED,
        source="the visitors' book",
        expires=date.max,
        steps=tuple(steps),
        needs=needs,
    )
