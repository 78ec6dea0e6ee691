"""What would make a contract checkable, from the reason why it was not."""

import pytest

from contract_tests.report.contracts import remedy, why


@pytest.mark.parametrize(
    ("number", "reason", "said"),
    [
        ("CT-15", "it waits for a slow tool for real: add --slow", "add --slow"),
        (
            "CT-21",
            "the target asks for no authorization",
            "nothing, unless people should have to log in to this target",
        ),
        (
            "CT-02",
            (
                "none of its tools (a) is marked read-only, and others are not called unasked; name example "
                "arguments in ballast.toml: [tools.NAME] arguments = {...}"
            ),
            "a tool that may be called: readOnlyHint, or [tools.NAME] arguments = {...} in ballast.toml",
        ),
        (
            "CT-20",
            "the target asks for no authorization; the target does not speak 2026-07-28",
            (
                "nothing, unless people should have to log in to this target; "
                "nothing, until the target speaks the revision 2026-07-28"
            ),
        ),
        ("CT-24", "it was not part of this run", "a run without --only and --host-profile, or one with --only CT-24"),
        ("CT-12", "nobody has thought of this reason", "what `mcp-ballast sessions CT-12` says it needs"),
        ("CT-12", "", "what `mcp-ballast sessions CT-12` says it needs"),
    ],
)
def test_a_reason_leads_to_what_would_have_to_be_different(number: str, reason: str, said: str) -> None:
    """Issue 6, item 2: not checked, with what to set."""
    assert remedy(number, reason) == said


def test_a_reason_that_says_what_to_do_is_not_followed_by_the_same() -> None:
    """Ours."""
    assert why("it must be waited for: add --slow", "add --slow") == "it must be waited for: add --slow"
    assert why("no widget", "a widget") == "no widget. What would make it checkable: a widget"
