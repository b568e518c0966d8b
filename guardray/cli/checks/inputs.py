"""Sources: whether they are there, may be listed, and may be read."""

from __future__ import annotations

from guardray.cli.checks.check import Check, fail, ok, warn
from guardray.errors import SourceError, UsageError
from guardray.sources.fetching import open_object
from guardray.sources.objects import S3_SCHEME, STANDARD_INPUT, InputObject, KeyFilter, locate


def check_source(source: str, s3_endpoint: str | None) -> Check:
    """Lists the source and opens its smallest object."""
    if source == STANDARD_INPUT:
        return ok(source, "standard input, read when the scan runs")
    try:
        objects = locate([source], KeyFilter(), s3_endpoint)
        if not objects:
            return warn(source, "nothing in it to read", "check the path: AWS writes below AWSLogs/ACCOUNT/")
        open_object(min(objects, key=_size), s3_endpoint).close()
    except (UsageError, SourceError) as error:
        return fail(source, str(error).removeprefix(f"{source}: "), _mend(source))
    size = sum(map(_size, objects)) / 1e6
    return ok(source, f"{len(objects):,} objects, {size:,.1f} MB, may be read")


def _size(obj: InputObject) -> int:
    return obj.size or 0


def _mend(source: str) -> str:
    if source.startswith(S3_SCHEME):
        return "check name, credentials and --s3-endpoint; allow s3:ListBucket on it and s3:GetObject below"
    return "check the path and its permissions"
