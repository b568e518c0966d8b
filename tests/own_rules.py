"""Rules for tests: a file in YAML that is right, to be changed where it matters, and its detector."""

from __future__ import annotations

from pathlib import Path

from guardray.custom.rules import read_rule
from guardray.custom.yaml_text import read_document
from guardray.detectors.declare import Query, QueryDetector
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.types import Row

RULE = """\
finding_type: Policy:IAMUser/UserCreated
about: Somebody created a user.
source: cloudtrail-management
severity: low
operations: [CreateUser]
condition: |
  api_service_name = 'iam.amazonaws.com'
  AND api_response_error IS NULL
title: "{caller} created user {request.userName}."
examples:
  - fires: a user is created
    row: &call
      api_operation: CreateUser
      api_service_name: iam.amazonaws.com
      api_request_data: {userName: mallory}
  - quiet: the call is denied
    row: {<<: *call, api_response_error: AccessDenied}
"""

SIGMA = """\
title: User created
logsource: {product: aws, service: cloudtrail}
detection:
  selection:
    eventSource: iam.amazonaws.com
    eventName: CreateUser
  condition: selection
level: medium
tags: [attack.persistence]
"""

PYTHON = '''\
"""Policy:IAMUser/UserDeleted: somebody deleted a user."""

import polars as pl

from guardray.detectors.calls import PRINCIPAL, credentials
from guardray.detectors.declare import RuleDetector, fires, quiet
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.schema import api_activity

TITLE = "A user was deleted."


def details(row):
    return Details(title=TITLE, description=TITLE, resource=credentials(row), action=AwsApiCall.of(row))


DETECTOR = RuleDetector(
    finding_type="Policy:IAMUser/UserDeleted",
    severity=2.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=PRINCIPAL,
    where=pl.col("api_operation") == "DeleteUser",
    details=details,
    examples=(
        fires("a user is deleted", {"api_operation": "DeleteUser"}),
        quiet("a user is created", {"api_operation": "CreateUser"}),
    ),
)
'''


def rule_file(folder: Path, text: str = RULE, name: str = "rule.yaml") -> Path:
    """The file, written."""
    path = folder / name
    path.write_text(text)
    return path


def detector_of(folder: Path, text: str = RULE) -> QueryDetector:
    """The detector of a rule in YAML."""
    return read_rule(read_document(rule_file(folder, text)))[0]


def saying(row: Row) -> Details:
    """Nothing much of a row."""
    from guardray.detectors.calls import credentials
    from guardray.findings.actions import AwsApiCall

    return Details(title=row["rule"], description="", resource=credentials(row), action=AwsApiCall.of(row))


def query_detector(finding_type: str, *queries: Query) -> QueryDetector:
    """A detector of these conditions, whatever they are."""
    return QueryDetector(
        finding_type=finding_type,
        severity=2.0,
        source="cloudtrail-management",
        schema=api_activity.SCHEMA,
        role="TARGET",
        entity=("rule",),
        details=saying,
        examples=(),
        queries=queries,
    )
