"""What of ours a finding is about: the `resource` blocks that logs alone can fill. Null is left out of JSON."""

from __future__ import annotations

from dataclasses import dataclass

from guardray.types import Row


@dataclass(frozen=True, kw_only=True)
class AccessKey:
    """The credentials behind a call: `accessKeyDetails`."""

    user_type: str | None
    user_name: str | None
    principal_id: str | None
    access_key_id: str | None

    @classmethod
    def of(cls, row: Row) -> AccessKey:
        """The caller of an `api_activity` row."""
        return cls(
            user_type=row["actor_user_type"],
            user_name=row["actor_user_name"],
            principal_id=row["actor_user_uid_alt"],
            access_key_id=row["actor_user_credential_uid"],
        )


@dataclass(frozen=True, kw_only=True)
class PrivateAddress:
    """One of an interface's `privateIpAddresses`."""

    ip: str
    dns_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class SecurityGroup:
    """One of an interface's `securityGroups`."""

    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class NetworkInterface:
    """One of `instanceDetails.networkInterfaces`. Logs tell the first four; the inventory knows the rest."""

    interface_id: str | None = None
    private_ip: str | None = None  # the primary one; IPv6 where only that is known
    vpc_id: str | None = None
    subnet_id: str | None = None
    private_dns_name: str | None = None
    private_ips: tuple[PrivateAddress, ...] = ()
    ipv6_addresses: tuple[str, ...] = ()  # besides `private_ip`
    public_ip: str | None = None
    public_dns_name: str | None = None
    security_groups: tuple[SecurityGroup, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Profile:
    """`iamInstanceProfile`."""

    arn: str | None = None
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProductCode:
    """One of `productCodes`."""

    id: str | None = None
    type: str | None = None


@dataclass(frozen=True, kw_only=True)
class Instance:
    """An EC2 instance: `instanceDetails`. The instance id is null where only the interface or address is known."""

    instance_id: str | None
    interface: NetworkInterface  # the one that the finding is about
    other_interfaces: tuple[NetworkInterface, ...] = ()
    image_id: str | None = None
    image_description: str | None = None
    instance_type: str | None = None
    instance_state: str | None = None
    availability_zone: str | None = None
    launch_time: str | None = None  # as GuardDuty has it, a text: ISO 8601 with Z
    platform: str | None = None
    outpost_arn: str | None = None
    profile: Profile | None = None
    product_codes: tuple[ProductCode, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()  # key and value, by key

    @property
    def security_groups(self) -> tuple[SecurityGroup, ...]:
        """Those of all its interfaces, each once."""
        interfaces = (self.interface, *self.other_interfaces)
        return tuple(dict.fromkeys(group for one in interfaces for group in one.security_groups))


@dataclass(frozen=True, kw_only=True)
class PublicAccess:
    """How far a bucket is open, as `publicAccess` says it."""

    effective_permission: str  # PUBLIC, NOT_PUBLIC or UNKNOWN
    acl_read: bool = False
    acl_write: bool = False
    policy_read: bool = False
    policy_write: bool = False


@dataclass(frozen=True, kw_only=True)
class S3Bucket:
    """One of `s3BucketDetails`."""

    name: str
    public_access: PublicAccess | None = None
    object_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class Resource:
    """`resource`: the type says which block is the primary one; several may be filled."""

    resource_type: str  # AccessKey, Instance or S3Bucket
    access_key: AccessKey | None = None
    instance: Instance | None = None
    s3_buckets: tuple[S3Bucket, ...] = ()
