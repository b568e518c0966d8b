"""Destinations that clients made, served: whether each can be written to, and what it is to get of which accounts.

Any number of keepers may do so at the same time: what is due is handed out to one of them at a time by the outbox.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy import Connection

from guardray.access.gate import utc_now
from guardray.api.operations.destinations import KIND, PENDING
from guardray.errors import UsageError
from guardray.publish.aws import failure_of
from guardray.publish.channel import Channel
from guardray.publish.kinds.export import S3Export
from guardray.store import api_detectors, api_members, api_resources
from guardray.store.api_resources import StoredResource
from guardray.store.database import Database
from guardray.store.outbox import Outbox
from guardray.store.outbox_register import API_PREFIX, Subscription

_LOG = logging.getLogger(__name__)

PUBLISHING, FAILING = "PUBLISHING", "UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY"

LOOK_AGAIN = timedelta(minutes=1)
"""After which a bucket that could not be written to is looked at again."""

ROUNDS_AT_ONCE = 10
"""Of one destination, before the others have their turn."""

_FREQUENCIES = {"FIFTEEN_MINUTES": "15m", "ONE_HOUR": "1h", "SIX_HOURS": "6h"}


class ExportKeeper:
    """Sends findings to the buckets that clients named."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._outbox = Outbox(database)
        self._clock = clock
        self._registered: list[Subscription] | None = None

    def run_once(self) -> int:
        """Sends what is due, and writes down how the destinations are; gives how many findings were sent.

        Raises:
            StoreError: the store cannot be asked.
        """
        with self._database.reading() as connection:
            wanted = {one.id: one for one in api_resources.all_resources(connection, [KIND])}
            exports = {one.id: export_of(one, _frequency(connection, one)) for one in wanted.values()}
            subscriptions = [_subscription(connection, one, exports[one.id]) for one in wanted.values()]
        if subscriptions != self._registered:
            self._outbox.register(subscriptions, self._clock(), of_api=True)
            self._registered = subscriptions
        return sum(self._serve(one, exports[one.id]) for one in wanted.values())

    def _serve(self, wanted: StoredResource, export: S3Export) -> int:
        if wanted.status == PUBLISHING:
            return self._publish(wanted, export)
        is_time = wanted.status == PENDING or self._clock() - wanted.updated_at >= LOOK_AGAIN
        if is_time:
            self._settle(wanted, _why_not(export))
        return 0

    def _publish(self, wanted: StoredResource, export: S3Export) -> int:
        sent = 0
        sender = export.sender(Path())
        with closing(Channel(export, sender, self._outbox, clock=self._clock, uniform=random.uniform)) as channel:
            for _ in range(ROUNDS_AT_ONCE):
                done = channel.round()
                sent += done.sent
                if done.error is not None:
                    self._settle(wanted, done.error)
                if done.error is not None or not done.sent:
                    break
        return sent

    def _settle(self, wanted: StoredResource, reason: str | None) -> None:
        """Writes down whether a destination works, unless somebody changed it meanwhile."""
        now = self._clock()
        content = {name: value for name, value in wanted.content.items() if name != "FailingSince"}
        if reason is not None:
            _LOG.warning("destination fails", extra={"destination": wanted.id, "reason": reason})
            content["FailingSince"] = wanted.content.get("FailingSince", int(now.timestamp() * 1000))
        with self._database.writing() as connection:
            there = api_resources.find(connection, wanted.account_id, wanted.region, wanted.kind, wanted.id)
            if there == wanted:
                status = PUBLISHING if reason is None else FAILING
                api_resources.change(connection, wanted, now, status=status, content=content)


def export_of(one: StoredResource, frequency: str) -> S3Export:
    """The destination as publishing knows it."""
    properties: Mapping[str, Any] = one.content["DestinationProperties"]
    bucket, _, prefix = properties["DestinationArn"].split(":::", 1)[1].partition("/")
    return S3Export(
        name=f"{API_PREFIX}{one.id}",
        update_every=_FREQUENCIES[frequency],  # type: ignore[arg-type]  # one of the three
        bucket=bucket,
        prefix=prefix,
        kms_key_arn=properties.get("KmsKeyArn"),
        expected_bucket_owner=properties.get("ExpectedBucketOwner"),
        region=one.region,
    )


def _why_not(export: S3Export) -> str | None:
    """Why a bucket cannot be had; None where it can."""
    owner = {"ExpectedBucketOwner": export.expected_bucket_owner} if export.expected_bucket_owner else {}
    try:
        with closing(export.client("s3")) as s3:
            s3.head_bucket(Bucket=export.bucket, **owner)
    except (BotoCoreError, ClientError) as error:
        return failure_of(error).reason
    except UsageError as error:
        return str(error)
    return None


def _frequency(connection: Connection, one: StoredResource) -> str:
    detector = api_detectors.find(connection, one.account_id, one.region)
    return "SIX_HOURS" if detector is None else detector.publishing_frequency


def _subscription(connection: Connection, one: StoredResource, export: S3Export) -> Subscription:
    """What the outbox is to keep: the findings of the account and of its members, in its Region."""
    accounts = api_members.governed_by(connection, one.account_id, one.region)
    return Subscription(
        name=export.name,
        update_every=export.frequency,
        places=tuple((account, one.region) for account in sorted(accounts)),
    )
