"""Why a request is refused, with the codes, statuses and texts that AWS's clients know.

Source: AWS's lists of common errors, and what its front ends answer; `docs/access.md` has the table.
"""

from __future__ import annotations

import msgspec

from guardray.access.identity import Holder, Identity
from guardray.errors import AccessRefusedError

UNAUTHORIZED, FORBIDDEN = 401, 403


def unsigned() -> AccessRefusedError:
    """There are no credentials."""
    return AccessRefusedError("MissingAuthenticationTokenException", FORBIDDEN, "Missing Authentication Token")


def unknown_credentials() -> AccessRefusedError:
    """Unknown, revoked, or of a session: nobody is told which."""
    message = "The security token included in the request is invalid."
    return AccessRefusedError("UnrecognizedClientException", FORBIDDEN, message)


def malformed(message: str) -> AccessRefusedError:
    """The request is none that a client sends."""
    return AccessRefusedError("MalformedHttpRequestException", 400, message)


def empty_segment() -> AccessRefusedError:
    """The path has an empty or dotted segment: clients leave those out of what they sign."""
    message = "The request is rejected because a required path parameter is missing."
    return AccessRefusedError("BadRequestException", 400, message)


def incomplete(message: str) -> AccessRefusedError:
    """The signature is not put as it has to be."""
    return AccessRefusedError("IncompleteSignatureException", FORBIDDEN, message)


def bad_signature(message: str = "") -> AccessRefusedError:
    """The signature is not of this request, key and time."""
    usual = (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    )
    return AccessRefusedError("InvalidSignatureException", FORBIDDEN, message or usual)


def wrong_region(identity: Identity) -> AccessRefusedError:
    """The key is not good for the Region of the signature."""
    return _denied(identity.key_id, f"use the Region {identity.region}")


def wrong_role(caller: Identity | Holder, operation: str) -> AccessRefusedError:
    """The role does not have the operation."""
    return _denied(caller.key_id, f"perform: guardduty:{operation} because the role {caller.role} does not allow it")


def too_fast(retry_after_s: int) -> AccessRefusedError:
    """The key has used up its rate."""
    return AccessRefusedError("TooManyRequestsException", 429, "Too Many Requests", retry_after_s)


def no_token() -> AccessRefusedError:
    """There are no credentials, where a bearer token is usual."""
    return AccessRefusedError("MissingAuthenticationTokenException", UNAUTHORIZED, "Missing Authentication Token")


def unknown_token() -> AccessRefusedError:
    """A bearer token that is not known, or was revoked. The status is the one that bearer tokens have."""
    message = "The token included in the request is invalid."
    return AccessRefusedError("UnrecognizedClientException", UNAUTHORIZED, message)


def answer(refusal: AccessRefusedError, request_id: str) -> tuple[dict[str, str], bytes]:
    """Headers and body that AWS's clients read a refusal from; the status is `refusal.status`."""
    headers = {
        "Content-Type": "application/json",
        "x-amzn-RequestId": request_id,
        "x-amzn-ErrorType": refusal.code,
    }
    if refusal.retry_after_s is not None:
        headers["Retry-After"] = str(refusal.retry_after_s)
    if refusal.status == UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return headers, msgspec.json.encode({"__type": refusal.code, "message": refusal.message, "type": refusal.code})


def _denied(key_id: str, what: str) -> AccessRefusedError:
    return AccessRefusedError("AccessDeniedException", FORBIDDEN, f"User: {key_id} is not authorized to {what}")
