"""What the destinations in AWS have in common: clients with time limits, parts of a bounded size, and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from guardray.errors import UsageError
from guardray.publish.destination import Destination
from guardray.publish.sending import Failure, Outcome
from guardray.store.outbox import Delivery

CONNECT_S = 5
READ_S = 20
"""How long a request may take. The outbox tries again, so the client itself does not."""


class AwsDestination(Destination, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A destination in AWS, or in what speaks its protocol. Credentials are found as every AWS tool finds them.

    Attributes:
        region: the one of the environment if not given.
        profile: of the credentials.
        endpoint_url: of another server that speaks the protocol.
    """

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of a service.

        Args:
            region: where the destination lies, as far as its own name says so.

        Raises:
            UsageError: it lacks a Region, or its profile does not exist.
        """
        import boto3  # takes long to import
        from botocore.config import Config

        config = Config(connect_timeout=CONNECT_S, read_timeout=READ_S, retries={"total_max_attempts": 1})
        try:
            session = boto3.Session(profile_name=self.profile, region_name=self.region or region)
            return session.client(service, endpoint_url=self.endpoint_url, config=config)
        except (BotoCoreError, ValueError) as error:
            raise UsageError(f"destination {self.name}: {error}") from error


def region_of(arn: str) -> str | None:
    """The Region in an ARN; None where it has none or is none."""
    parts = arn.split(":")
    return (parts[3] or None) if len(parts) > 3 and parts[0] == "arn" else None


def failure_of(error: ClientError | BotoCoreError) -> Failure:
    """What AWS says of a whole request that failed."""
    if isinstance(error, ClientError):
        answer = error.response.get("Error", {})
        return Failure(f"{answer.get('Code', 'error')}: {answer.get('Message', '')}".rstrip(": "))
    return Failure(str(error))


def in_parts(
    deliveries: Sequence[Delivery],
    entry_of: Callable[[Delivery], tuple[Any, int]],
    put: Callable[[list[Any]], list[Failure | None]],
    *,
    most: int,
    most_bytes: int,
) -> Iterator[Outcome]:
    """Send deliveries in requests that the service accepts.

    Args:
        entry_of: a delivery's entry in a request, and its size in bytes.
        put: sends one request, and tells what became of each entry.
        most: entries in a request.
        most_bytes: of all entries of a request together.
    """
    part: list[tuple[Delivery, Any]] = []
    part_bytes = 0
    for delivery in deliveries:
        entry, size = entry_of(delivery)
        if size > most_bytes:
            yield delivery, Failure(f"has {size:,} bytes, and {most_bytes:,} are accepted", is_final=True)
            continue
        if len(part) == most or part_bytes + size > most_bytes:
            yield from _put(part, put)
            part, part_bytes = [], 0
        part.append((delivery, entry))
        part_bytes += size
    if part:
        yield from _put(part, put)


def _put(part: list[tuple[Delivery, Any]], put: Callable[[list[Any]], list[Failure | None]]) -> Iterator[Outcome]:
    try:
        failures = put([entry for _, entry in part])
    except (ClientError, BotoCoreError) as error:
        failures = [failure_of(error)] * len(part)
    yield from zip((delivery for delivery, _ in part), failures, strict=True)
