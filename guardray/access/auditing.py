"""Entries of the audit log: who did what, with parameters that may be read by those who read the log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from guardray.access.identity import Holder, Identity
from guardray.access.request import Request
from guardray.store.access_audit import DONE, AuditEntry

HIDDEN = "(hidden)"
TEXT_MAX, ITEMS_MAX, DEPTH_MAX = 300, 50, 8
"""Characters, items and levels of a parameter that are kept: what a request holds may be of any size."""

_SECRET_NAME = re.compile(r"secret|password|passwd|credential|authorization|signature|api_?key|bearer", re.IGNORECASE)
_TOKEN_NAME = re.compile(r"(?<!next)(?<!client)token", re.IGNORECASE)


def entry_of(
    caller: Identity | Holder,
    request: Request,
    operation: str,
    parameters: Mapping[str, Any],
    now: datetime,
    outcome: str = DONE,
) -> AuditEntry:
    """The entry of a change, to be appended in the transaction that makes it."""
    return AuditEntry(
        time=now,
        actor=caller.key_id,
        account_id=caller.account_id,
        region=caller.region if isinstance(caller, Identity) else None,
        operation=operation,
        parameters=redacted(parameters),
        outcome=outcome,
        request_id=request.request_id,
        source_ip=request.source_ip,
    )


def redacted(parameters: Mapping[str, Any]) -> str:
    """Parameters as JSON: without values of names that sound secret or credentials in URLs, and cut to a size."""
    return msgspec.json.encode(_shown(parameters, DEPTH_MAX), enc_hook=str).decode()


def _shown(value: Any, depth: int) -> Any:
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        kept = list(value.items())[:ITEMS_MAX]
        return {_cut(str(name)): HIDDEN if _is_secret(str(name)) else _shown(one, depth - 1) for name, one in kept}
    if isinstance(value, str):
        return _cut(_without_credentials(value))
    if isinstance(value, bytes | bytearray):
        return HIDDEN
    if isinstance(value, Sequence):
        return [_shown(one, depth - 1) for one in value[:ITEMS_MAX]]
    return value


def _is_secret(name: str) -> bool:
    return bool(_SECRET_NAME.search(name) or _TOKEN_NAME.search(name))


def _without_credentials(text: str) -> str:
    """A URL without its user, password and query; other text as it is."""
    if "://" not in text:
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return HIDDEN
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, HIDDEN if parts.query else "", ""))


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…"
