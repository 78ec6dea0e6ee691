"""Papers that somebody attaches, read page by page: long ones fill neither the memory nor the answer.

pip install 'mcp-ballast[files]'
mcp-ballast serve examples/papers.py     # or: python examples/papers.py
"""

from typing import Annotated

from pydantic import BaseModel, Field

from connector import Call, Connector, File, accepts, tool

Paper = Annotated[File, accepts("application/pdf"), Field(description="The PDF that the user attached.")]
PageNumber = Annotated[int, Field(ge=1, description="Counts from 1.")]

AT_ONCE = 5
AROUND = 120
MOST_PLACES = 20


class Page(BaseModel):
    """What one page says."""

    number: PageNumber
    text: str


class Excerpt(BaseModel):
    """Some pages of a paper. `more_from` is where to go on; none if this was the end."""

    total: int
    pages: list[Page]
    more_from: PageNumber | None


class Places(BaseModel):
    """Where words stand in a paper, with what is around them; at most twenty."""

    total: int
    places: list[Page]


class Papers(Connector):
    """Reads and searches PDFs that the user attaches. Ask for the pages that matter, or search first."""

    name = "papers"
    version = "1.0.0"

    @tool(read_only=True, open_world=False)
    async def read_paper(self, paper: Paper, first: PageNumber = 1) -> Excerpt:
        """Read five pages of an attached PDF, beginning with page `first`."""
        total, last = await paper.page_count(), first + AT_ONCE - 1
        pages = [Page(number=page.number, text=page.text) async for page in paper.pages(first, last)]
        return Excerpt(total=total, pages=pages, more_from=last + 1 if last < total else None)

    @tool(read_only=True, open_world=False, deadline=100)
    async def search_paper(
        self, paper: Paper, words: Annotated[str, Field(min_length=2, max_length=100)], call: Call
    ) -> Places:
        """Find where an attached PDF mentions the words."""
        places, total = list[Page](), await paper.page_count()
        async for page in paper.pages():
            at = page.text.lower().find(words.lower())
            if at >= 0:
                around = page.text[max(0, at - AROUND) : at + len(words) + AROUND]
                places.append(Page(number=page.number, text=around))
            if len(places) == MOST_PLACES:
                break
            await call.progress(page.number, total)
        return Places(total=total, places=places)


connector = Papers()

if __name__ == "__main__":
    connector.serve()
