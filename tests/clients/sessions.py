"""boto3 for what a test sets up, with a key of its own."""

from __future__ import annotations

from typing import Any

import boto3

from tests.clients.conftest import REGION, Service


def client_of(service: Service, account_id: str, kind: str = "guardduty") -> Any:
    """A client of one service of AWS as the environment of an account has it."""
    environ = service.environ(account_id)
    return boto3.client(
        kind,
        region_name=REGION,
        endpoint_url=service.url if kind == "guardduty" else service.other_services,
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
    )
