"""The four kinds of lists: what their operations call them, and what they mean to the library."""

from __future__ import annotations

import re
from dataclasses import dataclass

from guardray.intel.registry import MOST_THREAT, MOST_TRUSTED, SetKind
from guardray.store import api_resources

INACTIVE, ACTIVATING, ACTIVE, FAILED = "INACTIVE", "ACTIVATING", "ACTIVE", api_resources.FAILED
DEACTIVATING, DELETE_PENDING, DELETED = "DEACTIVATING", "DELETE_PENDING", "DELETED"

UNDER_WAY = frozenset({ACTIVATING, DEACTIVATING, DELETE_PENDING})
"""Statuses that pass by themselves; nothing else may be changed until then."""


@dataclass(frozen=True)
class ListKind:
    """One of the kinds.

    Attributes:
        name: in the names of operations.
        kind: in ARNs.
        id_name: of the member that has an id; with an s, of ids.
        set_kind: whether there are domains in it as well.
    """

    name: str
    kind: str
    id_name: str
    set_kind: SetKind
    trusted: bool

    @property
    def most(self) -> int:
        """How many an account may have in a Region."""
        return MOST_TRUSTED if self.trusted else MOST_THREAT

    @property
    def is_of_entities(self) -> bool:
        """Whether answers tell of times and errors, which those of addresses do not."""
        return self.set_kind == "entity-set"

    @property
    def names(self) -> re.Pattern[str]:
        """What a name may be made of."""
        return re.compile(r"[A-Za-z0-9_-]{1,300}" if self.is_of_entities else r"[A-Za-z0-9 _-]{1,300}")


LIST_KINDS = (
    ListKind("IPSet", "ipset", "IpSetId", "ip-set", trusted=True),
    ListKind("ThreatIntelSet", "threatintelset", "ThreatIntelSetId", "ip-set", trusted=False),
    ListKind("TrustedEntitySet", "trustedentityset", "TrustedEntitySetId", "entity-set", trusted=True),
    ListKind("ThreatEntitySet", "threatentityset", "ThreatEntitySetId", "entity-set", trusted=False),
)

BY_KIND = {one.kind: one for one in LIST_KINDS}
