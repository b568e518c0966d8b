"""Trojan:EC2/DNSDataExfiltration: an instance sends data out in the names that it asks for, or gets it in answers.

Whoever holds a domain reads every name that is asked for below it, and answers as they like. Tunnels (iodine, dnscat2)
put data into the labels, so one client asks for ever new, long names below one domain; and a payload may be fetched in
text records, a piece a name. Three things are told from an hour of one client and one domain: many long names; very
many shorter ones; many names with long answers. Long names that come again carry nothing, nor do addresses in reverse.

It does not see names that carry less than 12 bytes each, nor what is spread over many domains or sent slower than the
thresholds. Antivirus and block lists are asked in this very way about files and addresses, most by names that carry
less than `dns_columns.CARRIER_BITS`; the operators that are known are left out, and others can go on a trusted list.

Source: GuardDuty user guide, EC2 finding types; severity High. Volume per client and domain as the mark of tunnels:
Paxson et al. 2013, Practical comprehensive bounds on surreptitious communication over DNS.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from guardray.detectors.activity import Activity, DistinctTexts, Sample
from guardray.detectors.declare import ActivityDetector, fires, quiet
from guardray.detectors.ec2.connections import RESOURCE
from guardray.detectors.ec2.queries import FROM_INSIDE, query, request_details
from guardray.findings.details import Details
from guardray.schema import dns_activity
from guardray.stats.measures import Count, Max, Sum
from guardray.types import Row

PERIOD = timedelta(hours=1)
"""Short enough that what is usual in a day of a busy client does not add up, long enough for slow senders."""

CARRIERS = 20
"""Different names in the hour that are long enough to carry data. No ordinary client that was looked at has any; the
shortest session of a tunnel has ten a second."""

CARRIED_BYTES = 1500
"""In all names of the hour: a key file or a list of users."""

SHORT_NAMES, SHORT_NAMES_BYTES = 600, 10_000
"""Names in the hour, and what they carry, where few or none are long. Telemetry and advertising put one random
identifier into a name, a client has dozens an hour; scanners of files ask for some hundred digests."""

ANSWERED_NAMES, ANSWERED_BYTES = 30, 6000
"""Different names with long answers below one domain in the hour, and the answers' length: a small script. Records for
mail are long too, and there are a few below one domain."""

LOOKUP_SERVICES = (
    "abuse.ch", "ampproject.org", "barracudabrts.com", "barracudacentral.org", "brightcloud.com", "cymru.com",
    "dnsbl.info", "dnswl.org", "e5.sk", "gstatic.com", "googlesyndication.com", "mailspike.net", "mailspike.org",
    "mcafee.com", "rspamd.com", "shadowserver.org", "sophosxl.com", "sophosxl.net", "sorbs.net", "spamcop.net",
    "spamhaus.net", "spamhaus.org", "surbl.org", "trendmicro.com", "uribl.com", "webcfs00.com",
)  # fmt: skip
"""Domains of services that are asked by what a name says: block lists and antivirus; and two that write the site or a
random identifier into names of their own. Their operators hold them, so nobody else can receive data there."""

SHOWN = 60
"""Characters of a name in a sentence; the finding has all of them beside it."""

_DISTINCT = pl.min_horizontal("distinct", "queries")
"""Many names are counted by estimate, which can be above the number of queries."""

_BYTES = pl.col("bits") * _DISTINCT / pl.col("queries") / 8
"""What different names carry: names that are asked for again count once."""

_LONG_NAMES = (pl.col("carriers") >= CARRIERS) & (_BYTES >= CARRIED_BYTES)
_MANY_NAMES = (_DISTINCT >= SHORT_NAMES) & (_BYTES >= SHORT_NAMES_BYTES)
_LONG_ANSWERS = (_DISTINCT >= ANSWERED_NAMES) & (pl.col("answered") >= ANSWERED_BYTES)


def _short(name: str) -> str:
    return name if len(name) <= SHOWN else f"{name[:SHOWN]}…"


def details(row: Row) -> Details:
    """What was carried, below which domain, and examples."""
    who, names, distinct = row["resource_uid"], row["names"], min(row["distinct"], row["queries"])
    domain = row["query_carrier_domain"]
    below = f"below {domain}" if domain else "without a domain"
    sent = round(row["bits"] * distinct / row["queries"] / 8)
    return request_details(
        row,
        title=f"{who} exchanges data by DNS, in names {below}.",
        description=f"{who} asked for {distinct} different names {below} within an hour, such as {_short(names[0])}. "
        f"Together they carry up to {sent:,} bytes, and their long answers {row['answered']:,}: whoever answers for "
        "them can read the ones and write the others, past any firewall.",
        additional_info={
            "domain": domain,
            "names": names,
            "recordTypes": row["types"],
            "queries": row["queries"],
            "distinctNames": distinct,
            "namesThatCarryData": row["carriers"],
            "bytesInNames": sent,
            "bytesInAnswers": row["answered"],
            "mostBytesInOneName": row["most_bits"] // 8,
        },
    )


def _digits(number: int, length: int, base: int = 16) -> str:
    """Digits that look drawn, the same every time."""
    state, found = number * 2654435761 + 12345, ""
    while len(found) < length:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        found += "0123456789abcdefghijklmnopqrstuv"[(state >> 33) % base]
    return found


def _tunnel(count: int, below: str, length: int = 120, **columns: object) -> tuple[dict[str, object], ...]:
    names = (_digits(i, length, 32) for i in range(count))
    labels = (".".join(name[at : at + 60] for at in range(0, length, 60)) for name in names)
    return tuple({**query(f"{label}.{below}"), **columns} for label in labels)


_TEXT = {"query_type": "TXT", "answers": ["x" * 250], "answer_types": ["TXT"]}
_KEY = {"query_type": "TXT", "answers": ["v=DKIM1; k=rsa; p=" + "x" * 380], "answer_types": ["TXT"]}

DETECTOR = ActivityDetector(
    finding_type="Trojan:EC2/DNSDataExfiltration",
    severity=8.0,
    source="dns",
    schema=dns_activity.SCHEMA,
    role="ACTOR",
    entity=(*RESOURCE, "query_carrier_domain"),
    activity=Activity(
        name="names that carry data",
        schema=dns_activity.SCHEMA,
        where=FROM_INSIDE
        & pl.col("query_carrier_domain").is_not_null()
        & ~pl.col("query_registered_domain").is_in(LOOKUP_SERVICES).fill_null(False),
        owner=RESOURCE,
        group=(*RESOURCE, "query_carrier_domain"),
        period=PERIOD,
        measures={
            "queries": Count(),
            "distinct": DistinctTexts("query_hostname"),
            "carriers": DistinctTexts("query_carrier", most=64),
            "bits": Sum("query_bits"),
            "most_bits": Max("query_bits"),
            "answered": Sum("answers_bytes"),
            "names": Sample("query_hostname", most=3),
            "types": Sample("query_type"),
        },
    ),
    crossed=_LONG_NAMES | _MANY_NAMES | _LONG_ANSWERS,
    details=details,
    tunables={
        "CARRIERS": CARRIERS,
        "CARRIED_BYTES": CARRIED_BYTES,
        "SHORT_NAMES": SHORT_NAMES,
        "SHORT_NAMES_BYTES": SHORT_NAMES_BYTES,
        "ANSWERED_NAMES": ANSWERED_NAMES,
        "ANSWERED_BYTES": ANSWERED_BYTES,
    },
    examples=(
        fires("long names, each new, below one domain", *_tunnel(40, "t.example.com"), severity=8.0),
        fires("nobody answers", *_tunnel(40, "t.example.com", rcode="NXDOMAIN")),
        fires("the domain is below no public suffix", *_tunnel(40, "t.pirates")),
        fires(
            "the names have no domain at all",
            *(
                {**row, "query_hostname": f"tunnel.{_digits(i, 60)}.{_digits(i, 59)}1"}
                for i, row in enumerate(_tunnel(40, "x"))
            ),
        ),
        fires("very many names of a digest's length", *_tunnel(800, "t.example.com", length=40)),
        fires("a payload comes in text records", *({**query(f"{i}.load.example.com"), **_TEXT} for i in range(40))),
        fires("the log does not name the instance", *_tunnel(40, "t.example.com", instance_uid=None)),
        quiet("a long name is asked for again and again", *_tunnel(1, "t.example.com") * 200),
        quiet("few long names", *_tunnel(12, "t.example.com")),
        quiet("files are looked up by their digest", *_tunnel(300, "files.avquill.example", length=40)),
        quiet(
            "long names are spread over many domains", *(row for i in range(40) for row in _tunnel(1, f"site{i}.com"))
        ),
        quiet("a known antivirus is asked", *_tunnel(40, "avqs.mcafee.com")),
        quiet(
            "block lists are asked about addresses",
            *(query(f"{i % 256}.{i // 256}.0.203.zen.dnsbl.example.com") for i in range(2000)),
        ),
        quiet(
            "addresses are looked up in reverse", *(query(f"{'.'.join(_digits(i, 32))}.ip6.arpa") for i in range(700))
        ),
        quiet("keys of mail servers are long", *({**query(f"s{i}._domainkey.mail{i}.com"), **_KEY} for i in range(60))),
        quiet("somebody outside the VPC asks", *_tunnel(40, "t.example.com", resolver_endpoint_uid="rslvr-in-1")),
        quiet("the names are unknown", *({**row, "query_hostname": None} for row in _tunnel(40, "t.example.com"))),
    ),
)
