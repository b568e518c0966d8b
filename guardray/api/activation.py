"""What clients ask of lists, carried out: lists are read, put into use for accounts and Regions, and taken out again.

The store says what is wanted, the library of the data folder what is in use; a keeper makes the second like the first.
Any number of keepers may do so at the same time: each step is the same whoever takes it, and the library has a lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from guardray.access.gate import utc_now
from guardray.api import list_kinds
from guardray.api.errors import ApiError
from guardray.api.list_kinds import BY_KIND
from guardray.api.locations import location_of, read_location
from guardray.errors import UsageError
from guardray.intel.registry import OwnList
from guardray.intel.upkeep import Library
from guardray.store import api_detectors, api_members, api_resources
from guardray.store.api_resources import StoredResource
from guardray.store.database import Database
from guardray.types import AccountId, Region

_LOG = logging.getLogger(__name__)

REMEMBERED = timedelta(days=1)
"""How long a list that is gone can be asked for: tools look until they are told DELETED."""

Scope = tuple[tuple[AccountId, Region], ...]


class ListKeeper:
    """Carries out what the store says of lists.

    Args:
        list_folder: where files of lists may lie; null where none may.
    """

    def __init__(
        self,
        database: Database,
        library: Library,
        list_folder: Path | None,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._library = library
        self._list_folder = list_folder
        self._clock = clock

    def run_once(self) -> int:
        """Takes every step that waits; gives how many lists it changed. A list that fails does not stop the others.

        Raises:
            StoreError: the store cannot be asked.
        """
        with self._database.reading() as connection:
            lists = api_resources.all_resources(connection, BY_KIND)
            scopes = {one.id: _scope(connection, one) for one in lists}
        in_use = {one.key: one for one in self._library.registered().lists if one.id}
        return sum(self._keep(one, scopes[one.id], in_use.get(one.id)) for one in lists) + self._drop_unknown(
            in_use, {one.id for one in lists}
        )

    def _keep(self, wanted: StoredResource, scope: Scope, used: OwnList | None) -> bool:
        """Takes the step of one list, if there is any."""
        match wanted.status:
            case list_kinds.ACTIVATING:
                return self._settle(wanted, *self._activated(wanted, scope))
            case list_kinds.DEACTIVATING:
                return self._is_out(used) and self._settle(wanted, list_kinds.INACTIVE)
            case list_kinds.DELETE_PENDING:
                return self._is_out(used) and self._settle(wanted, list_kinds.DELETED)
            case list_kinds.DELETED if self._clock() - wanted.updated_at > REMEMBERED:
                with self._database.writing() as connection:
                    api_resources.remove(connection, wanted)
                return True
            case list_kinds.ACTIVE if used is not None and (used.scope, used.name) != (scope, wanted.name):
                return self._changed(wanted, scope)
        return False

    def _activated(self, wanted: StoredResource, scope: Scope) -> tuple[str, str | None]:
        kind, content = BY_KIND[wanted.kind], wanted.content
        try:
            place = location_of(content["Location"], self._list_folder)
            self._library.put(
                read_location(place, content.get("ExpectedBucketOwner")),
                source=content["Location"],
                name=wanted.name,
                format_=content["Format"],
                kind=kind.set_kind,
                trusted=kind.trusted,
                scope=scope,
                id_=wanted.id,
            )
        except (ApiError, UsageError, OSError) as error:
            _LOG.warning("list failed", extra={"list": wanted.id, "reason": str(error)})
            return list_kinds.FAILED, str(error)
        return list_kinds.ACTIVE, None

    def _is_out(self, used: OwnList | None) -> bool:
        """Takes a list out of use; one that cannot be is tried again the next time."""
        try:
            if used is not None:
                self._library.remove(used.key)
        except (UsageError, OSError) as error:
            _LOG.warning("list stays in use", extra={"list": used.key if used else "", "reason": str(error)})
            return False
        return True

    def _changed(self, wanted: StoredResource, scope: Scope) -> bool:
        """Another name or other members, with the content that was read: only an activation reads it again."""
        try:
            self._library.change(wanted.id, scope=scope, name=wanted.name)
        except (UsageError, OSError) as error:
            _LOG.warning("list keeps its scope", extra={"list": wanted.id, "reason": str(error)})
            return False
        return True

    def _settle(self, wanted: StoredResource, status: str, reason: str | None = None) -> bool:
        """Writes down what came of a step, unless somebody asked for something else meanwhile."""
        content = {name: value for name, value in wanted.content.items() if name != "ErrorDetails"}
        if reason is not None:
            content["ErrorDetails"] = reason
        with self._database.writing() as connection:
            now = api_resources.find(connection, wanted.account_id, wanted.region, wanted.kind, wanted.id)
            if now != wanted:
                return False
            api_resources.change(connection, wanted, self._clock(), status=status, content=content)
        return True

    def _drop_unknown(self, in_use: dict[str, OwnList], known: set[str]) -> int:
        """Lists of a detector that was deleted are in use no more."""
        return sum(self._is_out(used) for key, used in sorted(in_use.items()) if key not in known)


def _scope(connection: Connection, one: StoredResource) -> Scope:
    """Whom a list is for: the account and its members, in its Region, where a detector is."""
    accounts = api_members.governed_by(connection, one.account_id, one.region)
    with_detector = {detector.account_id for detector in api_detectors.detectors_in(connection, one.region)}
    return tuple((account, one.region) for account in sorted(accounts) if account in with_detector)
