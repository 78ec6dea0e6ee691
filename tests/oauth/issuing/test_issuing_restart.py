"""What outlives a process: clients, grants, and grants in the form of an older version."""

import json
from pathlib import Path
from typing import Any

import pytest

from connector.stores.sqlite import SqliteStore
from tests.oauth.issuing.house import House, house


def test_after_a_restart_everybody_goes_on_as_before(tmp_path: Path) -> None:
    """CT-29: register, authorize, call; a new process on the same file; authorize, refresh and call again."""
    path = tmp_path / "records.sqlite3"
    with house(store=SqliteStore(path)) as at:
        client_id = at.client_id()
        waiting = at.code(client_id)
        tokens = at.granted(client_id)
        at.restart(store=SqliteStore(path))

        assert at.call(tokens["access_token"]).status_code == 200
        assert at.redeem(client_id, waiting).status_code == 200
        refreshed = at.refresh(client_id, tokens["refresh_token"])
        assert refreshed.status_code == 200
        assert at.call(refreshed.json()["access_token"]).status_code == 200
        assert at.authorize(client_id).status_code == 302


def test_a_refresh_whose_answer_was_lost_with_the_process_is_answered_by_the_next_one(tmp_path: Path) -> None:
    """Incident O-01 across a restart: the answer was not kept, and is still the same."""
    path = tmp_path / "records.sqlite3"
    with house(store=SqliteStore(path)) as at:
        client_id = at.client_id()
        first = at.granted(client_id)["refresh_token"]
        lost = at.refresh(client_id, first).json()
        at.restart(store=SqliteStore(path))

        again = at.refresh(client_id, first).json()
        assert (again["refresh_token"], again["access_token"]) == (lost["refresh_token"], lost["access_token"])


def test_a_store_that_lost_its_last_write_does_not_cost_the_grant() -> None:
    """Ours: a restored copy knows an older number than the client holds; the seal says that we gave it out."""
    with house() as at:
        client_id = at.client_id()
        first = at.granted(client_id)["refresh_token"]
        kept = dict(at.store._records)  # type: ignore[attr-defined]
        second = at.refresh(client_id, first).json()["refresh_token"]
        at.store._records = kept  # type: ignore[attr-defined]

        assert at.refresh(client_id, second).status_code == 200


def rewrite(at: House, change: Any) -> None:
    """Store every grant as `change` makes it."""
    records = at.store._records  # type: ignore[attr-defined]
    for (kind, key), record in list(records.items()):
        if kind == "oauth-grant":
            said = change(json.loads(record.value))
            records[kind, key] = type(record)(
                key=key, value=json.dumps(said).encode(), version=record.version, expires_at=record.expires_at
            )


@pytest.mark.parametrize(
    "older",
    [
        {"resource": "{url}"},
        {"resource": "{url}/mcp/"},
        {"resource": "{url}/"},
        {"resource": None},
        {"scope": "notes.read notes.write", "scopes": None},
        {"v": 7, "a_member_of_tomorrow": {"x": 1}},
        {"v": None, "granted_at": None, "superseded": None, "revoked": None, "is_ended": None, "generation": None},
    ],
)
def test_a_grant_that_was_stored_otherwise_still_refreshes_and_works(older: dict[str, Any]) -> None:
    """CT-25c, incident O-04: before a change of format grants held other resources and fewer members."""
    with house() as at:
        client_id = at.client_id()
        tokens = at.granted(client_id)

        def change(said: dict[str, Any]) -> dict[str, Any]:
            changed = said | {k: v.format(url=at.url) if isinstance(v, str) else v for k, v in older.items()}
            return {name: value for name, value in changed.items() if value is not None}

        rewrite(at, change)
        answer = at.refresh(client_id, tokens["refresh_token"])
        assert answer.status_code == 200, answer.text
        assert at.call(answer.json()["access_token"]).status_code == 200
        assert at.call(tokens["access_token"]).status_code == 200


def test_a_grant_for_another_resource_is_not_one_for_this() -> None:
    """Audience confusion: tolerance ends at the origin."""
    with house() as at:
        client_id = at.client_id()
        tokens = at.granted(client_id)
        rewrite(at, lambda said: said | {"resource": "https://other.example/mcp"})

        assert at.call(tokens["access_token"]).status_code == 401
        assert at.refresh(client_id, tokens["refresh_token"]).status_code == 400
