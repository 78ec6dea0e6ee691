"""`Culprit`: who can be at fault. One of them is nobody in particular, and is said rather than a guess."""

from enum import StrEnum


class Culprit(StrEnum):
    """Who can be at fault for a failure."""

    PLATFORM = "platform"
    """The host: ChatGPT, Claude, an editor."""
    EDGE = "edge"
    """What guards the way in: content delivery network, firewall, bot rules, the certificate's holder, DNS."""
    PROXY = "proxy"
    """What carries bytes on the way: reverse proxy, balancer, ingress, tunnel."""
    AUTHORIZATION = "authorization"
    """The authorization server, be it built in or elsewhere."""
    CONNECTOR = "connector"
    """The server: its code as a whole, its process, its dependencies, its documents."""
    TOOL = "tool"
    """One tool: its code, its result, what it calls."""
    LIMIT = "limit"
    """A limit of the client that a proper answer exceeds, in time or in size."""
    USER = "user"
    """The user's side: address, account, what is switched on in the conversation."""
    UNKNOWN = "unknown"
    """Too little or too contradictory evidence."""
