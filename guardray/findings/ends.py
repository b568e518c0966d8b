"""The two ends of a finding by name: what of ours it is about, and who or what is at the other end."""

from __future__ import annotations

from dataclasses import dataclass

from guardray.findings.actions import AwsApiCall, DnsRequest, NetworkConnection, PortProbe
from guardray.findings.finding import Finding
from guardray.findings.resources import AccessKey, Instance, S3Bucket


@dataclass(frozen=True)
class NamedResource:
    """One resource of a finding. `type` and `uid` are as Security Hub names them; `name` is for people."""

    type: str
    uid: str
    name: str


def named_resources(finding: Finding) -> tuple[NamedResource, ...]:
    """All resources of a finding, the primary one first; the account where nothing smaller is known."""
    resource = finding.resource
    by_type = {
        "S3Bucket": [_bucket(finding, bucket) for bucket in resource.s3_buckets],
        "Instance": [] if resource.instance is None else _instance(finding, resource.instance),
        "AccessKey": [] if resource.access_key is None else _access_key(resource.access_key),
    }
    primary = by_type.pop(resource.resource_type, [])
    others = [named for group in by_type.values() for named in group]
    return (*primary, *others) or (_account(finding),)


def resource_name(finding: Finding) -> str:
    """What people call the primary resource: a bucket, an instance or interface, a user, else the account."""
    return named_resources(finding)[0].name


def remote_name(finding: Finding) -> str | None:
    """The other end: an address, an AWS service or a domain; null when it is not known."""
    match finding.action:
        case AwsApiCall() as call:
            return call.remote_ip or call.domain
        case NetworkConnection() as connection:
            return connection.remote_ip
        case PortProbe() as probe:
            return probe.remote_ip
        case DnsRequest() as request:
            return request.domain


def remote_address(finding: Finding) -> str | None:
    """The other end where it is an address."""
    return None if isinstance(finding.action, DnsRequest) else finding.action.remote_ip


def _bucket(finding: Finding, bucket: S3Bucket) -> NamedResource:
    return NamedResource("AwsS3Bucket", f"arn:{finding.partition}:s3:::{bucket.name}", bucket.name)


def _instance(finding: Finding, instance: Instance) -> list[NamedResource]:
    prefix = f"arn:{finding.partition}:ec2:{finding.region}:{finding.account_id}"
    interface_id = instance.interface.interface_id
    if instance.instance_id is not None:
        return [NamedResource("AwsEc2Instance", f"{prefix}:instance/{instance.instance_id}", instance.instance_id)]
    if interface_id is not None:
        return [NamedResource("AwsEc2NetworkInterface", f"{prefix}:network-interface/{interface_id}", interface_id)]
    return []


def _access_key(key: AccessKey) -> list[NamedResource]:
    credential = key.access_key_id or key.principal_id
    name = key.user_name or credential or key.user_type
    if name is None:
        return []
    return [NamedResource("AwsIamAccessKey", f"AWS::IAM::AccessKey:{credential or name}", name)]


def _account(finding: Finding) -> NamedResource:
    return NamedResource("AwsAccount", f"AWS::::Account:{finding.account_id}", finding.account_id)
