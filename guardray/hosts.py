"""Where a host name leads to, and whether that is on the public internet."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")


def addresses_of(host: str, port: int, *, allow_private: bool) -> tuple[str, ...]:
    """The addresses of a host, all of them checked: whoever connects to one of them asks no resolver again.

    Raises:
        ValueError: there are none, or one is not on the public internet and that is not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ValueError(f"{host} has no address: {getattr(error, 'strerror', None) or error}") from error
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not allow_private:
        for address in addresses:
            if not is_public(address):
                leads = "leads to" if host == address else f"{host} is"
                raise ValueError(f"{leads} {address}, not a public address (allow_private_addresses is not set)")
    return addresses


def is_public(address: str) -> bool:
    """Whether an address is on the public internet; where an IPv4 address stands inside it, that one."""
    parsed = ip_address(address.partition("%")[0])
    inside = _inside(parsed) if isinstance(parsed, IPv6Address) else None
    return _is_global(parsed if inside is None else inside)


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inside(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address is another writing of, or is translated to on the way."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
