"""The outside world as tools reach it: one HTTP client per connector, reads retried, every wait bound by the deadline.

`httpx2` is the client the SDK stands on; `stamina` does the waiting between tries. A request that may change something
is sent once: without a key that the other side honours, a second try could do the work twice (incident D-02). Where
the call has a key, what may change something carries one derived from it.
"""

import hashlib
import time
from collections import Counter
from typing import Any, Final

import httpx2
import stamina

RETRIED_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Safe by RFC 9110 section 9.2.1, so a second try changes nothing."""

RETRIED_STATUSES: Final = frozenset({502, 503, 504})
"""The gateway's own failures (RFC 9110 section 15.6); the request may never have arrived."""

KEY_HEADER: Final = "Idempotency-Key"

TRIES: Final = 3
TIMEOUT: Final = 30.0
"""Seconds for one try where the call has no deadline; a quarter of what ChatGPT gives a call (119.8 s)."""


class _Unready(Exception):
    def __init__(self, response: httpx2.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def _ready(response: httpx2.Response) -> httpx2.Response:
    if response.status_code in RETRIED_STATUSES:
        raise _Unready(response)
    return response


class Upstream:
    """One pool of connections, opened at the first request."""

    def __init__(self) -> None:
        self._client: httpx2.AsyncClient | None = None

    def until(self, ends: float | None, key: str | None = None) -> "BoundClient":
        """A view of the pool whose requests end at `ends` (seconds on the monotonic clock; None for no deadline) and
        carry keys derived from `key`.
        """
        return BoundClient(self, ends, key)

    def client(self) -> httpx2.AsyncClient:
        """The pool itself, for what `BoundClient` does not offer."""
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=TIMEOUT, follow_redirects=False)
        return self._client

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

    async def request(self, method: str, url: str, **options: Any) -> httpx2.Response:
        """Send one request. Reads are tried up to three times on connection trouble and on 502, 503, 504.

        Anything else is sent once. In a guarded call it carries an `Idempotency-Key` (draft-ietf-httpapi-idempotency-
        key-header-07), unless you set one: the same in every attempt at the call, a new one for every request in it.

        Raises:
            httpx2.HTTPError: As the library raises it, after the last try. A status is never raised: look at it.
        """
        if method.upper() not in RETRIED_METHODS:
            return await self._send(method, url, self._with_key(method.upper(), url, options))
        try:
            async for attempt in stamina.retry_context(
                on=(httpx2.TransportError, _Unready), attempts=TRIES, timeout=self._remaining(), wait_initial=0.1
            ):
                with attempt:
                    return _ready(await self._send(method, url, options))
        except _Unready as unready:
            return unready.response
        raise AssertionError("unreachable because the last attempt returns or raises")

    async def get(self, url: str, **options: Any) -> httpx2.Response:
        """`request("GET", ...)`."""
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Any) -> httpx2.Response:
        """`request("POST", ...)`: sent once."""
        return await self.request("POST", url, **options)

    async def put(self, url: str, **options: Any) -> httpx2.Response:
        """`request("PUT", ...)`: sent once."""
        return await self.request("PUT", url, **options)

    async def patch(self, url: str, **options: Any) -> httpx2.Response:
        """`request("PATCH", ...)`: sent once."""
        return await self.request("PATCH", url, **options)

    async def delete(self, url: str, **options: Any) -> httpx2.Response:
        """`request("DELETE", ...)`: sent once."""
        return await self.request("DELETE", url, **options)

    def _with_key(self, method: str, url: str, options: dict[str, Any]) -> dict[str, Any]:
        headers = httpx2.Headers(options.get("headers"))
        if self._key is None or KEY_HEADER in headers:
            return options
        self._sent[method, url] += 1
        derived = hashlib.sha256(f"{self._key} {method} {url} {self._sent[method, url]}".encode()).hexdigest()
        headers[KEY_HEADER] = derived[:32]
        return {**options, "headers": headers}

    def _remaining(self) -> float:
        return TIMEOUT if self._ends is None else max(0.001, self._ends - time.monotonic())

    async def _send(self, method: str, url: str, options: dict[str, Any]) -> httpx2.Response:
        options = {"timeout": min(TIMEOUT, self._remaining()), **options}
        return await self._upstream.client().request(method, url, **options)
