"""The inventory as EC2 itself describes it, by `ec2:DescribeInstances` and `ec2:DescribeNetworkInterfaces`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import polars as pl
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from guardray.errors import SourceError, UsageError
from guardray.inventory.facts import FactList, together
from guardray.inventory.files import add_document

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=60)
_PAGE = 1000


def describe(regions: Iterable[str] = (), session: boto3.Session | None = None) -> pl.DataFrame:
    """The facts of an account in these Regions, in the schema `FACTS`; arguments and errors as of `documents`."""
    facts = FactList()
    for document in documents(regions, session):
        add_document(facts, document, f"ec2 {document['Region']}")
    return together([facts.frame()])


def documents(regions: Iterable[str] = (), session: boto3.Session | None = None) -> list[dict[str, Any]]:
    """What an inventory file holds, one document a Region: `AccountId`, `Region`, `NetworkInterfaces`, `Instances`.

    Args:
        regions: the session's own if none is given.
        session: credentials and settings; those of the environment if not given.

    Raises:
        UsageError: no Region is given, nor does the session have one.
        SourceError: AWS cannot be reached, or refuses.
    """
    session = session or boto3.Session()
    chosen = list(dict.fromkeys(regions)) or [session.region_name]
    if chosen == [None]:
        raise UsageError("--region: none given, and none is set in the environment")
    if "" in chosen:
        raise UsageError("--region '' is not the name of a Region, such as eu-west-1")
    with _as_source_error(f"sts {chosen[0]}"):
        account = session.client("sts", region_name=chosen[0], config=_CONFIG).get_caller_identity()["Account"]
    return [_document(session, account, region) for region in chosen]


def _document(session: boto3.Session, account: str, region: str) -> dict[str, Any]:
    with _as_source_error(f"ec2 {region}"):
        client = session.client("ec2", region_name=region, config=_CONFIG)
        reservations = _all_of(client, "describe_instances", "Reservations")
        return {
            "AccountId": account,
            "Region": region,
            "NetworkInterfaces": list(_all_of(client, "describe_network_interfaces", "NetworkInterfaces")),
            "Instances": [instance for one in reservations for instance in one["Instances"]],
        }


def _all_of(client: Any, operation: str, member: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(PaginationConfig={"PageSize": _PAGE}):
        yield from page[member]


@contextmanager
def _as_source_error(place: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        refused = error.response.get("Error", {})
        raise SourceError(place, f"{refused.get('Code')}: {refused.get('Message')}") from error
    except BotoCoreError as error:
        raise SourceError(place, str(error)) from error
