"""What clients of the API have switched off is not written, and what nobody spoke of is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from finding_examples import bucket_made_public
from own_rules import query_detector
from sqlalchemy import Connection

from guardray.detectors.declare import Query
from guardray.detectors.loader import load_detectors
from guardray.findings.finding import Finding
from guardray.findings.sighting import Occurrence
from guardray.service.pace import Pace
from guardray.service.switches import Switches
from guardray.store import api_detectors, api_members, api_resources
from guardray.store.api_detectors import StoredDetector
from guardray.store.api_members import ENABLED, StoredMember
from guardray.store.api_resources import StoredResource
from guardray.store.api_rules import ASSOCIATION, CONFIGURATION
from guardray.store.database import Database
from tests.service.running import Plain, Service, folder_source, stored

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
ACCOUNT, MEMBER, REGION = "111122223333", "444455556666", "eu-west-1"
ROOT, BUCKET = "Policy:IAMUser/RootCredentialUsage", "Policy:S3/BucketBlockPublicAccessDisabled"
OWN = query_detector("Policy:IAMUser/UserCreated", Query("rule", "true"))
DETECTORS = {detector.finding_type: detector for detector in (*load_detectors(), OWN)}
S3_DATA = next(name for name, one in DETECTORS.items() if one.source == "cloudtrail-s3")


@pytest.fixture
def connection(tmp_path: Path):
    database = Database(str(tmp_path / "findings.db"))
    with database.writing() as connection:
        yield connection
    database.close()


def detector(account=ACCOUNT, region=REGION, *, enabled=True, s3=True) -> StoredDetector:
    return StoredDetector(
        account_id=account,
        region=region,
        enabled=enabled,
        publishing_frequency="SIX_HOURS",
        features={"S3_DATA_EVENTS": {"status": "ENABLED" if s3 else "DISABLED", "changed": 0}},
        created_at=NOW,
        updated_at=NOW,
    )


def finding(finding_type: str, account=ACCOUNT, region=REGION) -> Finding:
    row = Occurrence(NOW, 1, {"rule": "rule"})
    return replace(bucket_made_public(), type=finding_type, account_id=account, region=region, evidence=(row,))


def lets(connection: Connection, finding_type: str, account=ACCOUNT, region=REGION) -> bool:
    return Switches.read(connection).let(finding(finding_type, account, region), DETECTORS[finding_type])


def test_where_nobody_used_the_api_everything_is_found(connection):
    assert all(lets(connection, name) for name in (ROOT, BUCKET, S3_DATA, OWN.finding_type))


def test_a_suspended_detector_finds_nothing_in_its_account_and_region_alone(connection):
    api_detectors.add(connection, detector(enabled=False))
    assert not lets(connection, ROOT)
    assert lets(connection, ROOT, region="us-east-1")
    assert lets(connection, ROOT, account=MEMBER)


def test_a_detector_that_was_deleted_finds_nothing_until_it_is_made_again(connection):
    api_detectors.add(connection, detector())
    api_detectors.remove(connection, detector())
    assert not lets(connection, ROOT)
    api_detectors.add(connection, detector())
    assert lets(connection, ROOT)


def test_a_detector_of_one_account_leaves_the_others_as_they_were(connection):
    api_detectors.add(connection, detector())
    assert lets(connection, ROOT)
    assert lets(connection, ROOT, account=MEMBER)


def test_without_the_feature_nothing_is_found_in_data_events_of_s3(connection):
    api_detectors.add(connection, detector(s3=False))
    assert not lets(connection, S3_DATA)
    assert lets(connection, BUCKET)


class TestRulesOfOnesOwn:
    ID = "policy-iam-user-user-created"

    def say(self, connection, kind, account, mode, **content: Any):
        api_resources.add(
            connection,
            StoredResource(
                account_id=account,
                region=REGION,
                kind=kind,
                id=f"{kind}-{mode}",
                name=f"{kind}-{mode}",
                content={"RuleId": self.ID, "Mode": mode, **content},
                created_at=NOW,
                updated_at=NOW,
            ),
        )

    def member(self, connection):
        values = {"region": REGION, "administrator_id": ACCOUNT, "account_id": MEMBER, "email": ""}
        api_members.add(connection, StoredMember(**values, status=ENABLED, updated_at=NOW))

    def test_an_association_in_dry_run_silences_a_rule_in_its_account(self, connection):
        self.say(connection, ASSOCIATION, ACCOUNT, "DRY_RUN")
        assert not lets(connection, OWN.finding_type)
        assert lets(connection, OWN.finding_type, account=MEMBER)
        assert lets(connection, ROOT)

    def test_an_association_that_is_live_goes_before_the_file_of_the_rule(self, connection):
        tried = replace(OWN, mode="DRY_RUN")
        assert not Switches.read(connection).let(finding(OWN.finding_type), tried)
        self.say(connection, ASSOCIATION, ACCOUNT, "LIVE")
        assert Switches.read(connection).let(finding(OWN.finding_type), tried)

    def test_what_the_organisation_says_holds_for_members_unless_they_say_otherwise(self, connection):
        self.member(connection)
        self.say(connection, CONFIGURATION, ACCOUNT, "DRY_RUN")
        assert not lets(connection, OWN.finding_type, account=MEMBER)
        self.say(connection, ASSOCIATION, MEMBER, "LIVE")
        assert lets(connection, OWN.finding_type, account=MEMBER)

    def test_accounts_can_be_named_or_left_out(self, connection):
        self.member(connection)
        self.say(connection, CONFIGURATION, ACCOUNT, "DRY_RUN", IncludeAccountIds=[], ExcludeAccountIds=[MEMBER])
        assert lets(connection, OWN.finding_type, account=MEMBER)
        assert not lets(connection, OWN.finding_type)
        self.say(connection, CONFIGURATION, ACCOUNT, "LIVE", IncludeAccountIds=[ACCOUNT])
        assert lets(connection, OWN.finding_type)


class TestOfARunningService:
    def switch(self, state, change) -> None:
        database = Database(state["store_url"])
        with database.writing() as connection:
            change(connection)
        database.close()

    def places(self, scanned: Plain) -> list[tuple[str, str]]:
        return sorted({(one["finding"]["accountId"], one["finding"]["region"]) for one in scanned.values()})

    def test_what_is_suspended_from_the_start_finds_nothing(self, settings, account, scanned, state):
        off = self.places(scanned)
        self.switch(
            state, lambda connection: [api_detectors.add(connection, detector(*place, enabled=False)) for place in off]
        )
        Service(settings, folder_source(account / "AWSLogs"), **state).run()
        assert stored(state["store_url"]) == {}

    def test_only_findings_in_data_events_are_gone_without_the_feature(self, settings, account, scanned, state):
        places = self.places(scanned)
        self.switch(
            state, lambda connection: [api_detectors.add(connection, detector(*place, s3=False)) for place in places]
        )
        Service(settings, folder_source(account / "AWSLogs"), **state).run()
        expected = {id_: one for id_, one in scanned.items() if not is_of_data_events(one)}
        assert stored(state["store_url"]) == expected
        assert len(expected) < len(scanned)

    def test_what_was_shown_before_a_suspension_is_neither_taken_back_nor_counted_twice(
        self, settings, account, scanned, state
    ):
        service = Service(settings, folder_source(account / "AWSLogs"), **state, pace=Pace(max_objects=100_000))
        service.start()
        service.coordinator.step()
        shown = stored(state["store_url"])
        places = self.places(scanned)
        self.switch(
            state,
            lambda connection: [api_detectors.add(connection, detector(*place, enabled=False)) for place in places],
        )
        service.coordinator.finish()
        service.store.close()
        after = stored(state["store_url"])
        assert after.keys() == shown.keys()
        assert all(count(shown[id_]) <= count(after[id_]) <= count(scanned[id_]) for id_ in after)


def count(one: dict[str, Any]) -> int:
    number: int = one["finding"]["service"]["count"]
    return number


def is_of_data_events(one: dict[str, Any]) -> bool:
    return DETECTORS[one["finding"]["type"]].source == "cloudtrail-s3"
