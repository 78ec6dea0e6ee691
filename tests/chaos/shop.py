"""The connector under test: tools that write to the ledger outside, one for each policy of a guard.

It is the product as it is used; the faults are in what surrounds it here: the tools, a store that wraps the real one,
and an ASGI app before the door.
"""

import asyncio
import os
import secrets
from dataclasses import replace
from typing import Any, Final, cast

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connector import Call, Connector, Guard, Settings, ToolFailed, tool
from connector.stores.opening import open_store
from connector.stores.port import Claim, Claimed, Store, Verdict
from tests.chaos.faults import HEADER, PLAN, Plan, reach
from tests.chaos.ledger import Outside

JOIN: Final = 15.0
"""Seconds a call waits for an equal one: less than the clients of the run wait for an answer."""


FORGETFUL: Final = "CHAOS_FORGETFUL"
"""The environment variable that makes the store forget every call: what a run must find."""


class Receipt(BaseModel):
    """What a tool answers: which run of it this was, and for whom."""

    receipt: str
    wish: str
    user: str


class Shop(Connector):
    """Buy things, in ways that differ in what a retry meets after a crash."""

    name = "shop"
    version = "1"

    def __init__(self, store: Store, outside: Outside, settings: Settings) -> None:
        super().__init__(store=store, settings=settings)
        self._outside = outside

    @tool
    async def buy(self, item: str, amount: int, call: Call) -> Receipt:
        """Buy; after a crash nobody knows, and nothing is run again."""
        return await self._effect(call, item, amount)

    @tool(guard=Guard(after_crash="rerun"))
    async def send(self, item: str, amount: int, call: Call) -> Receipt:
        """Send; after a crash it is sent again."""
        return await self._effect(call, item, amount)

    @tool(guard=Guard(after_crash="rerun"))
    async def pay(self, item: str, amount: int, call: Call) -> Receipt:
        """Pay, under a key that the other side honours; after a crash it is paid again, and the other side knows."""
        return await self._effect(call, item, amount, once=True)

    async def _find_charge(self, key: str) -> Receipt | None:
        found = (await self._outside.tell(says="asked", key=key))["effect"]
        return None if found is None else Receipt.model_validate(found)

    @tool(guard=Guard(after_crash=_find_charge))
    async def charge(self, item: str, amount: int, call: Call) -> Receipt:
        """Charge; after a crash it is looked up first."""
        return await self._effect(call, item, amount)

    @tool
    async def attempt(self, item: str, amount: int, call: Call) -> Receipt:
        """Fail the first time; the failure is kept."""
        return await self._second_time(call, item, amount)

    @tool(guard=Guard(failures="retried"))
    async def insist(self, item: str, amount: int, call: Call) -> Receipt:
        """Fail the first time, having changed nothing; a retry runs."""
        return await self._second_time(call, item, amount)

    async def _second_time(self, call: Call, item: str, amount: int) -> Receipt:
        plan = _plan()
        tries = (await self._outside.tell(says="tried", wish=plan.wish, key=call.key))["tries"]
        if tries == 1:
            raise ToolFailed(f"declined {secrets.token_hex(8)}")
        return await self._effect(call, item, amount)

    async def _effect(self, call: Call, item: str, amount: int, *, once: bool = False) -> Receipt:
        plan = _plan()
        reach("begun")
        await asyncio.sleep(plan.before)
        said = {"wish": plan.wish, "user": plan.user, "tool": call.tool, "item": item, "amount": amount}
        done = await self._outside.tell(
            says="effect", key=call.key, attempt=call.attempt, receipt=secrets.token_hex(8), once=once, **said
        )
        reach("done")
        await asyncio.sleep(plan.after)
        return Receipt.model_validate(done["effect"])


def _plan() -> Plan:
    plan = PLAN.get()
    if plan is None:
        raise ToolFailed("this call has no plan")
    return plan


class StruckStore:
    """The real store, with faults before and after each write; what it acknowledged is told to the ledger."""

    def __init__(self, real: Store, outside: Outside) -> None:
        self._real, self._outside = real, outside
        self._forgets = bool(os.environ.get(FORGETFUL))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def claim(self, claim: Claim) -> Claimed:
        reach("claiming")
        if self._forgets:
            claim = replace(claim, key=secrets.token_hex(16))
        claimed = await self._real.claim(claim)
        if claimed.verdict is Verdict.TAKEN_OVER:
            await self._tell("taken over", claimed.entry.epoch)
        if claimed.verdict in {Verdict.CLAIMED, Verdict.TAKEN_OVER}:
            reach("claimed")
        return claimed

    async def complete(self, key: str, **more: Any) -> bool:
        reach("completing")
        is_mine = await self._real.complete(key, **more)
        reach("completed")
        return is_mine

    async def delivered(self, key: str, *, epoch: int) -> bool:
        await self._tell("noting", epoch)
        reach("noting")
        is_noted = await self._real.delivered(key, epoch=epoch)
        if is_noted:
            await self._tell("noted", epoch)
        reach("noted")
        return is_noted

    async def _tell(self, says: str, epoch: int) -> None:
        plan = PLAN.get()
        if plan is not None:
            await self._outside.tell(says=says, wish=plan.wish, user=plan.user, epoch=epoch)


class Before:
    """An ASGI app before the door: it reads the plan, knows the user by the token, and strikes at the reply."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        said = headers.get(HEADER.encode())
        plan = None if said is None else Plan.of(said.decode())
        PLAN.set(plan)
        if token := headers.get(b"authorization"):
            scope["user"] = AuthenticatedUser(_token(token.decode().removeprefix("Bearer ")))
        reach("arrived")

        async def struck(message: Message) -> None:
            is_last = message["type"] == "http.response.body" and not message.get("more_body")
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"x-worker", str(os.getpid()).encode())]
            if is_last:
                reach("replying", plan)
            await send(message)
            if is_last:
                reach("replied", plan)

        await self._app(scope, receive, struck)


def _token(name: str) -> AccessToken:
    return AccessToken(token="-", client_id="chatgpt", scopes=[], subject=name, claims={"iss": "https://id.test"})


def app(store_url: str, ledger_port: int) -> ASGIApp:
    """The app of one worker. Its settings come from the environment as ever, but for what has no variable."""
    outside = Outside(ledger_port)
    settings = Settings.from_environment()
    settings = replace(settings, store=replace(settings.store, join=JOIN))
    store = cast("Store", StruckStore(open_store(store_url), outside))
    return Before(Shop(store, outside, settings).app())
