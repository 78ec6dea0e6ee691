"""Which network addresses a stranger may make this server call. Pure."""

import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: a public IPv4 address as IPv6-only networks spell it; what it embeds decides."""

_NEVER: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        "0.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "240.0.0.0/4", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        "5f00::/16", "fec0::/10",
    )
)  # fmt: skip
"""What the standard library calls global in some versions, tunnels whose end is elsewhere, and the address under which
one cloud answers its guests (168.63.129.16)."""


def may_be_called(text: str, *, loopback: bool = False) -> bool:
    """Whether `text` is an address on the public internet; with `loopback`, this machine too."""
    try:
        address: Address = ipaddress.ip_address(text)
    except ValueError:
        return False
    address = _embedded(address)
    if address.is_loopback:
        return loopback
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def is_loopback(text: str) -> bool:
    """Whether `text` is an address of this machine."""
    try:
        return _embedded(ipaddress.ip_address(text)).is_loopback
    except ValueError:
        return False


def _embedded(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that is only a spelling of it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return ipaddress.IPv4Address(address.packed[-4:]) if address in _NAT64 else address
