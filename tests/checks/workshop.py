"""A server by hand whose tools are the ones that parts of checks need named, and how each of them can be wrong."""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from contract_tests import Options
from contract_tests.checks.means import Means
from contract_tests.offer.catalogue import Example
from tests.replay.servers import FOUND, Answer, Asked, Tolerant, result, said

MEANS = Means(
    echo_meta="echo",
    blocking_tool="work",
    upload={"tool": "store", "content": "data", "size": "size", "sha256": "digest"},
    download={"tool": "export", "size": "bytes"},
    counter="stored",
)
OPTIONS = Options(pace="none", seed=1, means=MEANS, examples={"echo": Example(arguments={"x": 1})})


class Workshop(Tolerant):
    """Keeps every promise but the one that `fault` says."""

    def __init__(self, fault: str = "") -> None:
        super().__init__({"tools/call": self._call, "elsewhere": _health})
        self.fault = fault
        self.stored = 0

    def _call(self, asked: Asked) -> Answer:
        params = asked.message["params"]
        tool: Callable[[Mapping[str, Any], Mapping[str, Any]], Any] | None = getattr(self, f"_{params['name']}", None)
        return result(asked, tool(params, params.get("arguments", {})) if tool else FOUND)

    def _echo(self, params: Mapping[str, Any], _: Mapping[str, Any]) -> Any:
        if self.fault == "loses _meta":
            return text("{}")
        return text(json.dumps(params if self.fault == "takes params for _meta" else params.get("_meta")))

    def _work(self, _: Mapping[str, Any], __: Mapping[str, Any]) -> Any:
        time.sleep(0.25 if self.fault == "blocks" else 0)
        return FOUND

    def _stored(self, _: Mapping[str, Any], __: Mapping[str, Any]) -> Any:
        return text(str(self.stored))

    def _store(self, _: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
        arrived = base64.b64decode(arguments["data"])
        if self.fault == "stores what was cut":
            self.stored += 1
        is_whole = len(arrived) == arguments["size"]
        words = "no" if self.fault == "says no more" else f"{len(arrived)} of {arguments['size']} bytes came"
        return {**text(words), "isError": not is_whole and self.fault != "takes what was cut"}

    def _export(self, _: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
        size = arguments["bytes"]
        if size > 2_000_000 and self.fault != "cuts what is large":
            return {"content": [{"type": "resource_link", "uri": "https://example.com/f", "name": "f"}]}
        whole = "x" * size
        digest = hashlib.sha256(whole.encode()).hexdigest()
        return {**text(whole[:1_500_000]), "structuredContent": {"found": "it", "sha256": digest}}


def text(words: str) -> dict[str, Any]:
    """A result of one text that also fits the tool's schema."""
    return {"content": [{"type": "text", "text": words}], "structuredContent": {"found": "it"}}


def _health(asked: Asked) -> Answer | None:
    return said({"status": "ok"}) if asked.path == "/health" else None
