"""One pool of connections for a connector, and a view of it for each call. Here alone requests are tried again: the
transport below does not, and a tool need not.

`httpx2` is the client the SDK stands on; `stamina` does the waiting, with its jitter.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import stamina
from opentelemetry.propagate import inject

from .budget import Budget, BudgetPolicy
from .circuit import Circuit, CircuitPolicy
from .errors import UpstreamUnavailable
from .retrying import THROTTLED, TRIES, UNREADY, Trouble, is_repeatable, pause_before_next

KEY_HEADER: Final = "Idempotency-Key"
TRACE_HEADER: Final = "traceparent"

TIMEOUT: Final = 30.0
"""Seconds for one try where the call has no deadline; a quarter of what ChatGPT gives a call (119.8 s)."""

LIMITS: Final = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30.0)
"""A tenth of the descriptors most systems give a process, which the door's own connections need; idle ones are given
back before the shortest idle cut of common proxies (60 s) makes the next request meet a dead one.
"""

_FIRST_PAUSE, _LONGEST_PAUSE, _JITTER = 0.1, 5.0, 0.5
_MOST_HOSTS: Final = 256
_UNSENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class _NotReady(Exception):
    def __init__(self, response: httpx2.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


@dataclass(frozen=True, slots=True)
class _Host:
    """What is known of one host."""

    circuit: Circuit
    budget: Budget


class Upstream:
    """One pool of connections, opened at the first request. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        *,
        circuits: CircuitPolicy | None = None,
        budgets: BudgetPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._circuits, self._budgets = circuits or CircuitPolicy(), budgets or BudgetPolicy()
        self.clock = clock
        self._client: httpx2.AsyncClient | None = None
        self._hosts: dict[str, _Host] = {}

    def until(self, ends: float | None, key: str | None = None) -> "BoundClient":
        """A view of the pool whose requests end at `ends` (seconds on the monotonic clock; None for no deadline) and
        carry keys derived from `key`.
        """
        return BoundClient(self, ends, key)

    def client(self) -> httpx2.AsyncClient:
        """The pool itself, for what `BoundClient` does not offer."""
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=TIMEOUT, limits=LIMITS, follow_redirects=False)
        return self._client

    def host(self, url: str) -> _Host:
        """What is known of the host of a URL. Of many hosts, the one asked first is forgotten first."""
        name = httpx2.URL(url).netloc.decode("ascii", "replace")
        known = self._hosts.get(name)
        if known is None:
            if len(self._hosts) >= _MOST_HOSTS:
                del self._hosts[next(iter(self._hosts))]
            known = self._hosts[name] = _Host(Circuit(self._circuits), Budget(self._budgets, self.clock()))
        return known

    async def aclose(self) -> None:
        """Close every connection; the next request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


class BoundClient:
    """`call.http`: requests that end with the call. Methods and arguments are those of `httpx2.AsyncClient.request`."""

    __slots__ = ("_ends", "_key", "_sent", "_upstream")

    def __init__(self, upstream: Upstream, ends: float | None, key: str | None) -> None:
        self._upstream = upstream
        self._ends = ends
        self._key = key
        self._sent: Counter[tuple[str, str]] = Counter()

    async def request(self, method: str, url: str, *, retried: bool = True, **options: Any) -> httpx2.Response:
        """Send one request; what is tried again says the table in `connector/upstream/retrying.py`.

        In a guarded call, what is no read carries an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07)
        unless you set one: the same in every try and every attempt at the call, a new one for every request in it. With
        `retried=False` it is sent once: say so where the other side does not honour keys.

        Raises:
            UpstreamUnavailable: The host failed so often that it is left alone for now. Nothing was sent.
            httpx2.HTTPError: As the library raises it, after the last try. A status is never raised: look at it.
        """
        method = method.upper()
        options = self._with_headers(method, url, options)
        retried = retried and _can_be_sent_again(options)
        is_safe = is_repeatable(method, has_key=KEY_HEADER in options["headers"])
        host, tried = self._upstream.host(url), 0
        host.budget.asked(self._upstream.clock())

        def again(raised: Exception) -> float | bool:
            trouble = _trouble_of(raised)
            if trouble is None or not retried:
                return False
            return pause_before_next(
                trouble,
                tried=tried,
                is_safe=is_safe,
                remaining=self._remaining(),
                may_retry=lambda: host.budget.may_retry(self._upstream.clock()),
            )

        waiting = {"wait_initial": _FIRST_PAUSE, "wait_max": _LONGEST_PAUSE, "wait_jitter": _JITTER}
        try:
            async for attempt in stamina.retry_context(
                on=again, attempts=TRIES, timeout=self._remaining() or None, **waiting
            ):
                with attempt:
                    tried += 1
                    return await self._send(host, method, url, options)
        except _NotReady as unready:
            return unready.response
        raise AssertionError("unreachable because the last attempt returns or raises")

    async def get(self, url: str, **options: Any) -> httpx2.Response:
        """`request("GET", ...)`."""
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Any) -> httpx2.Response:
        """`request("POST", ...)`."""
        return await self.request("POST", url, **options)

    async def put(self, url: str, **options: Any) -> httpx2.Response:
        """`request("PUT", ...)`."""
        return await self.request("PUT", url, **options)

    async def patch(self, url: str, **options: Any) -> httpx2.Response:
        """`request("PATCH", ...)`."""
        return await self.request("PATCH", url, **options)

    async def delete(self, url: str, **options: Any) -> httpx2.Response:
        """`request("DELETE", ...)`."""
        return await self.request("DELETE", url, **options)

    def _with_headers(self, method: str, url: str, options: dict[str, Any]) -> dict[str, Any]:
        headers = httpx2.Headers(options.get("headers"))
        if TRACE_HEADER not in headers:
            carrier: dict[str, str] = {}
            inject(carrier)
            headers.update(carrier)
        if self._key is not None and KEY_HEADER not in headers and not is_repeatable(method, has_key=False):
            self._sent[method, url] += 1
            derived = hashlib.sha256(f"{self._key} {method} {url} {self._sent[method, url]}".encode()).hexdigest()
            headers[KEY_HEADER] = derived[:32]
        return {**options, "headers": headers}

    def _remaining(self) -> float | None:
        return None if self._ends is None else max(0.001, self._ends - time.monotonic())

    async def _send(self, host: _Host, method: str, url: str, options: dict[str, Any]) -> httpx2.Response:
        circuit, clock, remaining = host.circuit, self._upstream.clock, self._remaining()
        if not circuit.may_pass(clock()):
            raise UpstreamUnavailable(
                f"{httpx2.URL(url).host} failed several times in a row and is left alone for now. Nothing was sent. "
                f"Try again in {circuit.opens_in(clock()) + 1:.0f} seconds."
            )
        options = {"timeout": TIMEOUT if remaining is None else min(TIMEOUT, remaining), **options}
        try:
            response = await self._upstream.client().request(method, url, **options)
        except httpx2.TransportError as failed:
            if not (isinstance(failed, httpx2.TimeoutException) and remaining is not None and remaining < TIMEOUT):
                circuit.failed(clock())  # a timeout that our own deadline set says nothing of the host
            raise
        if response.status_code in UNREADY:
            circuit.failed(clock())
        else:
            circuit.succeeded()
        if response.status_code in UNREADY or response.status_code == THROTTLED:
            raise _NotReady(response)
        return response


def _can_be_sent_again(options: dict[str, Any]) -> bool:
    """Whether the body is still there after it was sent: what is read while it is sent is not."""
    return isinstance(options.get("content"), bytes | str | None) and not options.get("files")


def _trouble_of(raised: Exception) -> Trouble | None:
    """What became of a try; None if trying again could not help."""
    if isinstance(raised, _NotReady):
        response = raised.response
        return Trouble(status=response.status_code, after=response.headers.get("retry-after"))
    if isinstance(raised, httpx2.TransportError):
        return Trouble(was_sent=not isinstance(raised, _UNSENT))
    return None
