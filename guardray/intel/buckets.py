"""Lists that lie in S3."""

from __future__ import annotations

from urllib.parse import urlsplit

from guardray.intel.fetched import Fetched, Limits, Seen
from guardray.types import AccountId

_NOT_MODIFIED = "304"


def fetch_object(url: str, seen: Seen | None, limits: Limits, owner: AccountId | None = None) -> Fetched | None:
    """The object at `s3://bucket/key`, with the AWS credentials of the environment; None where it is what was seen.

    Args:
        owner: the account that the bucket must be of.

    Raises:
        ValueError: it cannot be had, or is too large.
    """
    # boto3 takes long to import, and few feeds lie in S3.
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, key = urlsplit(url).netloc, urlsplit(url).path.removeprefix("/")
    if not bucket or not key:
        raise ValueError("is not s3://bucket/key")
    config = Config(connect_timeout=limits.connect_s, read_timeout=limits.read_s)
    condition = {"IfNoneMatch": seen.etag} if seen and seen.etag else {}
    condition |= {"ExpectedBucketOwner": owner} if owner else {}
    try:
        answer = boto3.client("s3", config=config).get_object(Bucket=bucket, Key=key, **condition)
        if answer["ContentLength"] > limits.max_bytes:
            raise ValueError(f"has {answer['ContentLength']:,} bytes, and {limits.max_bytes:,} are allowed")
        return Fetched(answer["Body"].read(), Seen(etag=answer.get("ETag")))
    except ClientError as error:
        if error.response["Error"]["Code"] == _NOT_MODIFIED:
            return None
        raise ValueError(
            f"S3 answers {error.response['Error']['Code']}: {error.response['Error']['Message']}"
        ) from error
    except BotoCoreError as error:
        raise ValueError(str(error)) from error
