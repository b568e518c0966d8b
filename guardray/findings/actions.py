"""What happened: GuardDuty's `service.action`, one class an action type. Null is left out of JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from guardray.findings.places import Place
from guardray.types import Row


@dataclass(frozen=True, kw_only=True)
class AwsApiCall:
    """`awsApiCallAction`."""

    api: str
    service_name: str
    remote_ip: str | None = None
    domain: str | None = None  # the AWS service that called, when no address did
    error_code: str | None = None
    user_agent: str | None = None
    remote_account_id: str | None = None
    remote_account_affiliated: bool | None = None  # its findings come together with those of our account
    affected_resources: dict[str, str] = field(default_factory=dict)
    remote_place: Place | None = None

    @classmethod
    def of(cls, row: Row) -> AwsApiCall:
        """The call of an `api_activity` row."""
        bucket = row["bucket_name"]
        caller_account = row["actor_user_account_uid"]
        return cls(
            api=row["api_operation"],
            service_name=row["api_service_name"],
            remote_ip=row["src_endpoint_ip"],
            domain=row["src_endpoint_domain"],
            error_code=row["api_response_error"],
            user_agent=row["http_request_user_agent"],
            remote_account_id=caller_account if caller_account != row["cloud_account_uid"] else None,
            affected_resources={"AWS::S3::Bucket": bucket} if bucket else {},
        )


@dataclass(frozen=True, kw_only=True)
class NetworkConnection:
    """`networkConnectionAction`. Ports and protocol as numbers; names are given when JSON is written."""

    direction: str  # INBOUND, OUTBOUND or UNKNOWN
    protocol_num: int | None
    local_ip: str | None
    local_port: int | None
    remote_ip: str | None
    remote_port: int | None
    blocked: bool = False
    interface_id: str | None = None
    remote_place: Place | None = None


@dataclass(frozen=True, kw_only=True)
class PortProbe:
    """`portProbeAction` with one probe."""

    local_port: int
    local_ip: str | None
    remote_ip: str
    blocked: bool = False
    remote_place: Place | None = None


@dataclass(frozen=True, kw_only=True)
class DnsRequest:
    """`dnsRequestAction`. `domain_with_suffix` is the part of the name that somebody registered."""

    domain: str
    domain_with_suffix: str | None = None
    protocol: str | None = None
    blocked: bool = False
    vpc_owner_account_id: str | None = None

    @classmethod
    def of(cls, row: Row, domain_with_suffix: str | None = None) -> DnsRequest:
        """The query of a `dns_activity` row."""
        return cls(
            domain=row["query_hostname"],
            domain_with_suffix=domain_with_suffix,
            protocol=row["protocol_name"],
            blocked=bool(row["is_blocked"]),
            vpc_owner_account_id=row["cloud_account_uid"],
        )


Action = AwsApiCall | NetworkConnection | PortProbe | DnsRequest


def located(action: Action, place_of: Callable[[str], Place | None]) -> Action:
    """The action with the place of its remote address; as it was where it has none or nothing is known of it."""
    if isinstance(action, DnsRequest) or action.remote_ip is None:
        return action
    return replace(action, remote_place=place_of(action.remote_ip))
