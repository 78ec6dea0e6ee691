"""What a tool may say of who may call it."""

from collections.abc import Callable
from typing import Any

import pytest

from connector import DeclarationError, tool


@pytest.mark.parametrize(
    ("scopes", "says"),
    [
        ("notes.read notes.write", r"write a list, e.g. scopes=\['notes.read', 'notes.write'\]"),
        (["two words"], "cannot be asked for"),
        ([""], "cannot be asked for"),
        (['"'], "cannot be asked for"),
        (["naïve"], "cannot be asked for"),
        ([7], "cannot be asked for"),
    ],
)
def test_a_scope_that_no_challenge_could_carry_is_refused(scopes: Any, says: str) -> None:
    """RFC 6749, section 3.3: `scope-token`."""
    with pytest.raises(DeclarationError, match=says):
        tool(scopes=scopes)


@pytest.mark.parametrize("scopes", [["notes.read"], ("api://notes/read", "https://a.example.com/x"), []])
def test_scopes_are_a_list_of_any_that_the_rfc_allows(scopes: Any) -> None:
    """RFC 6749, section 3.3."""
    mark: Callable[..., Any] = tool(scopes=scopes, anonymous=True)

    assert mark(lambda: None) is not None
