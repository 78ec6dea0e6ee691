"""How a failure is told without giving away what was sent: fields without values, places without texts."""

import logging
import traceback

from pydantic import ValidationError

logger = logging.getLogger("ballast")


def fields_of(invalid: ValidationError) -> str:
    """Which fields are wrong and why, without the values that were sent."""
    return "; ".join(
        f"{'.'.join(map(str, error['loc'])) or 'value'}: {error['msg']}"
        for error in invalid.errors(include_url=False, include_context=False, include_input=False)
    )


def log_crash(what: str, raised: BaseException) -> None:
    """Log where it happened and the exception's type. Its text may hold arguments or secrets, so that is for DEBUG
    only.
    """
    frames = "".join(traceback.format_tb(raised.__traceback__))
    logger.error("%s with %s (its text is logged at DEBUG)\n%s", what, type(raised).__qualname__, frames)
    logger.debug("%s", what, exc_info=raised)
