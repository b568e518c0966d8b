"""Linux distributions for penetration testing, told by the user agents of their AWS clients.

A client tells its system in three places: the kernel's release (`Linux/5.10.0-kali3-amd64`, `os/linux#6.12.13+kali`,
`Linux/6.5.0-13parrot1-amd64`), the AWS CLI's own marker (`md/distrib#kali.2025`), and that of older releases of it
(`exe/x86_64.kali.2021`). A name anywhere else, such as in an application's or a resource's, says nothing.

Source: AWS SDK reference guide, user agent; user agents seen in published CloudTrail records.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from guardray.detectors.calls import caller_of, origin_of
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.findings.resources import Resource
from guardray.types import Row

DISTRIBUTIONS = {"KaliLinux": "kali", "ParrotLinux": "parrot", "PentooLinux": "pentoo"}
"""Family of the finding type to the name that the distribution gives itself."""


def runs(distribution: str) -> pl.Expr:
    """Whether the user agent tells of a client that runs on the distribution."""
    kernel = rf"linux[/#-]\d[\w.+~-]*[\d.+~_-]{distribution}"
    marker = rf"md/distrib#{distribution}"
    older_marker = rf"(?:exe|source)/\w+\.{distribution}"
    agent = pl.col("http_request_user_agent")
    mentioned = agent.str.contains_any([distribution], ascii_case_insensitive=True)  # a tenth of the pattern's cost
    return pl.when(mentioned).then(agent).str.contains(rf"(?i)\b(?:{kernel}|{marker}|{older_marker})(?:[^a-z]|$)")


def describer(family: str, resource_of: Callable[[Row], Resource]) -> Callable[[Row], Details]:
    """How findings of a family are described: what of ours the call was about is the log's to say."""
    system = family.removesuffix("Linux") + " Linux"

    def details(row: Row) -> Details:
        agent = {"fullUserAgent": row["http_request_user_agent"], "userAgentCategory": system}
        return Details(
            title=f"API {row['api_operation']} was invoked from a {system} machine.",
            description=f"{caller_of(row)} called from {origin_of(row)} with a client that runs on {system}.",
            resource=resource_of(row),
            action=AwsApiCall.of(row),
            additional_info={"userAgent": agent},
        )

    return details


def user_agents(distribution: str) -> dict[str, str]:
    """User agents that tell of the distribution, by the place that does: what examples are made of."""
    return {
        "the kernel's release": f"Boto3/1.18.1 Python/3.9.5 Linux/5.10.0-1{distribution}1-amd64 Botocore/1.21.1",
        "the AWS CLI": f"[aws-cli/2.31.3 ua/2.1 os/linux#6.12.1 md/distrib#{distribution.title()}.2025 md/prompt#off]",
        "an older AWS CLI": f"aws-cli/2.2.23 Python/3.8.8 Linux/5.10.1 exe/x86_64.{distribution}.2021 prompt/off",
    }


def bystanders(distribution: str) -> dict[str, str]:
    """User agents that hold the name where it tells nothing."""
    return {
        "a word holds the name": f"aws-cli/2.31.3 os/linux#6.12.1-al{distribution}ne md/distrib#ubuntu.22",
        "an application has the name": f"Boto3/1.18.1 Linux/5.10.0-aws Botocore/1.21.1 app/{distribution}",
    }
