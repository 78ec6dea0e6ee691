"""The outside world as tools reach it: one HTTP client per connector, which alone decides what is tried again."""

from .client import BoundClient, Upstream
from .errors import UpstreamUnavailable

__all__ = ["BoundClient", "Upstream", "UpstreamUnavailable"]
