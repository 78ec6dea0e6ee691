"""Diagnosis: what stands between hosts and a connector, and whose fault a failure is.

`observing` asks, as a host would, and keeps what came; evidence functions draw conclusions from that and from nothing
else; `diagnosing` puts both together. A new kind of evidence is a new pure function in `diagnosing.EVIDENCE`.
"""

from .diagnosing import diagnose, weigh
from .diagnosis import Certainty, Diagnosis, Evidence, Suspect, Verdict
from .observations import Observations, Place, Question
from .report import as_lines, document, write_json

__all__ = [
    "Certainty",
    "Diagnosis",
    "Evidence",
    "Observations",
    "Place",
    "Question",
    "Suspect",
    "Verdict",
    "as_lines",
    "diagnose",
    "document",
    "weigh",
    "write_json",
]
