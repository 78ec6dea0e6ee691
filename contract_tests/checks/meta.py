"""CT-09: whatever `_meta` and `params` carry beside what is known, the result is the same as without."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from ..judging.matchers import Complaint
from ..judging.operators import look_up, same, show
from ..judging.reply import Reply
from ..replay.values import text
from .contract import Contract
from .inquiry import Inquiry
from .named_tool import named_tool
from .speech import CALLED, RESULT, Speech, speaking

_RICH: Final[Mapping[str, Mapping[str, Any]]] = {
    "progressToken 0": {"progressToken": 0},
    "progressToken a": {"progressToken": "a"},
    "what ChatGPT sends": {
        "openai/session": "v1/made-up",
        "openai/subject": "v1/made-up",
        "openai/userAgent": "ChatGPT/1.2026.300",
        "openai/locale": "de-AT",
        "openai/userLocation": {"city": "Vienna", "country": "AT", "timezone": "Europe/Vienna"},
        "timezone_offset_minutes": -60,
    },
    "a trace": {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "vendor=1"},
    "keys of vendors": {"com.example/anything": {"deep": [1, None]}, "x": None, "claudecode/toolUseId": "toolu_1"},
    "nothing": {},
}
_EMPTY: Final = ("tools/list", "ping", "resources/list", "prompts/list")
_ANSWERED: Final = {"any_of": [RESULT, {"name": "-32601", "json": [{"at": "error.code", "equals": -32601}]}]}


async def ask(inquiry: Inquiry) -> None:
    """Call without anything, then with everything, and compare what kind of answer comes."""
    speech, tool = await speaking(inquiry), inquiry.tool()
    plain = await inquiry.ask("without _meta", speech.call(tool), CALLED)
    if inquiry.steps[-1].findings:
        return
    for name, meta in _RICH.items():
        reply = await inquiry.ask(f"_meta with {name}", speech.call(tool, meta=meta), CALLED)
        if reason := differing(plain, reply):
            inquiry.complain(**_words(reason))
    params = {"name": tool.name, "arguments": dict(tool.arguments), "ballastNew": {"a": [1]}, "task_hint": None}
    await inquiry.ask("unknown members of params", speech.request("tools/call", params), CALLED)
    for method in _EMPTY:
        if not (speech.is_modern and method == "ping"):
            await inquiry.ask(f"empty _meta with {method}", speech.request(method, {"_meta": {}}), _ANSWERED)
    await _only_in_meta(inquiry, speech)
    earlier = inquiry.means.earlier.get(tool.name, ())
    if not earlier:
        inquiry.skip(
            "arguments of earlier releases", f"name them in ballast.toml: [tools.{tool.name}] earlier = [{{...}}]"
        )
    for number, arguments in enumerate(earlier, start=1):
        request = speech.request("tools/call", {"name": tool.name, "arguments": dict(arguments)})
        more = {"incidents": ("P-40", "CT-09"), "advice": _EARLIER}
        await inquiry.ask(f"arguments of an earlier release, {number}", request, CALLED, **more)


async def _only_in_meta(inquiry: Inquiry, speech: Speech) -> None:
    """What a host puts into `_meta` reaches the tool; what stands elsewhere is nobody's."""
    tool = named_tool(inquiry, _WHERE, "echo_meta", "a tool that gives back, as text or data, the _meta it was sent")
    if tool is None:
        return
    inside, outside = text(inquiry.login.random, 24), text(inquiry.login.random, 24)
    meta = {"com.example/ballast": {"note": inside}}
    params = {"name": tool.name, "arguments": dict(tool.arguments), "com.example/ballast": {"note": outside}}
    request = speech.request("tools/call", {**params, "_meta": meta})
    reply = await inquiry.ask(_WHERE, request, CALLED)
    if not inquiry.steps[-1].findings and (reason := astray(reply, inside, outside)):
        inquiry.complain(**_words(reason))


_WHERE: Final = "members of vendors in _meta and beside it"


def astray(reply: Reply, inside: str, outside: str) -> Complaint | None:
    """Whether what was sent in `_meta` is lost, or what was sent beside it is not. Pure."""
    said = show(look_up(reply.message, ("result",)))
    if outside in said:
        return Complaint(where="result", expected="nothing of a vendor's member of params", actual="it came back")
    if inside not in said:
        return Complaint(where="result", expected="the vendor's member of _meta", actual="it is lost on its way")
    return None


_EARLIER = "Accept what the last releases accepted, or answer isError with the new form in words: hosts cache schemas."


def differing(plain: Reply, reply: Reply) -> Complaint | None:
    """Whether what was sent beside the arguments changed the kind of result. Pure; texts may differ, as clocks do."""
    for place in (("result", "isError"), ("result", "content", 0, "type")):
        one, other = look_up(plain.message, place), look_up(reply.message, place)
        one, other = (None if value is False else value for value in (one, other))
        if not same(one, other):
            where = ".".join(map(str, place))
            return Complaint(where=where, expected=f"{show(one)}, as without", actual=show(other))
    return None


def _words(reason: Complaint) -> dict[str, Any]:
    own = {"where": reason.where, "expected": reason.expected, "actual": reason.actual}
    return {**own, "incidents": ("S-01", "CT-09"), "advice": CT_09.advice}


CT_09: Final = Contract(
    id="CT-09",
    title="What comes in _meta and beside the arguments changes nothing",
    about="Hosts put sessions, places, traces and tokens there, more with every release.",
    incidents=("S-01", "CT-09"),
    severity="critical",
    advice="Let _meta hold anything and pass what you do not know; validate the arguments alone.",
    source="MCP 2025-11-25, _meta; OpenAI documentation of client metadata; incident S-01 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    surface="mcp",
    needs=("tool",),
    ask=ask,
)
