"""Making and revoking keys and tokens."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from guardray.access.auditing import redacted
from guardray.access.binding import binding_of
from guardray.access.identity import Role
from guardray.access.seal import Seal
from guardray.errors import UsageError
from guardray.store.access_audit import DONE, AuditEntry
from guardray.store.access_keys import AccessKeys, KeyRecord, Kind
from guardray.types import AccountId, Region

PREFIXES: dict[Kind, str] = {"signing": "GRAK", "token": "GRTK"}
"""What ids begin with, so that one that turns up somewhere is known for what it is. AWS's own begin otherwise."""

_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ID_LENGTH = 16
_SECRET_ALPHABET = string.ascii_letters + string.digits  # nothing that a shell or a command line would read otherwise
_SECRET_LENGTH = 40  # as long as AWS's
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d{1,2}", re.ASCII)


@dataclass(frozen=True)
class Issued:
    """A new key or token. `secret` is nowhere else: it is to be shown now.

    Attributes:
        secret: of a signing key its secret; of a token the whole of it, as it is sent.
    """

    record: KeyRecord
    secret: str = field(repr=False)


def issue(
    keys: AccessKeys,
    seal: Seal,
    *,
    kind: Kind,
    account_id: AccountId,
    role: Role,
    regions: Collection[Region] | None,
    actor: str,
    now: datetime,
) -> Issued:
    """Make a key or token, and keep it.

    Args:
        regions: those that it is good for; null for all.
        actor: who makes it, for the audit log.

    Raises:
        UsageError: that is no account or Region; or the store has keys that are sealed with another key.
    """
    _check(account_id, regions)
    _check_seal(keys, seal)
    key_id = PREFIXES[kind] + _random(_ID_ALPHABET, _ID_LENGTH)
    secret = _random(_SECRET_ALPHABET, _SECRET_LENGTH)
    bare = KeyRecord(
        id=key_id,
        kind=kind,
        account_id=account_id,
        role=role.value,
        regions=None if regions is None else frozenset(regions),
        secret="",
        sealed_by=seal.name,
        created_at=now,
    )
    close = seal.close if kind == "signing" else seal.hashed
    record = replace(bare, secret=close(secret, binding_of(bare)))
    shown = {"id": key_id, "kind": kind, "role": role.value, "regions": sorted(record.regions or ()) or "all"}
    keys.add(record, _entry("CreateKey", account_id, actor, shown, now))
    return Issued(record, secret if kind == "signing" else f"{key_id}.{secret}")


def revoke(keys: AccessKeys, key_id: str, *, actor: str, now: datetime) -> KeyRecord:
    """Make a key good for nothing, for ever. Gates that run know it within a second.

    Raises:
        UsageError: there is no such key, or it is revoked already.
    """
    record = next((record for record in keys.records() if record.id == key_id), None)
    if record is None:
        raise UsageError(f"{key_id}: no key has this id; `guardray keys list` shows those that there are")
    if not keys.revoke(key_id, _entry("RevokeKey", record.account_id, actor, {"id": key_id}, now)):
        raise UsageError(f"{key_id}: is revoked already")
    return record


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _check(account_id: AccountId, regions: Collection[Region] | None) -> None:
    if not _ACCOUNT.fullmatch(account_id):
        raise UsageError(f"{account_id!r}: an account id is 12 digits")
    for region in regions or ():
        if not _REGION.fullmatch(region):
            raise UsageError(f"{region!r}: is no Region; eu-west-1 is one")


def _check_seal(keys: AccessKeys, seal: Seal) -> None:
    others = [record.id for record in keys.records() if record.revoked_at is None and record.sealed_by != seal.name]
    if others:
        raise UsageError(
            f"the store has keys that are sealed with another sealing key ({', '.join(others[:3])}"
            f"{', …' if len(others) > 3 else ''}): use that one, or revoke them, since nobody can use them without it"
        )


def _entry(operation: str, account_id: AccountId, actor: str, shown: Mapping[str, object], now: datetime) -> AuditEntry:
    return AuditEntry(
        time=now,
        actor=actor,
        account_id=account_id,
        region=None,
        operation=operation,
        parameters=redacted(shown),
        outcome=DONE,
        request_id="",
        source_ip="",
    )
