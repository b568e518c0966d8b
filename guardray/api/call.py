"""What an operation is given: who calls, what was sent, and the transaction that it works in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from guardray.access.identity import Identity
from guardray.api.errors import bad_request, foreign_detector
from guardray.api.tokens import Pages
from guardray.custom.library import OwnRule
from guardray.detectors.declare import Detector
from guardray.store import api_detectors, api_members
from guardray.store.api_detectors import StoredDetector
from guardray.types import AccountId, Region


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator of the server decides, and what the server can do.

    Attributes:
        management_account: of the organisation that all accounts of this server belong to; null: there is none, so
            that accounts become members by invitation only.
        list_folder: where files of lists may lie (`file://`); null: only S3 is read.
        detectors: that run, for samples.
        rules: of one's own, which serve as custom detection rules.
    """

    management_account: AccountId | None = None
    list_folder: Path | None = None
    detectors: tuple[Detector, ...] = ()
    rules: tuple[OwnRule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, checked.

    Attributes:
        params: by the names of the model.
        connection: its transaction, which an error takes back.
        pages: of the list that it asks for.
    """

    identity: Identity
    params: Mapping[str, Any]
    connection: Connection = field(repr=False)
    now: datetime
    pages: Pages
    settings: Settings

    @property
    def account_id(self) -> AccountId:
        return self.identity.account_id

    @property
    def region(self) -> Region:
        return self.identity.region

    def own_detector(self) -> StoredDetector:
        """The detector that the request names.

        Raises:
            ApiError: there is none, or it is another account's or in another Region.
        """
        detector = api_detectors.find(self.connection, self.account_id, self.region)
        if detector is None or detector.id != self.params["DetectorId"]:
            raise foreign_detector()
        return detector

    def governing_account(self) -> AccountId:
        """Whose lists, filters and settings hold for the caller: its administrator's, or its own."""
        governor = api_members.governor_of(self.connection, self.account_id, self.region)
        return governor.administrator_id if governor else self.account_id

    def refuse_members(self, what: str) -> None:
        """Raises ApiError where the caller has an administrator, who alone may do this."""
        if self.governing_account() != self.account_id:
            raise bad_request(f"a member account may not {what}: its administrator may")


Handler = Callable[[Call], Mapping[str, Any]]
"""What an operation does: the members of its answer, by the names of the model."""
