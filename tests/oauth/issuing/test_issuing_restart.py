"""What outlives a process: clients, grants, and grants in the form of an older version."""

import json
from pathlib import Path
from typing import Any

import pytest

from connector.errors import StoreUnavailable
from connector.stores.memory import MemoryStore
from connector.stores.port import Record
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
        (kept,) = at.kept("oauth-grant")
        second = at.refresh(client_id, first).json()["refresh_token"]
        at.keep("oauth-grant", kept.key, kept.value)

        assert at.refresh(client_id, second).status_code == 200


def rewrite(at: House, change: Any) -> None:
    """Store every grant as `change` makes it."""
    for record in at.kept("oauth-grant"):
        at.keep("oauth-grant", record.key, json.dumps(change(json.loads(record.value))).encode())


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


class Gone(MemoryStore):
    """A store that answers until it is gone."""

    is_gone = False

    async def get(self, kind: str, key: str) -> Record | None:
        if self.is_gone:
            raise StoreUnavailable("the store of the test is gone")
        return await super().get(kind, key)

    async def put(
        self, kind: str, key: str, value: bytes, *, expires_in: float | None = None, version: int | None = None
    ) -> int | None:
        if self.is_gone:
            raise StoreUnavailable("the store of the test is gone")
        return await super().put(kind, key, value, expires_in=expires_in, version=version)


def test_while_the_store_is_away_nobody_loses_anything() -> None:
    """Ours: 503 with Retry-After everywhere, never invalid_grant or 401, on which hosts throw away what they have."""
    store = Gone()
    with house(store=store) as at:
        client_id = at.client_id()
        tokens, code = at.granted(client_id), at.code(client_id)
        store.is_gone = True
        away = [
            at.refresh(client_id, tokens["refresh_token"]),
            at.redeem(client_id, code),
            at.authorize(client_id),
            at.http.post(f"{at.url}/revoke", data={"token": tokens["refresh_token"], "client_id": client_id}),
            at.call(tokens["access_token"]),
        ]
        assert [answer.status_code for answer in away] == [503] * 5
        assert {answer.json()["error"] for answer in away} == {"temporarily_unavailable"}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in away)
        assert at.register().status_code == 201  # it needs no store

        store.is_gone = False
        assert at.redeem(client_id, code).status_code == 200
        assert at.refresh(client_id, tokens["refresh_token"]).status_code == 200
