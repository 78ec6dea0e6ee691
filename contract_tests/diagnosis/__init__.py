"""Diagnosis: what stands between hosts and a connector, and whose fault a failure is.

`observing` asks, as a host would, and keeps what came; `outside`, `inside` and `fleet` read answers off it, each the
answer to a question of weights.yaml; `weighing` adds up what they say of everybody and names one, or nobody.
"""

from .diagnosing import conclude, diagnose
from .diagnosis import Certainty, Diagnosis, Evidence, Standing, Suspect
from .outside.observations import Observations, Place, Question
from .report import as_lines, document, write_json
from .weighing.culprit import Culprit
from .weighing.scales import weigh
from .weighing.verdict import Sign, Verdict

__all__ = [
    "Certainty",
    "Culprit",
    "Diagnosis",
    "Evidence",
    "Observations",
    "Place",
    "Question",
    "Sign",
    "Standing",
    "Suspect",
    "Verdict",
    "as_lines",
    "conclude",
    "diagnose",
    "document",
    "weigh",
    "write_json",
]
