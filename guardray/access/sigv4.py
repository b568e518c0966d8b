"""Signature Version 4: whether a request was signed by the key that it names, now, and as it came."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from functools import lru_cache

from guardray.access import refusals
from guardray.access.canonical import check_form, check_signed_headers, string_to_sign
from guardray.access.claims import SERVICE, TERMINATOR, Claim, claim_of
from guardray.access.keyring import ActiveKey, Keyring
from guardray.access.request import Request

SKEW = timedelta(minutes=5)
"""How far a client's clock may be off, either way, as AWS has it."""

_DERIVED_MAX = 4_096  # derived keys that are kept: one a key, day and Region
_DECOY = secrets.token_urlsafe(30)  # stands in for unknown keys, so that they take as long as known ones


def verify(request: Request, keyring: Keyring, now: datetime) -> tuple[Claim, ActiveKey]:
    """The claim of a request's signature, and the key that made it.

    A presigned request is good until its own end, but no longer than `SKEW` after it was signed.

    Raises:
        AccessRefusedError: it is not signed, not in time, not completely, or not by a key that is good.
    """
    check_form(request)
    claim = claim_of(request)
    _check_time(claim, now)
    check_signed_headers(request, claim)
    key = keyring.signing_key(claim.key_id, now)
    message = string_to_sign(request, claim)
    derived = _derived(_DECOY if key is None else key.secret, claim.date, claim.region)
    is_right = hmac.compare_digest(hmac.digest(derived, message, "sha256").hex(), claim.signature)
    if key is None:
        raise refusals.unknown_credentials()
    if not is_right:
        raise refusals.bad_signature()
    return claim, key


def expiry(claim: Claim) -> datetime:
    """The time from which on a request is refused for its age."""
    if claim.expires_s is None:
        return claim.signed_at + SKEW
    return claim.signed_at + min(SKEW, timedelta(seconds=claim.expires_s))


def _check_time(claim: Claim, now: datetime) -> None:
    here, end = _basic(now), expiry(claim)
    if now > end:
        raise refusals.bad_signature(f"Signature expired: {claim.time} is good until {_basic(end)}, and it is {here}")
    if claim.signed_at > now + SKEW:
        latest = _basic(now + SKEW)
        message = f"Signature not yet current: {claim.time} is still later than {latest} ({here} + 5 min.)"
        raise refusals.bad_signature(message)


def _basic(time: datetime) -> str:
    return f"{time:%Y%m%dT%H%M%SZ}"


@lru_cache(maxsize=_DERIVED_MAX)
def _derived(secret: str, date: str, region: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in (date, region, SERVICE, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
