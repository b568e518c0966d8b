"""Whether rules of one's own find something or are only tried, where the API has said so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from guardray.store import api_members, api_resources
from guardray.store.api_resources import StoredResource
from guardray.types import AccountId, Region

ASSOCIATION, CONFIGURATION = "rule-association", "rule-configuration"
"""The kinds among resources: of one account, and of an organisation."""

RuleMode = Literal["LIVE", "DRY_RUN"]


class RulePlace(NamedTuple):
    """A rule in an account and Region."""

    account_id: AccountId
    region: Region
    rule_id: str


def rule_modes(connection: Connection) -> Mapping[RulePlace, RuleMode]:
    """What holds where something was said: by the account itself, else by its organisation, LIVE before DRY_RUN."""
    resources = api_resources.all_resources(connection, [ASSOCIATION, CONFIGURATION])
    dry, live = [
        [one for one in resources if one.kind == CONFIGURATION and one.content["Mode"] == mode]
        for mode in ("DRY_RUN", "LIVE")
    ]
    own = [one for one in resources if one.kind == ASSOCIATION]
    return dict([*_of_organisations(connection, dry), *_of_organisations(connection, live), *map(_of_account, own)])


def _of_account(one: StoredResource) -> tuple[RulePlace, RuleMode]:
    return RulePlace(one.account_id, one.region, one.content["RuleId"]), one.content["Mode"]


def _of_organisations(
    connection: Connection, configurations: Iterable[StoredResource]
) -> Iterator[tuple[RulePlace, RuleMode]]:
    for one in configurations:
        included, excluded = one.content.get("IncludeAccountIds"), one.content.get("ExcludeAccountIds") or ()
        for account in api_members.governed_by(connection, one.account_id, one.region):
            if account in included if included else account not in excluded:
                yield RulePlace(account, one.region, one.content["RuleId"]), one.content["Mode"]
