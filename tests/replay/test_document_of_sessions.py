"""docs/sessions.md: its example is read and played, its configuration is read, its words are all the words."""

import json
import re
from pathlib import Path

import anyio
import pytest

from contract_tests import Options, load_sessions, open_target, play_sessions
from contract_tests.configuration import read_configuration
from contract_tests.notation.schema import SCHEMA_FILE
from contract_tests.notation.vocabulary import ALWAYS, MAYBE_BY_NEED, NEEDS, PROVIDED_BY_NEED, SOMETIMES
from tests.replay.servers import Tolerant

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "sessions.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_complete_example_is_read_and_holds_against_a_tolerant_server(tmp_path: Path) -> None:
    """Ours: the reference is run."""
    file = tmp_path / "example.yaml"
    file.write_text(block("yaml"))
    sessions = load_sessions(file, shipped=False)

    async def run() -> list[tuple[str, str]]:
        with open_target(Tolerant()) as target:
            played = await play_sessions(sessions, target, options=Options(pace="none"))
        assert played.findings == ()
        return [(step.name, step.skipped) for step in played.sessions[0].steps]

    assert anyio.run(run) == [
        ("first", ""),
        ("again-after-a-cut", "the first call was answered in time"),
        ("probe", ""),
    ]


def test_the_configuration_of_the_document_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours: a document that is not run is wrong."""
    monkeypatch.setenv("MY_TOKEN", "token")
    monkeypatch.setenv("MY_SECRET", "secret")
    monkeypatch.setenv("MY_REFRESH_TOKEN", "refresh")
    file = tmp_path / "ballast.toml"
    file.write_text(block("toml"))
    found = read_configuration(file)

    assert found.target == "myserver.py:app"
    assert found.options.headers == (("Authorization", "Bearer token"),)
    assert found.options.examples["yearly_report"].is_slow
    assert found.options.client is not None
    assert found.options.client.secret == "secret"
    assert found.options.tokens is not None
    assert (found.options.tokens.access, found.options.tokens.refresh) == ("token", "refresh")
    assert found.options.follow == ("https://login.example.com",)


def test_every_word_of_the_format_stands_in_the_document() -> None:
    """Ours: the reference is complete."""
    schema = json.loads(SCHEMA_FILE.read_text())
    parts = [schema, *(part for part in schema["$defs"].values() if "properties" in part)]
    words = {word for part in parts for word in part["properties"]} | set(NEEDS) | set(ALWAYS) | set(SOMETIMES)
    words |= {name for own in (*PROVIDED_BY_NEED.values(), *MAYBE_BY_NEED.values()) for name in own}
    prose = re.sub(r"^```.*?^```$", "", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
    mentioned = set(re.findall(r"[a-z_]+(?:\.[a-z_]+)*", " ".join(re.findall(r"`([^`]+)`", prose))))

    similar = {
        "slow_tool.name",
        "slow_tool.arguments",
        "slow_tool.output_schema",
        "protected_tool.name",
        "protected_tool.arguments",
    }
    assert words - mentioned - similar == set()
