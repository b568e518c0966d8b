"""UnauthorizedAccess:EC2/MetadataDNSRebind: a name outside AWS's own was answered with the instance metadata address.

A web application that fetches what strangers name can be led to the metadata service, and so to the instance's
credentials, by a name of theirs that resolves to its address. AWS's own names in the VPC do so too, as they should.

Source: GuardDuty user guide, EC2 finding types; severity High. Addresses of the service: EC2 user guide, instance
metadata.
"""

from __future__ import annotations

import polars as pl

from guardray.detectors.declare import RuleDetector, fires, quiet
from guardray.detectors.ec2.connections import RESOURCE
from guardray.detectors.ec2.queries import FROM_INSIDE, query, request_details
from guardray.findings.details import Details
from guardray.schema import dns_activity
from guardray.types import Row

METADATA_ADDRESSES = ("169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254")
"""The last is the first as an AAAA record writes it."""

AWS_NAMES = r"^instance-data$|\.(ec2|compute)\.internal$"
"""`instance-data`, which search domains complete to `instance-data.ec2.internal` or
`instance-data.REGION.compute.internal`; strangers cannot register names there."""

_LEADS_TO_METADATA = pl.any_horizontal(pl.col("answers").list.contains(address) for address in METADATA_ADDRESSES)


def details(row: Row) -> Details:
    who, name = row["resource_uid"], row["query_hostname"]
    return request_details(
        row,
        title=f"{who} asked for {name}, which leads to the instance metadata service.",
        description=f"{who} asked the resolver for {name}, and was answered with the address of the instance metadata "
        "service: a request to that name can read the instance's credentials.",
    )


REBOUND = query("a1b2.rebind.example", answers=["169.254.169.254"], answer_types=["A"])

DETECTOR = RuleDetector(
    finding_type="UnauthorizedAccess:EC2/MetadataDNSRebind",
    severity=8.0,
    source="dns",
    schema=dns_activity.SCHEMA,
    role="ACTOR",
    entity=RESOURCE,
    where=FROM_INSIDE & _LEADS_TO_METADATA & ~pl.col("query_hostname").str.contains(AWS_NAMES),
    details=details,
    examples=(
        fires("a stranger's name leads to the metadata service", REBOUND, severity=8.0),
        fires("by an alias", dict(REBOUND, answers=["x.example", "169.254.169.254"], answer_types=["CNAME", "A"])),
        fires("by IPv6", dict(REBOUND, answers=["fd00:ec2::254"], answer_types=["AAAA"])),
        quiet("the answer is another address", dict(REBOUND, answers=["198.51.100.7"])),
        quiet("the name is AWS's own", dict(REBOUND, query_hostname="instance-data.eu-west-1.compute.internal")),
        quiet("the name is AWS's own, in us-east-1", dict(REBOUND, query_hostname="instance-data.ec2.internal")),
        quiet("somebody outside the VPC asks", dict(REBOUND, resolver_endpoint_uid="rslvr-in-1")),
        quiet("there is no answer", dict(REBOUND, answers=None)),
        quiet("the name is unknown", dict(REBOUND, query_hostname=None)),
    ),
)
