"""Making and revoking keys and tokens."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from guardray.access.auditing import redacted
from guardray.access.binding import binding_of
from guardray.access.identity import Role
from guardray.access.seal import FILE_NAME, Seal, make_seal, read_seal
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
_IDS_SHOWN = 3
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


def seal_for(keys: AccessKeys, data: Path, key_file: Path | None = None) -> Seal:
    """The sealing key of a store: the one that there is, or else a new one in the data folder.

    Raises:
        UsageError: the store has keys, and their sealing key is not there, cannot be read, or is another.
    """
    seal = read_seal(data, key_file)
    if seal is not None:
        _check_seal(keys, seal)
        return seal
    active = _active(keys)
    if active:
        raise UsageError(
            f"{data / FILE_NAME}: the sealing key is not there, and nobody can use the keys of the store without it "
            f"({_some(active)}): put it back, name it with --key-file, or revoke those keys first"
        )
    return make_seal(data)


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
    others = [record for record in _active(keys) if record.sealed_by != seal.name]
    if others:
        raise UsageError(
            f"the store has keys that are sealed with another sealing key ({_some(others)}): use that one, or revoke "
            "them, since nobody can use them without it"
        )


def _active(keys: AccessKeys) -> list[KeyRecord]:
    return [record for record in keys.records() if record.revoked_at is None]


def _some(records: Sequence[KeyRecord]) -> str:
    ids = [record.id for record in records[:_IDS_SHOWN]]
    return ", ".join(ids if len(records) <= _IDS_SHOWN else [*ids, "…"])


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
