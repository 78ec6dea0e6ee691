"""A connector as its author declares it, and how a host sees the list of its tools."""

from dataclasses import dataclass
from decimal import Decimal

from connector import Call, Connector, ToolFailed, tool
from tests.wire import post, request


@dataclass
class Invoice:
    number: str
    amount: Decimal


class Invoices(Connector):
    """Look up and create invoices."""

    name = "invoices"
    version = "1.4.0"
    title = "Invoices"

    @tool
    def count(self) -> int:
        """Count them."""
        return 2

    @tool(read_only=True, open_world=False, title="Find an invoice")
    async def find_invoice(self, number: str, call: Call) -> Invoice:
        """Find one invoice by its number."""
        if number == "none":
            raise ToolFailed("There is no invoice 'none'. Ask for its number.")
        return Invoice(number, Decimal("9.50"))

    @tool(name="about", description="Say what was asked.", destructive=False, idempotent=True, meta={"a": 1})
    async def describe(self, call: Call) -> str:
        return f"{call.tool} {call.conversation} {call.remaining}"


def listed(url: str) -> dict[str, dict[str, object]]:
    """Its tools by name."""
    return {each["name"]: each for each in post(url, request("tools/list")).json()["result"]["tools"]}
