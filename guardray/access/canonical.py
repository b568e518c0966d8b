"""The string that a request's signature is of, from the request as it came.

botocore makes the same strings for clients, and the tests hold this to them. It is not called here because it works on
requests of its own kind, which takes several times as long as all the rest, and because it takes in what a client would
never send; a server refuses that.

Source: AWS's description of Signature Version 4, "Create a signed AWS API request".
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

from guardray.access import refusals
from guardray.access.claims import ALGORITHM, Claim
from guardray.access.request import Request

HEADERS_MAX = 100
HEADER_BYTES_MAX = 16_384
PATH_MAX, QUERY_MAX = 4_096, 32_768

_ONCE = ("authorization", "host", "content-type", "content-length", "date")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ENCODED = re.compile(r"[!-~]*", re.ASCII)
_BLANKS = re.compile(r"[ \t]+")


def check_form(request: Request) -> None:
    """Refuse what cannot be signed in one way only, or is larger than any client sends it.

    Raises:
        AccessRefusedError: the path or the headers are too large or ambiguous.
    """
    if len(request.path) > PATH_MAX or len(request.query) > QUERY_MAX:
        raise refusals.malformed("The path or the query is too long.")
    size = sum(len(name) + len(value) for name, value in request.headers)
    if len(request.headers) > HEADERS_MAX or size > HEADER_BYTES_MAX:
        raise refusals.malformed("The headers are too large.")
    for name, values in request.by_name.items():
        if len(values) > 1 and (name in _ONCE or name.startswith("x-amz-")):
            raise refusals.malformed(f"The header {name} is there {len(values)} times.")
        if any(_CONTROL.search(value) for value in values):
            raise refusals.malformed("A header holds control characters.")
    if not request.path.startswith("/") or not _ENCODED.fullmatch(request.path + request.query):
        raise refusals.malformed("The path and the query must be percent-encoded.")
    # Clients sign paths with such segments left out, so they would not be covered by the signature.
    inner = request.path.split("/")[1:-1]
    if any(segment in ("", ".", "..") for segment in inner) or request.path.endswith(("/.", "/..")):
        raise refusals.empty_segment()


def check_signed_headers(request: Request, claim: Claim) -> None:
    """Refuse a signature that leaves out a header which says what the request is, or names one that is not there.

    Raises:
        AccessRefusedError: see above.
    """
    signed, present = claim.signed_headers, request.by_name
    if list(signed) != sorted(set(signed)):
        raise refusals.bad_signature("SignedHeaders must be sorted, and name no header twice.")
    if any(name not in present for name in signed):
        raise refusals.bad_signature("SignedHeaders names a header that the request does not have.")
    needed = {name for name in present if name in ("host", "content-type") or name.startswith("x-amz-")} | {"host"}
    missing = sorted(needed.difference(signed))
    if missing:
        raise refusals.bad_signature(f"These headers must be signed: {', '.join(missing)}.")


def string_to_sign(request: Request, claim: Claim) -> bytes:
    """What the signature is made of.

    Raises:
        AccessRefusedError: the request has a hash of its body, and it is of another body, or of none.
    """
    body_hash = hashlib.sha256(request.body).hexdigest()
    claimed = request.header("x-amz-content-sha256")
    if claimed is not None and claimed != body_hash:
        raise refusals.bad_signature("The body must be signed: x-amz-content-sha256 is not its SHA-256.")
    canonical = "\n".join(
        (
            request.method,
            quote(request.path, safe="/~", encoding="latin-1"),
            "&".join(f"{name}={value}" for name, value in sorted(claim.query)),
            *(f"{name}:{_canonical(request.by_name[name])}" for name in claim.signed_headers),
            "",
            ";".join(claim.signed_headers),
            body_hash,
        )
    )
    digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
    return f"{ALGORITHM}\n{claim.time}\n{claim.scope}\n{digest}".encode("latin-1")


def _canonical(values: list[str]) -> str:
    return ",".join(_BLANKS.sub(" ", value.strip(" \t")) for value in values)
