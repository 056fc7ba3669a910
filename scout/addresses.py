"""Which network addresses the fetch door may reach: the public ones, and why not the others.

`ipaddress`'s own flags are no gate: `is_private` is False for shared address space and for the multicast
ranges, and `is_global` is True for addresses that carry a private one inside. So an explicit list with
reasons comes first, carried addresses are unwrapped, and what is left must be global.

The ranges are those of the IANA special-purpose address registries (RFC 6890) and the multicast ranges.
"""

from __future__ import annotations

import ipaddress

_DENIED_4 = tuple(
    (ipaddress.IPv4Network(network), why)
    for network, why in (
        ("0.0.0.0/8", "it means this machine"),
        ("10.0.0.0/8", "it is a private network"),
        ("100.64.0.0/10", "it is address space shared inside a provider's network"),
        ("127.0.0.0/8", "it is this machine"),
        ("168.63.129.16/32", "it is a cloud's internal service"),
        ("169.254.0.0/16", "it is link-local, where clouds keep their secrets"),
        ("172.16.0.0/12", "it is a private network"),
        ("192.0.0.0/24", "it is reserved for protocols"),
        ("192.0.2.0/24", "it is for examples only"),
        ("192.88.99.0/24", "it is the retired 6to4 relay range"),
        ("192.168.0.0/16", "it is a private network"),
        ("198.18.0.0/15", "it is for benchmarks of networks"),
        ("198.51.100.0/24", "it is for examples only"),
        ("203.0.113.0/24", "it is for examples only"),
        ("224.0.0.0/4", "it is multicast"),
        ("240.0.0.0/4", "it is reserved"),
    )
)
_DENIED_6 = tuple(
    (ipaddress.IPv6Network(network), why)
    for network, why in (
        ("::/128", "it means this machine"),
        ("::1/128", "it is this machine"),
        ("::/96", "it is a retired way to write an IPv4 address"),
        ("64:ff9b:1::/48", "it is translated inside a local network"),
        ("100::/64", "it is discarded"),
        ("100:0:0:1::/64", "it is reserved for protocols"),
        ("2001:2::/48", "it is for benchmarks of networks"),
        ("2001:10::/28", "it is no address to connect to"),
        ("2001:20::/28", "it is no address to connect to"),
        ("2001:db8::/32", "it is for examples only"),
        ("3fff::/20", "it is for examples only"),
        ("5f00::/16", "it is for routing inside a network"),
        ("fc00::/7", "it is a private network"),
        ("fe80::/10", "it is link-local"),
        ("fec0::/10", "it is a private network"),
        ("ff00::/8", "it is multicast"),
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")


def refusal(address: str) -> str | None:
    """Why an address must not be reached, as the end of a sentence; None when it is public.

    Args:
        address: An IPv4 or IPv6 address as the resolver gives it, a zone after `%` included.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "it is not an address"
    if isinstance(parsed, ipaddress.IPv4Address):
        return _refusal_4(parsed)
    carried = _carried(parsed)
    if carried is None:
        return _refusal_6(parsed)
    inside = ((inner, _refusal_4(inner)) for inner in carried)
    return next((f"it carries {inner} inside: {why}" for inner, why in inside if why), None)


def _refusal_6(address: ipaddress.IPv6Address) -> str | None:
    for network, why in _DENIED_6:
        if address in network:
            return why
    if address not in _GLOBAL_UNICAST or not address.is_global:
        return "it is not a public address"
    return None


def _refusal_4(address: ipaddress.IPv4Address) -> str | None:
    for network, why in _DENIED_4:
        if address in network:
            return why
    return None if address.is_global else "it is not a public address"


def _carried(address: ipaddress.IPv6Address) -> tuple[ipaddress.IPv4Address, ...] | None:
    """The IPv4 addresses that packets to an IPv6 address end at, where it is a wrapping of them."""
    if address.ipv4_mapped is not None:  # RFC 4291, 2.5.5.2
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:  # RFC 3056
        return (address.sixtofour,)
    if address.teredo is not None:  # RFC 4380: the server and the client
        return address.teredo
    if address in _NAT64:  # RFC 6052
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    return None
