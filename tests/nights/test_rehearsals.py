"""What a night plays is no visit: the book keeps what hosts send, and nothing of our own."""

import anyio
import pytest
from click.testing import CliRunner

from connector import Connector, tool
from connector.recorder.reading import read_book
from connector.stores.memory import MemoryStore
from contract_tests.cli import main
from tests.loopback import served


class Notes(Connector):
    """Notes."""

    name = "notes"

    @tool(read_only=True)
    def find(self, word: str = "tea") -> str:
        """Find a note."""
        return word


@pytest.mark.parametrize(("mark", "is_kept"), [("", True), ("nightly", False)])
def test_a_rehearsal_that_says_so_is_left_out_of_the_book(
    monkeypatch: pytest.MonkeyPatch, mark: str, is_kept: bool
) -> None:
    """Issue 7: 30 unchanged nights raise nothing, though each plays platform changes against the connector."""
    monkeypatch.setenv("BALLAST_TEST", mark)
    store = MemoryStore()
    with served(Notes(store=store).app()) as url:
        words = ["test", f"{url}/mcp", "--only", "create-noauth-legacy", "--only", "CT-09", "--no-history"]
        assert CliRunner().invoke(main, words).exit_code == 0
    kept = anyio.run(read_book, store).sightings

    assert bool(kept) is is_kept
