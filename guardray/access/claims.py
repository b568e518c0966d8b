"""What a request claims of its signature, by header or by query: read strictly, and believed only when verified."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

from guardray.access import refusals
from guardray.access.request import Request
from guardray.types import Region

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "guardduty"
TERMINATOR = "aws4_request"

_KEY_ID = re.compile(r"[A-Za-z0-9]{1,128}", re.ASCII)
_REGION = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
_TIME = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)
_EXPIRES = re.compile(r"\d{1,6}", re.ASCII)
_EXPIRES_MAX_S = 604_800  # AWS's own bound
_IN_QUERY = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature")


@dataclass(frozen=True)
class Claim:
    """What a request says of its signature.

    Attributes:
        time: when it was signed, as it stands in the request.
        expires_s: of presigned requests.
        query: the pairs of the query that are signed.
    """

    key_id: str
    date: str
    region: Region
    time: str
    signed_headers: tuple[str, ...]
    signature: str
    query: tuple[tuple[str, str], ...]
    expires_s: int | None = None

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{SERVICE}/{TERMINATOR}"

    @property
    def signed_at(self) -> datetime:
        return datetime.strptime(self.time, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def claim_of(request: Request) -> Claim:
    """Read what a request claims.

    Raises:
        AccessRefusedError: it is not signed, or not as Signature Version 4 has it.
    """
    pairs = _pairs(request.query)
    names = [name for name, _ in pairs]
    authorization = request.header("authorization")
    presigned = any(name in names for name in _IN_QUERY)
    if authorization is None and not presigned:
        raise refusals.unsigned()
    if authorization is not None and presigned:
        raise refusals.incomplete("The request is signed twice: in a header and in the query.")
    if "x-amz-security-token" in request.by_name or any(name.lower() == "x-amz-security-token" for name in names):
        raise refusals.unknown_credentials()  # no sessions are issued here, so no token of one is known
    return _of_query(pairs) if authorization is None else _of_header(authorization, request, pairs)


def _pairs(query: str) -> tuple[tuple[str, str], ...]:
    """Names and values, as they are encoded."""
    if not query:
        return ()
    parts = (pair.partition("=") for pair in query.split("&"))
    return tuple((name, value) for name, _, value in parts)


def _of_header(authorization: str, request: Request, pairs: tuple[tuple[str, str], ...]) -> Claim:
    algorithm, _, rest = authorization.partition(" ")
    _check_algorithm(algorithm)
    fields = [part.strip(" \t").partition("=") for part in rest.split(",")]
    values = {name: value for name, _, value in fields}
    if len(values) != len(fields):
        raise refusals.incomplete("Authorization header names a parameter twice.")
    for name in ("Credential", "Signature", "SignedHeaders"):
        if name not in values:
            raise refusals.incomplete(f"Authorization header requires '{name}' parameter.")
    time = request.header("x-amz-date")
    if time is None:
        raise refusals.incomplete("Authorization header requires existence of a 'X-Amz-Date' header.")
    return _claim(values["Credential"], time, values["SignedHeaders"], values["Signature"], pairs)


def _of_query(pairs: tuple[tuple[str, str], ...]) -> Claim:
    values: dict[str, str] = {}
    for name, value in pairs:
        if name.startswith("X-Amz-"):
            if name in values:
                raise refusals.incomplete(f"The query names '{name}' twice.")
            values[name] = unquote(value)
    for name in (*_IN_QUERY, "X-Amz-Expires"):
        if name not in values:
            raise refusals.incomplete(f"AWS query-string parameters must include '{name}'.")
    _check_algorithm(values["X-Amz-Algorithm"])
    expires = values["X-Amz-Expires"]
    if not _EXPIRES.fullmatch(expires) or not 1 <= int(expires) <= _EXPIRES_MAX_S:
        raise refusals.incomplete(f"X-Amz-Expires must be a number of seconds from 1 to {_EXPIRES_MAX_S}.")
    signed = tuple(pair for pair in pairs if pair[0] != "X-Amz-Signature")
    credential, time = values["X-Amz-Credential"], values["X-Amz-Date"]
    return _claim(credential, time, values["X-Amz-SignedHeaders"], values["X-Amz-Signature"], signed, int(expires))


def _check_algorithm(algorithm: str) -> None:
    if algorithm != ALGORITHM:
        raise refusals.incomplete(f"Unsupported AWS 'algorithm': only {ALGORITHM} is known here.")


def _claim(
    credential: str,
    time: str,
    signed_headers: str,
    signature: str,
    query: tuple[tuple[str, str], ...],
    expires_s: int | None = None,
) -> Claim:
    parts = credential.split("/")
    if len(parts) != 5 or not _KEY_ID.fullmatch(parts[0]):
        raise refusals.incomplete(
            "Credential must have five slash-separated parts: KEY/DATE/REGION/SERVICE/aws4_request."
        )
    key_id, date, region, service, terminator = parts
    if not _TIME.fullmatch(time) or not _is_time(time):
        raise refusals.incomplete("Date must be in ISO-8601 'basic format': YYYYMMDDTHHMMSSZ.")
    if date != time[:8]:
        raise refusals.bad_signature("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.")
    if not _REGION.fullmatch(region):
        raise refusals.bad_signature("Credential should be scoped to a valid region.")
    if service != SERVICE:
        raise refusals.bad_signature(f"Credential should be scoped to correct service: '{SERVICE}'.")
    if terminator != TERMINATOR:
        raise refusals.bad_signature(f"Credential should be scoped with a valid terminator: '{TERMINATOR}'.")
    if not _SIGNATURE.fullmatch(signature):
        raise refusals.bad_signature()
    return Claim(key_id, date, region, time, tuple(signed_headers.split(";")), signature, query, expires_s)


def _is_time(time: str) -> bool:
    try:
        datetime.strptime(time, "%Y%m%dT%H%M%SZ")
    except ValueError:
        return False
    return True
