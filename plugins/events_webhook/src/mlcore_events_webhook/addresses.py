"""Which addresses requests may go to: public ones, and those of networks that the operator allows."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence

from mlcore_events_webhook.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# IPv6 addresses that a gateway turns into the IPv4 address in their last 32 bits (RFC 6052, RFC 8215)
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.ip_network("::/96")


class ForbiddenAddressError(OSError):
    """A name leads to an address that requests may not go to; trying again would not help."""


def resolve(host: str, port: int, allowed: Sequence[Network]) -> list[str]:
    """Return the addresses of a host, all of which may be reached; a connection goes to one of them, not to the name.

    One forbidden address is enough to refuse the name: a name that leads inside and outside is nobody's endpoint.
    Raises ForbiddenAddressError. OSError: the name is not known.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(place[4][0]) for place in found))
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        if not may_reach(address, allowed):
            raise ForbiddenAddressError(
                f"{host} leads to {address}, which is no public address: allow its network with "
                "MLCORE_WEBHOOK_ALLOW_NETWORKS if requests shall go there"
            )
    return addresses


def may_reach(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether requests may go to an address, and to every IPv4 address that is wrapped in it."""
    return all(_is_public(each) or any(each in network for network in allowed) for each in _meant(address))


def _is_public(address: Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _meant(address: Address) -> Iterator[Address]:
    """Yield what a packet to an address may reach in the end."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    wrapped = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in (*_TRANSLATED, _COMPATIBLE)) and address.ipv4_mapped is None:
        wrapped.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    inner = [each for each in wrapped if each is not None]
    yield from inner
    if not inner or address.sixtofour is not None:
        yield address
