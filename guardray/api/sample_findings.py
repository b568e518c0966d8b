"""A finding of each type as it might look, with values that nobody has: to try out what comes after findings."""

from __future__ import annotations

from datetime import datetime

from guardray.detectors.declare import Detector
from guardray.findings.actions import Action, AwsApiCall, DnsRequest, NetworkConnection, PortProbe
from guardray.findings.details import Details, ThreatIntelligence
from guardray.findings.finding import Finding, finding_of
from guardray.findings.finding_type import FindingType
from guardray.findings.places import Place
from guardray.findings.resources import AccessKey, Instance, NetworkInterface, PrivateAddress, Resource, S3Bucket
from guardray.findings.sighting import Occurrence, Sighting, SightingKey
from guardray.types import AccountId, Region

MARK = "[SAMPLE] "
"""What titles of samples begin with."""

_ENTITY = "sample"
_REMOTE, _LOCAL = "198.51.100.0", "10.0.0.1"
_PLACE = Place(
    city="GeneratedFindingCityName",
    country_code="XX",
    country_name="GeneratedFindingCountryName",
    latitude=0.0,
    longitude=0.0,
    asn=64496,
    asn_org="GeneratedFindingASNOrg",
    isp="GeneratedFindingISP",
    org="GeneratedFindingORG",
)
_KEY = AccessKey(
    user_type="IAMUser",
    user_name="GeneratedFindingUserName",
    principal_id="GeneratedFindingPrincipalId",
    access_key_id="GeneratedFindingAccessKeyId",
)
_INSTANCE = Instance(
    instance_id="i-99999999",
    interface=NetworkInterface(
        interface_id="eni-99999999",
        private_ip=_LOCAL,
        private_ips=(PrivateAddress(ip=_LOCAL),),
        public_ip="198.51.100.1",
        vpc_id="GeneratedFindingVpcId",
        subnet_id="GeneratedFindingSubnetId",
    ),
    image_id="ami-99999999",
    instance_type="m3.xlarge",
    instance_state="running",
    tags=(("GeneratedFindingInstanceTag1", "GeneratedFindingInstanceValue1"),),
)
_BUCKET = S3Bucket(name="GeneratedFindingS3Bucket")


def sample_of(detector: Detector, account_id: AccountId, region: Region, now: datetime) -> Finding:
    """The sample of a detector's finding type. Another one later is an update of it."""
    key = SightingKey(detector.finding_type, account_id, region, _ENTITY)
    seen = Occurrence(now, 0, {})
    sighting = Sighting(key=key, count=1, first_seen=now, last_seen=now, latest=seen, samples=(seen,))
    return finding_of(sighting, _details(detector), detector.severity, detector.role, now)


def _details(detector: Detector) -> Details:
    kind = FindingType.parse(detector.finding_type)
    listed = (ThreatIntelligence("GeneratedFindingThreatListName", ("GeneratedFindingThreatName",)),)
    return Details(
        title=f"{MARK}{detector.finding_type}",
        description=f"This is a sample of the type {detector.finding_type}. Nothing of it happened.",
        resource=_resource(detector, kind),
        action=_action(detector, kind),
        additional_info={"sample": True},
        threat_intelligence=listed if detector.wanted_lists else (),
    )


def _resource(detector: Detector, kind: FindingType) -> Resource:
    if detector.source in ("vpc-flow", "dns"):
        return Resource(resource_type="Instance", instance=_INSTANCE)
    if kind.resource_type_affected == "S3":
        resource_type = "S3Bucket" if detector.source == "cloudtrail-s3" else "AccessKey"
        return Resource(resource_type=resource_type, access_key=_KEY, s3_buckets=(_BUCKET,))
    return Resource(resource_type="AccessKey", access_key=_KEY)


def _action(detector: Detector, kind: FindingType) -> Action:
    if detector.source == "dns":
        return DnsRequest(domain="generatedfindingdomainname.example.com", protocol="UDP")
    if detector.source == "vpc-flow":
        if kind.threat_family_name.startswith("PortProbe"):
            return PortProbe(local_port=80, local_ip=_LOCAL, remote_ip=_REMOTE, remote_place=_PLACE)
        return NetworkConnection(
            direction="INBOUND" if detector.role == "TARGET" else "OUTBOUND",
            protocol_num=6,
            local_ip=_LOCAL,
            local_port=39677,
            remote_ip=_REMOTE,
            remote_port=80,
            remote_place=_PLACE,
        )
    return AwsApiCall(
        api="GeneratedFindingAPIName",
        service_name="GeneratedFindingAPIServiceName",
        remote_ip=_REMOTE,
        remote_place=_PLACE,
    )
