"""What platforms may add to, and leave out of, registration, authorization and token requests."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ...notation.session import MISSING, FormBody, JsonBody, Session, Step
from ..change import Change, Edit, Part, Position
from ..expectations import oauth_refusal, or_as_before
from ..places import own_steps
from ..rule import Mutant, Rule, together, together_and_alone

_DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_GRANTS: Final = (_DEVICE, "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:example:ballast:grant")
_METHODS: Final = ("private_key_jwt", "tls_client_auth", "ballast_auth")
_MEMBERS: Final[Mapping[str, Any]] = {
    "ballast_text": "new",
    "ballast_flag": True,
    "ballast_object": {"since": "2027"},
    "ballast_list": ["new"],
}
_PARAMETERS: Final[Mapping[str, str]] = {"ballast_hint": "new", "ballast_empty": "", "client_platform": "web"}
_REMOVABLE: Final = ("scope", "resource")


def _registrations(session: Session) -> Iterator[tuple[Step, Mapping[str, Any]]]:
    for step in own_steps(session):
        body = step.send.body
        if isinstance(body, JsonBody) and isinstance(body.value, Mapping) and "redirect_uris" in body.value:
            yield step, body.value


def _tokens(session: Session) -> Iterator[tuple[Step, Mapping[str, Any]]]:
    for step in own_steps(session):
        if isinstance(step.send.body, FormBody) and "grant_type" in step.send.body.fields:
            yield step, step.send.body.fields


def _authorizations(session: Session) -> Iterator[tuple[Step, Mapping[str, Any]]]:
    yield from ((step, step.send.query) for step in own_steps(session) if "response_type" in step.send.query)


def _places(session: Session) -> Iterator[tuple[Step, Part, Mapping[str, Any]]]:
    yield from ((step, Part.QUERY, fields) for step, fields in _authorizations(session))
    yield from ((step, Part.FORM, fields) for step, fields in _tokens(session))


def _edit(step: Step, part: Part, fields: Mapping[str, Any], name: str, value: Any, **more: Any) -> Change:
    edit = Edit(part=part, place=(name,), value=value, before=fields.get(name, MISSING))
    return Change(step=step.name, edits=(edit,), **more)


def _new_members(session: Session) -> tuple[Mutant, ...]:
    return together(
        _edit(step, Part.BODY, body, name, value)
        for step, body in _registrations(session)
        for name, value in _MEMBERS.items()
    )


def _new_parameters(session: Session) -> tuple[Mutant, ...]:
    return together(
        _edit(step, part, fields, name, value)
        for step, part, fields in _places(session)
        for name, value in _PARAMETERS.items()
    )


def _lost_parameters(session: Session) -> Iterator[Mutant]:
    found = [*((step, Part.BODY, body) for step, body in _registrations(session)), *_places(session)]
    return together_and_alone(
        _edit(step, part, fields, name, MISSING)
        for step, part, fields in found
        for name in _REMOVABLE
        if name in fields
    )


def _new_grants(session: Session) -> tuple[Mutant, ...]:
    return together([*_registered_grants(session), *_asked_grants(session)])


def _registered_grants(session: Session) -> Iterator[Change]:
    for step, body in _registrations(session):
        for grant in _GRANTS:
            value = [*body.get("grant_types", ("authorization_code",)), grant]
            refused = () if grant == _DEVICE else (oauth_refusal("invalid_client_metadata"),)
            expect = or_as_before(step.expect, *refused)
            more = {"position": Position.BEFORE, "label": f"with {grant}", "expect": expect}
            yield _edit(step, Part.BODY, body, "grant_types", value, **more)


def _asked_grants(session: Session) -> Iterator[Change]:
    """A token request of a kind nobody knows. It carries no code and no refresh token, which it might use up."""
    for step, fields in _tokens(session):
        kept = {"code", "code_verifier", "refresh_token", "client_assertion", "client_assertion_type"} & set(fields)
        edits = (
            Edit(part=Part.FORM, place=("grant_type",), value=_GRANTS[-1], before=fields["grant_type"]),
            *(Edit(part=Part.FORM, place=(name,), value=MISSING, before=fields[name]) for name in sorted(kept)),
        )
        label = f"grant {_GRANTS[-1]}"
        yield Change(step=step.name, edits=edits, position=Position.BEFORE, label=label, expect=oauth_refusal())


def _new_methods(session: Session) -> tuple[Mutant, ...]:
    return together(
        _edit(
            step,
            Part.BODY,
            body,
            "token_endpoint_auth_method",
            method,
            position=Position.BEFORE,
            label=f"by {method}",
            expect=or_as_before(step.expect, oauth_refusal("invalid_client_metadata")),
        )
        for step, body in _registrations(session)
        for method in _METHODS
    )


RULES: Final = (
    Rule(
        id="oauth-grant-new",
        title="A grant nobody asked for yet",
        stands_for="Registrations that list another grant, and token requests that use one.",
        expected="registration with what is supported, or 400 as RFC 7591 writes it; tokens: 400 as RFC 6749 writes it",
        source="P-28: VS Code added the device grant to its registrations; Claude's document lists jwt-bearer",
        incidents=("P-28", "O-08", "CT-22", "CT-26"),
        advice="Register the grants you support without the others; refuse token requests with unsupported_grant_type.",
        derive=_new_grants,
    ),
    Rule(
        id="oauth-method-new",
        title="Another way for the client to prove itself",
        stands_for="A client that stops being public: private_key_jwt, mutual TLS, or something new.",
        expected="registration with a supported method, or 400 invalid_client_metadata",
        source="P-02: ChatGPT moved to private_key_jwt within a month, and servers for public clients refused it",
        incidents=("P-02", "O-08", "CT-22", "CT-24"),
        advice="Answer with a method you support, or with invalid_client_metadata; never with 422 or 500.",
        derive=_new_methods,
    ),
    Rule(
        id="oauth-member-new",
        title="A member nobody knows in a registration",
        stands_for="New client metadata.",
        expected="what the session expects, unchanged",
        source="RFC 7591, 2: metadata that is not understood must be ignored; O-16: every client of 2026 sent new ones",
        incidents=("O-16", "P-28", "CT-22"),
        advice="Ignore client metadata you do not know (RFC 7591, 2).",
        derive=_new_members,
    ),
    Rule(
        id="oauth-parameter-new",
        title="A parameter nobody knows, at authorization and token endpoints",
        stands_for="Hints of the platform, and parameters of later RFCs.",
        expected="what the session expects, unchanged",
        source="RFC 6749, 3.1 and 3.2: unknown parameters must be ignored; id_token_hint and resource came that way",
        incidents=("O-16", "P-31", "CT-25"),
        advice="Ignore parameters you do not know, and treat an empty one as absent (RFC 6749, 3.1).",
        derive=_new_parameters,
    ),
    Rule(
        id="oauth-parameter-removed",
        title="scope or resource is gone",
        stands_for="A platform that relies on the defaults.",
        expected="what the session expects, unchanged",
        source="P-09: scope was gone on reconnect; O-05: some clients send no resource",
        incidents=("P-09", "O-05", "CT-25"),
        advice="Without scope grant the client's default; without resource mean your own.",
        derive=_lost_parameters,
    ),
)
