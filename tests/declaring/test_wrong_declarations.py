"""Declarations that are refused at once, and what they are told."""

import pytest

from connector import Call, Connector, DeclarationError, tool
from tests.declaring.invoices import Invoices


class _Nameless(Connector):
    pass


class _TwoOfOne(Connector):
    name = "two"

    @tool(name="find")
    async def find_a(self) -> str:
        return "a"

    @tool(name="FIND")
    async def find_b(self) -> str:
        return "b"


class _Hiding(Connector):
    name = "hiding"

    @tool
    async def list_tools(self) -> str:  # type: ignore[override]
        return "a"


class _CallTwice(Connector):
    name = "twice"

    @tool
    async def ask(self, one: Call, two: Call) -> str:
        return "a"


class _Undefined(Connector):
    name = "undefined"

    @tool
    async def ask(self, one: "Missing") -> str:  # type: ignore[name-defined]  # noqa: F821
        return "a"


class _Bytes(Connector):
    name = "bytes"

    @tool
    def picture(self) -> bytes:
        return b"\x89PNG"


class _Property(Connector):
    name = "property"

    @property
    @tool
    def total(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("declare", "says"),
    [
        (_Nameless, "add `name = '...'` to the class"),
        (_TwoOfOne, "declares two tools called 'FIND' (hosts ignore case): rename one"),
        (_Hiding, "rename the method and write @tool(name='list_tools')"),
        (_CallTwice, "asks for the call more than once (one, two): keep one"),
        (_Bytes, "_Bytes.picture returns bytes, and no host knows of what kind: return Image or Audio"),
        (_Property, "_Property.total is a tool and a property: leave @property away"),
        (_Undefined, "the annotation 'Missing' is not defined there: import it at module level"),
        (lambda: Invoices(public_url="invoices.example.com"), "needs a scheme and a host"),
        (lambda: Invoices(public_url="ftp://a"), "needs a scheme and a host"),
        (lambda: Invoices(public_url="https://a/mcp"), "must be an origin only"),
        (lambda: Invoices(store="mysql://localhost/calls"), "mysql"),
        (lambda: Invoices(sessions="glued"), "sessions='glued' is not known: leave it out, or set 'sticky'"),  # type: ignore[arg-type]
        (lambda: tool(deadline=0), "deadline=0 must be a positive number of seconds"),
        (lambda: tool(deadline=float("nan"))(print), "deadline=nan must be a positive number of seconds"),
        (lambda: tool(name="no spaces")(print), "use 1 to 64 letters, digits, '_' or '-'"),
        (lambda: tool(name="x" * 65)(print), "use 1 to 64 letters"),
        (lambda: tool(read_only=True, destructive=True)(print), "contradict each other: drop one"),
        (lambda: tool("find"), "'find', which cannot be called: write @tool or @tool(name=...)"),  # type: ignore[call-overload]
        (lambda: tool(read_only=True)("find"), "'find', which cannot be called"),  # type: ignore[type-var]
    ],
)
def test_a_wrong_declaration_fails_at_once_and_says_what_to_change(declare: object, says: str) -> None:
    """Issue text, item 2."""
    with pytest.raises(DeclarationError) as raised:
        declare()  # type: ignore[operator]
    assert says in str(raised.value)
