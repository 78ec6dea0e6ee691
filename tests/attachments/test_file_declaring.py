"""Files are declared by a type; the descriptor follows, and a wrong declaration fails before any request."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from connector import Connector, DeclarationError, File, accepts, tool
from tests import wire
from tests.loopback import Serve

ONE = {
    "type": "object",
    "properties": {
        "download_url": {"type": "string"},
        "file_id": {"type": "string"},
        "mime_type": {"type": "string"},
        "file_name": {"type": "string"},
    },
    "required": ["download_url", "file_id"],
    "additionalProperties": False,
}


class Papers(Connector):
    """Reads."""

    name = "papers"

    @tool(read_only=True, meta={"openai/toolInvocation/invoking": "Reading"})
    async def compare(
        self,
        left: Annotated[File, accepts("application/pdf", "image/*"), Field(description="The older one.")],
        others: list[Annotated[File, accepts("text/*")]],
        more: Annotated[list[File] | None, Field(description="Whatever else.")] = None,
        cover: File | None = None,
        depth: int = 3,
    ) -> str:
        """Compare papers."""
        return ""

    @tool(read_only=True)
    def count(self, number: int) -> int:
        """Count."""
        return number


def test_a_descriptor_says_of_files_what_the_scanner_demands_and_nothing_else(serve: Serve) -> None:
    """chatgpt-wire.md section 4: exactly these members; a deviation is refused."""
    listed = wire.post(serve(Papers()), wire.request("tools/list", {})).json()["result"]["tools"]
    compare, count = listed
    properties = compare["inputSchema"]["properties"]

    assert compare["_meta"] == {
        "openai/toolInvocation/invoking": "Reading",
        "openai/fileParams": ["left", "others", "more", "cover"],
    }
    assert properties["left"] == ONE | {"description": "The older one."}
    assert properties["others"] == {"type": "array", "items": ONE}
    assert properties["more"] == {"type": "array", "items": ONE, "description": "Whatever else."}
    assert properties["cover"] == ONE
    assert compare["inputSchema"]["required"] == ["left", "others"]
    assert "$defs" not in compare["inputSchema"]
    assert "_meta" not in count


async def a_default(self: Any, file: File = "x") -> None: ...  # type: ignore[assignment]
async def none_without_default(self: Any, file: File | None) -> None: ...
async def none_by_default(self: Any, file: File = None) -> None: ...  # type: ignore[assignment]
async def in_a_dictionary(self: Any, files: dict[str, File]) -> None: ...
async def in_a_tuple(self: Any, files: tuple[File, ...]) -> None: ...
async def two_deep(self: Any, files: list[list[File]]) -> None: ...
async def perhaps_a_text(self: Any, file: File | str) -> None: ...
async def list_of_perhaps(self: Any, files: list[File | None]) -> None: ...
async def no_file(self: Any, text: Annotated[str, accepts("text/plain")]) -> None: ...
async def twice(self: Any, file: Annotated[File, accepts("text/plain"), accepts("image/png")]) -> None: ...
async def given_back(self: Any, file: File) -> File | None: ...
async def given_back_many(self: Any, file: File) -> list[File] | None: ...


WRONG = [
    (a_default, "has the default 'x': write File | None = None"),
    (none_by_default, "has the default None: write File | None = None"),
    (none_without_default, "may be None and has no default"),
    (in_a_dictionary, "File, list[File] and File | None only"),
    (in_a_tuple, "File, list[File] and File | None only"),
    (two_deep, "File, list[File] and File | None only"),
    (perhaps_a_text, "File, list[File] and File | None only"),
    (list_of_perhaps, "File, list[File] and File | None only"),
    (no_file, "accepts(...) says something of a File"),
    (twice, "more than one accepts(...)"),
    (given_back, "returns a File, which ends with the call"),
    (given_back_many, "returns a File, which ends with the call"),
]


@pytest.mark.parametrize(("method", "sentence"), WRONG, ids=lambda value: getattr(value, "__name__", ""))
def test_a_wrong_declaration_fails_with_a_sentence(method: Any, sentence: str) -> None:
    """Issue 8 item 4: at import, and it says what to write instead."""
    wrong = type("Wrong", (Connector,), {"name": "wrong", method.__name__: tool(method)})

    with pytest.raises(DeclarationError) as refused:
        wrong()
    assert sentence in str(refused.value)
    assert method.__name__ in str(refused.value)


def test_a_file_inside_a_model_is_refused_where_it_is_written() -> None:
    """The platform fills top-level parameters only."""
    with pytest.raises(DeclarationError, match=r"annotate a parameter of a @tool with File"):

        class Order(BaseModel):
            paper: File


def test_the_sdk_s_own_way_to_add_a_tool_refuses_files_with_a_sentence() -> None:
    """Ours: nobody would fetch them."""
    papers = Papers()
    with pytest.raises(DeclarationError, match=r"annotate a parameter of a @tool with File"):

        @papers.tool()
        async def other(paper: File) -> str:
            return paper.name


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        ((), "names no kind of file"),
        (("pdf",), "accepts('pdf') is no media type"),
        (("application/pdf; version=1",), "is no media type"),
        (("Application/PDF",), "is no media type"),
        (("application/x-nonsense",), "would refuse every file"),
        (("audio/*", "video/x-nonsense"), "accepts('video/x-nonsense') would refuse every file"),
    ],
)
def test_kinds_that_no_file_can_be_are_refused(kinds: tuple[str, ...], sentence: str) -> None:
    """Ours: bytes decide, so what bytes cannot tell cannot be asked for."""
    with pytest.raises(DeclarationError) as refused:
        accepts(*kinds)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "kind", ["*/*", "image/*", "text/*", "text/csv", "application/json", "application/msword", "application/epub+zip",
             "application/vnd.oasis.opendocument.text", "application/vnd.ms-excel"],
)  # fmt: skip
def test_kinds_that_bytes_tell_can_be_asked_for(kind: str) -> None:
    """Ours: also kinds that are fetched and told apart, but not read."""
    assert accepts(kind).media_types == (kind,)


def test_what_is_named_by_hand_must_agree() -> None:
    """One place declares."""

    class Twofold(Connector):
        name = "twofold"

        @tool(read_only=True, meta={"openai/fileParams": ["other"]})
        async def read(self, paper: File) -> str:
            return paper.name

    with pytest.raises(DeclarationError, match=r"leave it out, it follows from the annotations"):
        Twofold()


def test_a_parser_that_is_not_installed_is_named_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 8 item 4: the sentence names the extra."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(DeclarationError, match=r"pip install 'mcp-ballast\[files\]'"):
        Papers()
