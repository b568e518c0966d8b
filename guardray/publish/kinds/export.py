"""An S3 bucket, in the layout of GuardDuty's own export: one finding a line, gzip, by account, Region and day.

Source: GuardDuty user guide, exporting findings, for the layout down to the Region; the rest is what its buckets hold.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from guardray.publish.aws import AwsDestination, failure_of
from guardray.publish.messages import message_id
from guardray.publish.sending import Outcome, Sender
from guardray.store.outbox import Delivery


class S3Export(AwsDestination, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="s3"):
    """A bucket.

    Attributes:
        prefix: what the keys start with.
        kms_key_arn: the key that objects are encrypted with; the bucket's own default if not given.
        expected_bucket_owner: the account that the bucket must belong to.
    """

    bucket: Annotated[str, msgspec.Meta(min_length=3)]
    prefix: str = ""
    kms_key_arn: str | None = None
    expected_bucket_owner: str | None = None

    def sender(self, folder: Path) -> Sender:
        return _Sender(self, self.client("s3"))


class _Sender:
    batch = 500

    def __init__(self, export: S3Export, client: Any) -> None:
        self._export, self._client = export, client

    def send(self, deliveries: Sequence[Delivery], now: datetime) -> Iterator[Outcome]:
        for (account_id, region), group in groupby(sorted(deliveries, key=_place), key=_place):
            of_place = list(group)
            failure = None
            try:
                self._put(account_id, region, of_place, now)
            except (ClientError, BotoCoreError) as error:
                failure = failure_of(error)
            yield from ((delivery, failure) for delivery in of_place)

    def close(self) -> None:
        self._client.close()

    def _put(self, account_id: str, region: str, deliveries: Sequence[Delivery], now: datetime) -> None:
        lines = "".join(f"{delivery.json}\n" for delivery in deliveries)
        options = {
            "ExpectedBucketOwner": self._export.expected_bucket_owner,
            "SSEKMSKeyId": self._export.kms_key_arn,
            "ServerSideEncryption": "aws:kms" if self._export.kms_key_arn else None,
        }
        self._client.put_object(
            Bucket=self._export.bucket,
            Key=_key(self._export.prefix, account_id, region, deliveries, now),
            Body=gzip.compress(lines.encode(), mtime=0),
            **{name: value for name, value in options.items() if value is not None},
        )


def _place(delivery: Delivery) -> tuple[str, str]:
    return delivery.account_id, delivery.region


def _key(prefix: str, account_id: str, region: str, deliveries: Sequence[Delivery], now: datetime) -> str:
    """Where the deliveries go; the same ones on the same day overwrite each other."""
    ids = b"".join(message_id(delivery).bytes for delivery in deliveries)
    name = UUID(bytes=hashlib.blake2b(ids, digest_size=16).digest())
    start = f"{prefix.rstrip('/')}/" if prefix else ""
    return f"{start}AWSLogs/{account_id}/GuardDuty/{region}/{now:%Y/%m/%d}/{name}.jsonl.gz"
