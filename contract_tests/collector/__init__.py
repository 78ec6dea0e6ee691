"""An OTLP/HTTP trace receiver on a loopback port, for the spans a target exports while it is tested."""

from .collector import Collector
from .receiver import ACCEPT, HANG, PARTIAL, THROTTLE, UNAVAILABLE, Answer

__all__ = ["ACCEPT", "HANG", "PARTIAL", "THROTTLE", "UNAVAILABLE", "Answer", "Collector"]
