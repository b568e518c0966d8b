"""Findings and sightings for tests: one of each action type, and any split of any sightings for hypothesis."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import reduce

from hypothesis import strategies as st

from guardray.findings.actions import AwsApiCall, DnsRequest, NetworkConnection, PortProbe
from guardray.findings.details import Details, ThreatIntelligence
from guardray.findings.finding import Finding, finding_of
from guardray.findings.resources import AccessKey, Instance, NetworkInterface, PublicAccess, Resource, S3Bucket
from guardray.findings.sighting import Occurrence, Sighting, SightingKey

ACCOUNT, REGION = "111122223333", "eu-west-1"
START = datetime(2024, 5, 1, 11, 50, 2, tzinfo=UTC)
NOW = datetime(2024, 5, 1, 12, 6, tzinfo=UTC)

_INTERFACE = NetworkInterface(interface_id="eni-0a", private_ip="10.0.0.5", vpc_id="vpc-1", subnet_id="subnet-1")
_INSTANCE = Resource(
    resource_type="Instance", instance=Instance(instance_id="i-0123456789abcdef0", interface=_INTERFACE)
)
_ALICE = AccessKey(
    user_type="IAMUser", user_name="alice", principal_id="AIDAEXAMPLE", access_key_id="AKIAIOSFODNN7EXAMPLE"
)


def sighting(
    finding_type: str,
    entity: str = "entity",
    *,
    count: int = 1,
    seconds: int = 0,
    digest: int = 1,
    account: str = ACCOUNT,
    region: str = REGION,
) -> Sighting:
    """One row, `seconds` after START, seen `count` times up to then."""
    time = START + timedelta(seconds=seconds)
    row = Occurrence(time, digest, {"time": time, "n": digest})
    key = SightingKey(finding_type, account, region, entity)
    return Sighting(key, count, first_seen=START, last_seen=time, latest=row, samples=(row,))


def ssh_brute_force(entity: str = "i-0123456789abcdef0", **seen: int) -> Finding:
    details = Details(
        title="198.51.100.7 is guessing SSH passwords on i-0123456789abcdef0.",
        description="198.51.100.7 opened 120 short SSH connections to i-0123456789abcdef0 in 5 minutes.",
        resource=_INSTANCE,
        action=NetworkConnection(
            direction="INBOUND",
            protocol_num=6,
            local_ip="10.0.0.5",
            local_port=22,
            remote_ip="198.51.100.7",
            remote_port=50211,
        ),
    )
    seen = {"seconds": 819} | seen
    return finding_of(sighting("UnauthorizedAccess:EC2/SSHBruteForce", entity, **seen), details, 2.0, "TARGET", NOW)


def bucket_made_public(**seen: int) -> Finding:
    public = PublicAccess(effective_permission="PUBLIC", policy_read=True)
    details = Details(
        title="The bucket payroll was made readable for everyone.",
        description="alice attached a policy to the bucket payroll that lets anybody read it.",
        resource=Resource(
            resource_type="AccessKey",
            access_key=_ALICE,
            s3_buckets=(S3Bucket(name="payroll", public_access=public, object_key="2024/may.csv"),),
        ),
        action=AwsApiCall(
            api="PutBucketPolicy",
            service_name="s3.amazonaws.com",
            remote_ip="2001:db8::7",
            error_code="AccessDenied",
            user_agent="aws-cli/2.15",
            remote_account_id="444455556666",
            affected_resources={"AWS::S3::Bucket": "payroll"},
        ),
        additional_info={"policyName": "open", "unusual": {"port": 8, "tags": ["a", "b"]}},
    )
    return finding_of(sighting("Policy:S3/BucketAnonymousAccessGranted", **seen), details, 8.0, "TARGET", NOW)


def port_probe(**seen: int) -> Finding:
    details = Details(
        title="A port of i-0123456789abcdef0 is being probed.",
        description="198.51.100.9 probed port 6379 of i-0123456789abcdef0.",
        resource=_INSTANCE,
        action=PortProbe(local_port=6379, local_ip="10.0.0.5", remote_ip="198.51.100.9"),
        threat_intelligence=(ThreatIntelligence("scanners", ("Scanner", "Mirai")), ThreatIntelligence("second")),
    )
    return finding_of(sighting("Recon:EC2/PortProbeUnprotectedPort", **seen), details, 2.0, "TARGET", NOW)


def c2_domain(**seen: int) -> Finding:
    details = Details(
        title="i-0123456789abcdef0 asked for a command-and-control domain.",
        description="i-0123456789abcdef0 asked for c2.example.net, which the list feodo names.",
        resource=_INSTANCE,
        action=DnsRequest(domain="c2.example.net", protocol="UDP", vpc_owner_account_id=ACCOUNT),
        severity=9.0,
        role="ACTOR",
        threat_intelligence=(ThreatIntelligence("feodo", ("Emotet",)),),
    )
    return finding_of(sighting("Backdoor:EC2/C&CActivity.B!DNS", **seen), details, 8.0, "TARGET", NOW)


def one_of_each() -> list[Finding]:
    """A finding of each action type."""
    return [ssh_brute_force(), bucket_made_public(), port_probe(), c2_domain()]


def details_of(sighting: Sighting) -> Details:
    """A detector's words on a sighting: all of them hang on its latest row, as every detector's do."""
    number = sighting.latest.digest
    return Details(
        title=f"Row {number} of {sighting.key.entity}.",
        description=f"Last seen at {sighting.latest.time}.",
        resource=_INSTANCE,
        action=DnsRequest(domain=f"host{number % 7}.example.net"),
        severity=float(1 + number % 10),
    )


def folded(sightings: Iterable[Sighting], now: datetime = NOW) -> list[Finding]:
    """The findings of sightings, those of one key merged first."""
    by_key: dict[SightingKey, list[Sighting]] = {}
    for part in sightings:
        by_key.setdefault(part.key, []).append(part)
    wholes = [reduce(Sighting.merge, parts) for parts in by_key.values()]
    return [finding_of(whole, details_of(whole), 5.0, "TARGET", now) for whole in wholes]


def single_sightings(max_size: int = 25) -> st.SearchStrategy[list[Sighting]]:
    """Sightings of single rows, of few entities, with equal times and equal rows among them."""
    one = st.builds(
        lambda entity, seconds, digest, region: sighting(
            "Recon:EC2/Portscan", entity, seconds=seconds, digest=digest, region=region
        ),
        entity=st.sampled_from("abc"),
        seconds=st.integers(0, 4),
        digest=st.integers(0, 2**64 - 1) | st.integers(0, 3),
        region=st.sampled_from([REGION, "us-gov-west-1"]),
    )
    return st.lists(one, max_size=max_size)
