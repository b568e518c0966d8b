"""One CloudTrail event, with places left open for what changes from call to call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from guardray.simulate.rendering import address
from guardray.simulate.trail.identities import Identity
from guardray.simulate.world import Account, Bucket

# The open places, in the order in which they stand in an event. The renderer fills them.
TIME, KEY, HOST_ID, REQUEST, EVENT = "@@TIME@@", "@@KEY@@", "@@HOST@@", "@@REQUEST@@", "@@EVENT@@"

GLOBAL_SERVICES = ("iam", "signin", "organizations", "route53", "cloudfront")
_READING = ("Get", "List", "Describe", "Head", "Lookup", "BatchGet", "Select")
_READ_ONLY_NAMES = ("AssumeRole", "AssumeRoleWithSAML", "Decrypt", "GenerateDataKey", "ConsoleLogin")
_TLS = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}


@dataclass(frozen=True)
class Call:
    """An API call as its caller makes it. `service` is the part of `eventSource` before `.amazonaws.com`."""

    service: str
    name: str
    request: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    resources: tuple[dict[str, str], ...] = ()
    error: tuple[str, str] | None = None  # code and message
    is_data: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_read_only(self) -> bool:
        if self.name == "ConsoleLogin":
            return False
        return self.name.startswith(_READING) or self.name in _READ_ONLY_NAMES


@dataclass(frozen=True)
class Caller:
    """Who calls, from where and with what."""

    identity: Identity
    source: str  # an address or the name of a service
    agent: str
    console: bool = False


def caller(identity: Identity, source: int | str, agent: str, *, console: bool = False) -> Caller:
    """A caller at an address, given as a number, or at a service, given by name."""
    return Caller(identity, source if isinstance(source, str) else address(source), agent, console)


def region_of(account: Account, call: Call) -> str:
    """The Region that CloudTrail logs the call in: global services are logged in us-east-1."""
    return "us-east-1" if call.service in GLOBAL_SERVICES else account.region


def event(account: Account, by: Caller, call: Call) -> dict[str, Any]:
    """The event in CloudTrail's own fields."""
    region, is_s3 = region_of(account, call), call.service == "s3"
    found: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": by.identity,
        "eventTime": TIME,
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": call.name,
        "awsRegion": region,
        "sourceIPAddress": by.source,
        "userAgent": f"[{by.agent}]" if is_s3 and by.identity["type"] != "AWSService" else by.agent,
    }
    if call.error:
        found["errorCode"], found["errorMessage"] = call.error
    found["requestParameters"] = call.request
    found["responseElements"] = None if call.error else call.response
    if is_s3:
        found["additionalEventData"] = _s3_additions(call)
    elif "additionalEventData" in call.extra:
        found["additionalEventData"] = call.extra["additionalEventData"]
    found["requestID"], found["eventID"], found["readOnly"] = REQUEST, EVENT, call.is_read_only
    if call.resources:
        found["resources"] = list(call.resources)
    found["eventType"] = "AwsConsoleSignIn" if call.service == "signin" else "AwsApiCall"
    found["managementEvent"] = not call.is_data
    found["recipientAccountId"] = account.id
    found["eventCategory"] = "Data" if call.is_data else "Management"
    found |= {name: value for name, value in call.extra.items() if name.startswith("vpcEndpoint")}
    if by.identity["type"] != "AWSService" and "invokedBy" not in by.identity:
        host = (call.request or {}).get("Host") or f"{call.service}.{region}.amazonaws.com"
        found["tlsDetails"] = {**_TLS, "clientProvidedHostHeader": host}
    if by.console and call.service != "signin":
        found["sessionCredentialFromConsole"] = "true"
    return found


def _s3_additions(call: Call) -> dict[str, Any]:
    received = len(call.name) * 977 if call.name == "PutObject" else 0
    return {
        "SignatureVersion": "SigV4",
        "CipherSuite": "TLS_AES_128_GCM_SHA256",
        "bytesTransferredIn": received,
        "AuthenticationMethod": "AuthHeader",
        "x-amz-id-2": HOST_ID,
        "bytesTransferredOut": len(call.name) * 1733 if call.name == "GetObject" else 0,
    }


def bucket_call(account: Account, name: str, bucket: Bucket, **parameters: Any) -> Call:
    """A management call about a bucket; `parameters` join `bucketName` and `Host`."""
    host = f"{bucket.name}.s3.{account.region}.amazonaws.com"
    return Call(
        "s3",
        name,
        {"bucketName": bucket.name, "Host": host, **parameters},
        resources=(_bucket_resource(account, bucket),),
    )


def object_call(account: Account, name: str, bucket: Bucket) -> Call:
    """A data event of an object (its key is left open), or of a bucket for `ListObjects`."""
    host = f"{bucket.name}.s3.{account.region}.amazonaws.com"
    request: dict[str, Any] = {"bucketName": bucket.name, "Host": host}
    if name == "ListObjects":
        request |= {"list-type": "2", "prefix": KEY, "encoding-type": "url"}
        objects = {"type": "AWS::S3::Object", "ARNPrefix": f"{bucket.arn}/{KEY}"}
    else:
        request["key"] = KEY
        objects = {"type": "AWS::S3::Object", "ARN": f"{bucket.arn}/{KEY}"}
    response = {"x-amz-server-side-encryption": "AES256"} if name == "PutObject" else None
    return Call("s3", name, request, response, (objects, _bucket_resource(account, bucket)), is_data=True)


def _bucket_resource(account: Account, bucket: Bucket) -> dict[str, str]:
    return {"accountId": account.id, "type": "AWS::S3::Bucket", "ARN": bucket.arn}


def denied(account: Account, by: Caller, call: Call) -> Call:
    """The same call, refused."""
    action = f"{call.service}:{call.name}"
    message = (
        f"User: {by.identity['arn']} is not authorized to perform: {action} because no identity-based policy allows it"
    )
    return Call(call.service, call.name, call.request, None, call.resources, ("AccessDenied", message), call.is_data)
