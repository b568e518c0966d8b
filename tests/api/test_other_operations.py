"""Usage, rules, and what guardray does not have, by boto3."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from api.serving import ACCOUNT, MANAGEMENT, OTHER, REGION, THIRD, refused
from botocore.exceptions import ClientError

from guardray.api.call import Settings
from guardray.custom.library import read_folders
from guardray.custom.settings import RuleFolder
from guardray.store import api_members
from guardray.store.api_members import ENABLED, StoredMember
from guardray.store.usage import add_usage

CATALOGUE = Path(__file__).parents[2] / "configs" / "detections" / "catalogue"
RULE = "console-login-without-mfa"


@pytest.fixture
def settings():
    rules, refused_files = read_folders([RuleFolder(CATALOGUE)])
    assert refused_files == []
    return Settings(management_account=MANAGEMENT, rules=tuple(rules))


def test_usage_has_all_groupings_and_costs_nothing(client, detector_id):
    members = {
        "SUM_BY_ACCOUNT": "SumByAccount",
        "SUM_BY_DATA_SOURCE": "SumByDataSource",
        "SUM_BY_FEATURES": "SumByFeature",
        "TOP_ACCOUNTS_BY_FEATURE": "TopAccountsByFeature",
        "SUM_BY_RESOURCE": "SumByResource",
        "TOP_RESOURCES": "TopResources",
    }
    for kind, member in members.items():
        answer = client.get_usage_statistics(DetectorId=detector_id, UsageStatisticType=kind, UsageCriteria={})
        assert list(answer["UsageStatistics"]) == [member]
    answer = client.get_usage_statistics(
        DetectorId=detector_id,
        UsageStatisticType="SUM_BY_FEATURES",
        UsageCriteria={"Features": ["DNS_LOGS"]},
        Unit="USD",
    )
    total = {"Total": {"Amount": "0.00", "Unit": "USD"}}
    assert answer["UsageStatistics"]["SumByFeature"] == [{"Feature": "DNS_LOGS", **total}]


@pytest.fixture
def read(database, clock):
    """What was read of two accounts, a month ago and since."""
    rows = [
        {"account_id": account, "region": region, "source": source, "rows": number}
        for account, region, source, number in (
            (ACCOUNT, REGION, "dns", 5),
            (ACCOUNT, REGION, "cloudtrail-s3", 3_000_000_000),
            (ACCOUNT, "us-east-1", "dns", 100),
            (OTHER, REGION, "dns", 7),
        )
    ]
    today = clock().date()
    with database.writing() as connection:
        add_usage(connection, today - timedelta(days=30), rows)
        add_usage(connection, today - timedelta(days=29), rows)
        add_usage(connection, today, rows[:1])


class TestUsage:
    def ask(self, client, detector_id, kind, **criteria):
        answer = client.get_usage_statistics(DetectorId=detector_id, UsageStatisticType=kind, UsageCriteria=criteria)
        return answer["UsageStatistics"]

    def test_it_is_the_records_of_thirty_days_in_the_callers_region(self, client, detector_id, read):
        (account,) = self.ask(client, detector_id, "SUM_BY_ACCOUNT")["SumByAccount"]
        assert account == {"AccountId": ACCOUNT, "Total": {"Amount": "3000000010", "Unit": "EVENTS"}}

    def test_it_is_told_by_data_source_and_by_feature(self, client, detector_id, read):
        sums = self.ask(client, detector_id, "SUM_BY_DATA_SOURCE", DataSources=["DNS_LOGS", "S3_LOGS", "FLOW_LOGS"])
        amounts = {one["DataSource"]: one["Total"]["Amount"] for one in sums["SumByDataSource"]}
        assert amounts == {"DNS_LOGS": "10", "S3_LOGS": "3000000000", "FLOW_LOGS": "0"}
        sums = self.ask(client, detector_id, "SUM_BY_FEATURES", Features=["S3_DATA_EVENTS", "LAMBDA_NETWORK_LOGS"])
        amounts = {one["Feature"]: one["Total"]["Amount"] for one in sums["SumByFeature"]}
        assert amounts == {"S3_DATA_EVENTS": "3000000000", "LAMBDA_NETWORK_LOGS": "0"}

    def test_members_are_told_of_those_with_the_most_first_and_strangers_never(
        self, client, detector_id, read, database, clock
    ):
        (one,) = self.ask(client, detector_id, "TOP_ACCOUNTS_BY_FEATURE", Features=["DNS_LOGS"])["TopAccountsByFeature"]
        assert [account["AccountId"] for account in one["Accounts"]] == [ACCOUNT]
        values = {"region": REGION, "administrator_id": ACCOUNT, "account_id": OTHER, "email": ""}
        with database.writing() as connection:
            api_members.add(connection, StoredMember(**values, status=ENABLED, updated_at=clock()))
            add_usage(
                connection,
                clock().date(),
                [{"account_id": OTHER, "region": REGION, "source": "dns", "rows": 50}],
            )
        (one,) = self.ask(client, detector_id, "TOP_ACCOUNTS_BY_FEATURE", Features=["DNS_LOGS"])["TopAccountsByFeature"]
        assert [account["AccountId"] for account in one["Accounts"]] == [OTHER, ACCOUNT]

    def test_there_are_two_units(self, client, detector_id):
        with pytest.raises(ClientError) as error:
            client.get_usage_statistics(
                DetectorId=detector_id, UsageStatisticType="SUM_BY_ACCOUNT", UsageCriteria={}, Unit="EUR"
            )
        assert "the parameter unit" in refused(error)[1]


def test_there_is_no_trial_and_nothing_that_agents_cover(client, detector_id):
    answer = client.get_remaining_free_trial_days(DetectorId=detector_id, AccountIds=["111122223333", "555566667777"])
    assert answer["Accounts"][0]["Features"][0]["FreeTrialDaysRemaining"] == 0
    assert answer["UnprocessedAccounts"][0]["AccountId"] == "555566667777"
    assert client.list_coverage(DetectorId=detector_id)["Resources"] == []
    statistics = client.get_coverage_statistics(DetectorId=detector_id, StatisticsType=["COUNT_BY_COVERAGE_STATUS"])
    assert statistics["CoverageStatistics"] == {"CountByCoverageStatus": {}}


def test_reading_of_malware_is_empty_and_asking_for_it_says_why_not(client, detector_id):
    assert client.describe_malware_scans(DetectorId=detector_id)["Scans"] == []
    assert client.list_malware_protection_plans()["MalwareProtectionPlans"] == []
    with pytest.raises(ClientError) as error:
        client.start_malware_scan(ResourceArn="arn:aws:ec2:eu-west-1:111122223333:instance/i-1")
    code, message = refused(error)
    assert (code, "does not scan for malware" in message) == ("BadRequestException", True)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_malware_scan(ScanId="1")


def test_rules_are_listed_read_and_filtered(client):
    rules = client.get_paginator("list_custom_detection_rules").paginate(PaginationConfig={"PageSize": 5})
    listed = rules.build_full_result()["Rules"]
    assert len(listed) >= 25
    assert len({rule["RuleId"] for rule in listed}) == len(listed)
    rule = client.get_custom_detection_rule(RuleId=RULE)["Rule"]
    assert (rule["Name"], rule["Severity"], rule["Service"]) == ("ConsoleLoginWithoutMFA", "MEDIUM", "IAM")
    assert "ConsoleLogin" in rule["Definition"]["Expression"]
    found = client.list_custom_detection_rules(Filters=[{"Name": "name", "Values": ["login"], "Condition": "CONTAINS"}])
    assert RULE in {rule["RuleId"] for rule in found["Rules"]}
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_custom_detection_rule(RuleId="no-such-rule")


def test_a_rule_is_associated_changed_and_taken_off(client):
    made = client.create_custom_detection_rule_association(RuleId=RULE, Mode="DRY_RUN", Tags={"a": "b"})
    one = {"RuleId": RULE, "AssociationId": made["RuleAssociation"]["AssociationId"]}
    with pytest.raises(client.exceptions.ConflictException):
        client.create_custom_detection_rule_association(RuleId=RULE, Mode="LIVE")
    client.update_custom_detection_rule_association(**one, Mode="LIVE")
    answer = client.get_custom_detection_rule_association(**one)
    assert (answer["RuleAssociation"]["Mode"], answer["Tags"]) == ("LIVE", {"a": "b"})
    assert len(client.list_custom_detection_rule_associations(Mode="LIVE")["RuleAssociations"]) == 1
    assert client.list_custom_detection_rule_associations(Mode="DRY_RUN")["RuleAssociations"] == []
    client.delete_custom_detection_rule_association(**one)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_custom_detection_rule_association(**one)


def test_only_the_administrator_configures_rules_of_the_organisation(served, client):
    with pytest.raises(ClientError) as error:
        client.create_custom_detection_rule_org_configuration(RuleId=RULE, Mode="LIVE")
    assert refused(error)[0] == "AccessDeniedException"
    served.client(MANAGEMENT).enable_organization_admin_account(AdminAccountId=THIRD)
    admin, one = served.client(THIRD), {"RuleId": RULE, "Mode": "LIVE"}
    admin.create_custom_detection_rule_org_configuration(**one, ExcludeAccountIds=["111122223333"])
    configuration = admin.get_custom_detection_rule_org_configuration(**one)["Configuration"]
    assert (configuration["ExcludeAccountIds"], configuration["IncludeAccountIds"]) == (["111122223333"], [])
    assert len(admin.list_custom_detection_rule_org_configurations()["Configurations"]) == 1
    admin.update_custom_detection_rule_org_configuration(**one, IncludeAccountIds=["111122223333"])
    admin.delete_custom_detection_rule_org_configuration(**one)
    assert admin.list_custom_detection_rule_org_configurations()["Configurations"] == []
