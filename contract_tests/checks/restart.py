"""CT-29: clients, grants and sessions outlive the process. It needs a target that can be killed and started."""

from datetime import date
from typing import Final

from .contract import Contract
from .inquiry import CannotBeChecked, Inquiry


async def ask(inquiry: Inquiry) -> None:
    """Say that it cannot be checked: nothing here may kill the target."""
    await inquiry.endpoints()
    raise CannotBeChecked("the target has to be killed and started again, which no configuration allows yet")


CT_29: Final = Contract(
    id="CT-29",
    title="Clients, grants and sessions outlive a restart",
    about="Who keeps registered clients in memory logs everybody out with every deployment, and hosts do not recover.",
    incidents=("T-08", "P-22", "CT-29"),
    severity="critical",
    advice="Keep clients and grants in a store, or sign them so that they need none.",
    source="contract CT-29 of this project",
    seen=date(2026, 9, 20),
    expires=date(2027, 9, 20),
    ask=ask,
)
