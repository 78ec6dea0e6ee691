"""What can go wrong before anything is sent."""

from ..errors import ToolFailed


class UpstreamUnavailable(ToolFailed):
    """A host failed so often that it is left alone for a while. Nothing was sent. Let it pass: the model is told."""
