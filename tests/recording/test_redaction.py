"""Planted secrets: of every kind, in every place, alone and together; none is ever in a file, nor a part of one."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract_tests import load_sessions
from contract_tests.recording.notebook import Notebook
from tests.recording.recorded import written
from tests.recording.secrets_of_every_kind import KINDS, PLACES

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PARTS = 8
"""Characters of a secret that must not be found together."""


def leaked(secret: str, text: str) -> str:
    """The first part of a secret that stands in a text; nothing if none does."""
    plain = secret.removeprefix("v1/")
    parts = (plain[start : start + PARTS] for start in range(max(1, len(plain) - PARTS + 1)))
    return next((part for part in parts if part in text and part not in "mail.example.org"), "")


def everything(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is handed to the disk from now on, temporary files included."""
    texts: list[str] = []
    on_disk = os.fdopen

    def listening(handle: int, *arguments: Any, **options: Any) -> Any:
        file = on_disk(handle, *arguments, **options)
        write = file.write

        def told(text: str) -> int:
            texts.append(text)
            return int(write(text))

        file.write = told
        return file

    monkeypatch.setattr(os, "fdopen", listening)
    return texts


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_written_wherever_it_stands(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 6, item 5: redaction before anything touches disk. Every kind, each in a recording of its own."""
    for kind, made in KINDS.items():
        out = tmp_path / kind
        secret = made(Random(f"{kind} {place}"))
        texts = everything(monkeypatch)
        notebook = Notebook(out, path="/mcp", origins=["https://mcp.example.com"], now=NOW)
        notebook.add(PLACES[place](secret))
        monkeypatch.undo()

        assert notebook.ignored == 0
        assert texts, "a session is written"
        assert leaked(secret, written(out) + "".join(texts)) == "", kind
        assert not any(leaked(secret, str(file)) for file in out.iterdir()), kind
        assert load_sessions(out, shipped=False), "what is written can be read"


@given(
    planted=st.lists(
        st.tuples(
            st.sampled_from(sorted(KINDS)), st.sampled_from(sorted(PLACES)), st.integers(0, 5), st.floats(0, 100)
        ),
        min_size=2,
        max_size=8,
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_secrets_that_come_again_elsewhere_are_not_written_either(
    planted: list[tuple[str, str, int, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Issue 6, item 5. Few seeds: secrets come again, and links arise, also backwards in time."""
    out = tmp_path_factory.mktemp("planted")
    notebook = Notebook(out, path="/mcp", origins=["https://mcp.example.com"], now=NOW)
    for kind, place, seed, started in planted:
        notebook.add(replace(PLACES[place](KINDS[kind](Random(seed))), started=started))

    text = written(out)
    assert notebook.ignored == 0
    assert [leaked(KINDS[kind](Random(seed)), text) for kind, _, seed, _ in planted] == [""] * len(planted)
    assert load_sessions(out, shipped=False)
