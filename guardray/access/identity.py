"""Who is calling, as the credentials say and nothing else of a request does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from guardray.types import AccountId, Region


class Role(StrEnum):
    """What a key or token may do; `guardray.access.permissions` has the operations of each."""

    ADMIN = "admin"
    ANALYST = "analyst"
    READER = "reader"
    INGEST = "ingest"


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller of a signed request: it acts in one account and one Region."""

    account_id: AccountId
    region: Region
    role: Role
    key_id: str


@dataclass(frozen=True, slots=True)
class Holder:
    """The caller of a plain request, which names no Region: it sees all that its credentials are good for.

    Attributes:
        regions: null where they are good for every Region.
    """

    account_id: AccountId
    regions: frozenset[Region] | None
    role: Role
    key_id: str
