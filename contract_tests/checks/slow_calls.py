"""CT-15: a call that takes longer than a proxy's patience is delivered. It needs a slow tool, and --slow."""

from dataclasses import replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from .contract import Contract
from .cutting_proxy import cutting_proxy
from .inquiry import CannotBeChecked, Inquiry
from .speech import CALLED, speaking

IDLE: Final = 60.0
"""Seconds of silence after which nginx and ALB cut, unless told otherwise."""

_LIMIT: Final = 600.0
_EXPECTED: Final[dict[str, Any]] = {**CALLED, "longest_gap": 20.0}


async def ask(inquiry: Inquiry) -> None:
    """Call the slow tool through a proxy that cuts after a minute of silence."""
    tool = inquiry.catalogue.slow_tool()
    slow = {name for name, example in inquiry.catalogue.examples.items() if example.is_slow}
    if isinstance(tool, str) or tool.name not in slow:
        raise CannotBeChecked('nothing says which tool takes long: name it, slow_tool = "NAME" under [checks]')
    if not inquiry.means.is_slow:
        raise CannotBeChecked("it waits for a slow tool for real: add --slow")
    if urlsplit(inquiry.url).scheme != "http":
        raise CannotBeChecked("the proxy of this check speaks plain HTTP: check an instance on loopback")
    async with cutting_proxy(inquiry.url, idle=IDLE) as proxy:
        speech = replace(await speaking(inquiry), url=proxy.url)
        request = replace(speech.call(tool, meta={"progressToken": 1}), limit=_LIMIT)
        reply = await inquiry.ask(f"{tool.name} through a proxy that cuts after {IDLE:g} s", request, _EXPECTED)
    if reply.duration < IDLE and not inquiry.steps[-1].findings:
        raise CannotBeChecked(
            f"{tool.name} took {reply.duration:.0f} s only: give it arguments that take over {IDLE:g} s"
        )


CT_15: Final = Contract(
    id="CT-15",
    title="A call that takes minutes is delivered through a proxy that cuts after one",
    about="Proxies cut what is silent. Servers that say nothing until they are done lose every longer answer.",
    incidents=("T-03", "CT-15"),
    severity="critical",
    advice="Answer calls that take longer with an event stream, and send a comment every few seconds.",
    source="incident T-03 of this project; nginx proxy_read_timeout, ALB idle timeout: 60 s",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("tool",),
    is_alone=True,
    ask=ask,
)
