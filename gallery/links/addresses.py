"""Which addresses are on the public internet, and which of them a host name stands for."""

import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.conf import settings

from gallery.links import errors
from gallery.links.deadline import Deadline

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# The only block of IPv6 that is given out for the public internet. Loopback, link-local, unique local and multicast
# addresses lie outside, and so does most that only wraps an IPv4 address: mapped, compatible, translated, NAT64.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# What ``is_global`` lets pass, in this or an older version of Python, and is not a host on the internet all the same.
# Source: the IANA registries of special-purpose addresses (RFC 6890).
_SPECIAL: tuple[Network, ...] = (
    ipaddress.IPv4Network("192.0.0.0/24"),  # protocol assignments; the metadata server of a cloud is among them
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays to 6to4
    ipaddress.IPv4Network("168.63.129.16/32"),  # Azure's own services, as seen from its machines
    ipaddress.IPv4Network("224.0.0.0/4"),  # multicast
    ipaddress.IPv6Network("2001::/23"),  # protocol assignments; Teredo, which wraps IPv4, is among them
    ipaddress.IPv6Network("2002::/16"),  # 6to4, which wraps IPv4
    ipaddress.IPv6Network("3fff::/20"),  # documentation
)
# Looking up a name cannot be broken off, so it is left behind when time is up; no more than these are.
_resolvers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="link-names")


def is_public(address: Address) -> bool:
    """Whether an address belongs to a host on the public internet, outside of ``LINK_REFUSED_NETWORKS``."""
    if isinstance(address, ipaddress.IPv6Address) and (address not in _GLOBAL_UNICAST or address.scope_id):
        return False
    refused = (*_SPECIAL, *_networks(tuple(settings.LINK_REFUSED_NETWORKS)))
    return address.is_global and not any(address in network for network in refused)


def public_addresses(host: str, port: int, deadline: Deadline) -> list[Address]:
    """The addresses that a host name (or an address, however it is written) stands for, each once, in their order.

    :raises LinkRefused: where there is none, where one of them is not public, or when time is up
    """
    lookup = _resolvers.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        found = lookup.result(timeout=deadline.left())
    except TimeoutError as error:
        lookup.cancel()
        raise errors.too_slow() from error
    except (OSError, UnicodeError) as error:  # no such name; a name that cannot be one
        raise errors.not_public(host) from error
    addresses = list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))
    if not addresses or not all(map(is_public, addresses)):
        raise errors.not_public(host)
    return addresses


@cache
def _networks(written: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(network) for network in written)
