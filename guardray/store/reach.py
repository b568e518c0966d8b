"""Whose findings credentials without a Region are good for: those of the account, and of its members by Region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, Table, and_, or_

from guardray.store import api_members
from guardray.store.index_schema import FINDING_INDEX
from guardray.store.search import Scope
from guardray.store.totals import ALL_REGIONS
from guardray.types import AccountId, Region


@dataclass(frozen=True)
class Reach(Scope):
    """A scope that may have other accounts in each Region.

    Attributes:
        account_ids: those that may be seen in all of its Regions.
        regions: null: all there are.
        members: further accounts, by the Region where they may be seen.
    """

    regions: frozenset[Region] | None = None
    members: Mapping[Region, frozenset[AccountId]] = field(default_factory=dict)

    @property
    def one_region(self) -> Region | None:
        """See Scope."""
        if self.regions is None:
            return None if self.members else ALL_REGIONS
        return next(iter(self.regions)) if len(self.regions) == 1 else None

    @classmethod
    def of(cls, connection: Connection, account_id: AccountId, regions: frozenset[Region] | None) -> Reach:
        """What this account sees in these Regions, as its members are now."""
        members = api_members.governed_everywhere(connection, account_id)
        there = {region: ids for region, ids in members.items() if regions is None or region in regions}
        return cls(frozenset({account_id}), None, regions, there)

    def conditions(self, table: Table = FINDING_INDEX) -> list[ColumnElement[bool]]:
        """On a table that has accounts and Regions of findings."""
        account, region = table.c.account_id, table.c.region
        own = self.account_ids or frozenset()
        everybody = own.union(*self.members.values())
        conditions: list[ColumnElement[bool]] = [account.in_(sorted(everybody))]  # first, as an index can begin with it
        if self.regions is not None:
            conditions.append(region.in_(sorted(self.regions)))
        if self.members:
            there = (and_(region == name, account.in_(sorted(ids))) for name, ids in sorted(self.members.items()))
            conditions.append(or_(account.in_(sorted(own)), *there))
        return conditions
