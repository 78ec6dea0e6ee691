"""`Guard`: what a tool that writes says about running once. Decides nothing; the desk does."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from .errors import DeclarationError

DAY = 86_400.0

Failures = Literal["kept", "retried"]
WithoutStore = Literal["refuse", "run"]
AfterCrash = Literal["unknown", "rerun"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """How a tool that writes is kept from doing its work twice. Every write has one; `@tool(guard=False)` takes it off.

    Attributes:
        key: The parameter whose value names the wish, for hosts that let the model fill one in. What the client itself
            sends (`_meta["ballast/idempotencyKey"]`, `params.idempotencyKey`) comes first. Without any key, an equal
            call is the same wish only while the first is in flight or its answer was not delivered.
        window: Seconds for which the answer under a key is kept. A day, as Stripe promises for its keys at least.
        retry_window: Seconds for which an answer that was not delivered waits for its retry, where there is no key.
            Hosts and proxies retry within a minute (ChatGPT's Responses API: about 60 s, seen 2026-09-18); 120 is twice
            that.
        failures: `kept`: a failure the tool reports is an answer like any other, and a retry gets it again. `retried`:
            a retry runs again; right for a tool that fails only when it changed nothing.
        after_crash: What a retry meets when the worker died half-way. `unknown`: it is told so and nothing runs (the
            only safe answer where the effect cannot be looked up). `rerun`: it runs again. A method of the connector
            that takes the call's key (`call.key`): it looks up the effect and returns the tool's result, or None if
            there was none, and then the tool runs; if it raises, the outcome stays unknown.
        without_store: What happens while the store cannot answer: `refuse` the call, or `run` it unguarded.

    Raises:
        DeclarationError: A value that cannot be meant. The sentence says what to change.
    """

    key: str | None = None
    window: float = DAY
    retry_window: float = 120.0
    failures: Failures = "kept"
    after_crash: AfterCrash | Callable[..., Any] = "unknown"
    without_store: WithoutStore = "refuse"

    def __post_init__(self) -> None:
        for name in ("window", "retry_window"):
            seconds = getattr(self, name)
            if not (math.isfinite(seconds) and seconds > 0):
                raise DeclarationError(f"Guard({name}={seconds!r}) must be a positive, finite number of seconds")
        for name, known in (("failures", Failures), ("without_store", WithoutStore)):
            if getattr(self, name) not in get_args(known):
                raise DeclarationError(f"Guard({name}={getattr(self, name)!r}) is not known: use one of {known!r}")
        if not callable(self.after_crash) and self.after_crash not in get_args(AfterCrash):
            raise DeclarationError(
                f"Guard(after_crash={self.after_crash!r}) is not known: use 'unknown', 'rerun', or a method that looks "
                "the effect up by the call's key"
            )

    @property
    def takes_over(self) -> bool:
        """Whether a call whose worker died is begun again."""
        return self.after_crash != "unknown"
