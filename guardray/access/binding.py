"""What a key is bound to, as text that is sealed in with its secret."""

from __future__ import annotations

from guardray.store.access_keys import KeyRecord


def binding_of(record: KeyRecord) -> str:
    """Id, kind, account, role and Regions. None of them can hold the character between them."""
    regions = "*" if record.regions is None else ",".join(sorted(record.regions))
    return "|".join((record.id, record.kind, record.account_id, record.role, regions))
