"""Names that GuardDuty gives to port and protocol numbers."""

from __future__ import annotations

_SERVICES = {
    20: "FTP-DATA",
    21: "FTP",
    22: "SSH",
    23: "TELNET",
    25: "SMTP",
    53: "DNS",
    80: "HTTP",
    88: "KERBEROS",
    110: "POP3",
    111: "RPC",
    123: "NTP",
    135: "MSRPC",
    137: "NETBIOS-NS",
    139: "NETBIOS-SSN",
    143: "IMAP",
    161: "SNMP",
    389: "LDAP",
    443: "HTTPS",
    445: "SMB",
    465: "SMTPS",
    587: "SUBMISSION",
    636: "LDAPS",
    853: "DOT",
    993: "IMAPS",
    995: "POP3S",
    1433: "MSSQL",
    1521: "ORACLE",
    2049: "NFS",
    2375: "DOCKER",
    3306: "MYSQL",
    3389: "RDP",
    5432: "POSTGRESQL",
    5900: "VNC",
    5985: "WINRM",
    5986: "WINRM-HTTPS",
    6379: "REDIS",
    8080: "HTTP-ALT",
    9200: "ELASTICSEARCH",
    11211: "MEMCACHED",
    27017: "MONGODB",
}

_PROTOCOLS = {
    1: "ICMP",
    2: "IGMP",
    4: "IPv4",
    6: "TCP",
    17: "UDP",
    41: "IPv6",
    46: "RSVP",
    47: "GRE",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
    88: "EIGRP",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    132: "SCTP",
}

_PROTOCOL_NUMBERS = {name: number for number, name in _PROTOCOLS.items()}


def port_name(port: int) -> str:
    """The service that usually listens on a port, or `Unknown`."""
    return _SERVICES.get(port, "Unknown")


def protocol_name(number: int) -> str:
    """IANA's keyword for a protocol number; the number itself where it has none that is in use."""
    return _PROTOCOLS.get(number, str(number))


def protocol_number(name: str) -> int:
    """The number that `protocol_name` gave this name to."""
    return _PROTOCOL_NUMBERS[name] if name in _PROTOCOL_NUMBERS else int(name)
