"""Why an object could not be read, told from the reason that the reader gave when it set it aside.

Source: the error codes of the S3 API reference, "Error responses", and the messages of botocore's exceptions.
"""

from __future__ import annotations

import re

from guardray.connectors.source import Failure
from guardray.sources.fetching import WRITTEN_TO

_CODE = re.compile(r"An error occurred \(([\w.]+)\)")
"""How botocore's messages begin where a service answered."""

_BUSY = re.compile(r"SlowDown|Throttl|TooManyRequests|RequestLimit|Unavailable|InternalError|RequestTimeout|^5\d\d$")

_MISSING = re.compile(r"no such (object|bucket|file)", re.IGNORECASE)

_DENIED = re.compile(r"access denied|permission denied|credentials|not permitted|SSL validation", re.IGNORECASE)

_OUT_OF_REACH = re.compile(
    r"could not connect|connect timeout|read timeout|connection was closed|response stream|bytes read, but total"
    r"|HTTP client raised|proxy URL|input/output error|stale file handle|timed out|too many open files"
    rf"|{WRITTEN_TO}",
    re.IGNORECASE,
)


def failure_of(reason: str) -> Failure:
    """What sort of failure a reason tells of, as `SourceError.reason` and `SetAside.reason` have it.

    What a service refused for a reason that is not known here is taken for one that a person has to mend: the object
    comes again, so nothing is lost. What is left is a matter of the content.
    """
    if _MISSING.search(reason):
        return Failure.MISSING
    code = _CODE.search(reason)
    if _OUT_OF_REACH.search(reason) or (code and _BUSY.search(code[1])):
        return Failure.THROTTLED
    return Failure.DENIED if code or _DENIED.search(reason) else Failure.BROKEN
