"""Policy:IAMUser/CallsByUnknownTool: a person called AWS with a tool that we do not use.

Only IAM users are looked at: what roles are used with differs from service to service.
"""

from __future__ import annotations

import polars as pl

from guardray.detectors.calls import PRINCIPAL, caller_of, credentials
from guardray.detectors.declare import RuleDetector, fires, quiet
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.types import Row

OUR_TOOLS = ("aws-cli", "Terraform", "console", "AWS service")


def details(row: Row) -> Details:
    tool = row["http_request_user_agent_family"]
    return Details(
        title=f"{caller_of(row)} called AWS with {tool}.",
        description=f"{caller_of(row)} called {row['api_operation']} with {row['http_request_user_agent']}.",
        resource=credentials(row),
        action=AwsApiCall.of(row),
    )


CALL = {"actor_user_type": "IAMUser", "actor_user_name": "alice", "http_request_user_agent": "rclone/v1.70"}

DETECTOR = RuleDetector(
    finding_type="Policy:IAMUser/CallsByUnknownTool",
    severity=2.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=(*PRINCIPAL, "http_request_user_agent_family"),
    where=(pl.col("actor_user_type") == "IAMUser")
    & ~pl.col("http_request_user_agent_family").cast(pl.String).is_in(OUR_TOOLS),
    details=details,
    mode="DRY_RUN",
    examples=(
        fires("a user calls with rclone", CALL),
        quiet("a user calls with the command line", CALL | {"http_request_user_agent": "aws-cli/2.30.0"}),
        quiet("a role calls with rclone", CALL | {"actor_user_type": "AssumedRole"}),
        quiet("the tool is unknown", CALL | {"http_request_user_agent": None}),
    ),
)
