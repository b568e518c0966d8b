"""Findings by boto3."""

from __future__ import annotations

import json

import pytest
from api.serving import ACCOUNT, OTHER, refused
from botocore.exceptions import ClientError

from guardray.findings.finding_type import FindingType

BRUTE_FORCE, SCAN, ROOT = (
    "UnauthorizedAccess:EC2/SSHBruteForce",
    "Recon:EC2/Portscan",
    "Policy:IAMUser/RootCredentialUsage",
)


@pytest.fixture
def of(client, detector_id):
    """Three findings of the first account, by its detector."""
    client.create_sample_findings(DetectorId=detector_id, FindingTypes=[BRUTE_FORCE, SCAN, ROOT])
    return {"DetectorId": detector_id}


def ids_of(client, of, **criterion):
    return client.list_findings(**of, FindingCriteria={"Criterion": criterion})["FindingIds"]


def all_of(client, of):
    return client.get_findings(**of, FindingIds=client.list_findings(**of)["FindingIds"])["Findings"]


def test_a_sample_of_every_type_is_stored_like_a_finding(client, detector_id, settings):
    of = {"DetectorId": detector_id}
    client.create_sample_findings(**of)
    pages = client.get_paginator("list_findings").paginate(**of, PaginationConfig={"PageSize": 17})
    ids = pages.build_full_result()["FindingIds"]
    assert len(set(ids)) == len(ids) == len(settings.detectors)
    findings = [
        one
        for start in range(0, len(ids), 50)
        for one in client.get_findings(**of, FindingIds=ids[start : start + 50])["Findings"]
    ]
    assert {finding["Type"] for finding in findings} == {detector.finding_type for detector in settings.detectors}
    for finding in findings:
        assert FindingType.parse(finding["Type"])
        assert finding["Title"].startswith("[SAMPLE] ")
        assert json.loads(finding["Service"]["AdditionalInfo"]["Value"])["sample"] is True
        assert finding["Arn"].endswith(f"detector/{detector_id}/finding/{finding['Id']}")
    assert ids_of(client, of, **{"service.additionalInfo.sample": {"Eq": ["true"]}})


def test_samples_made_again_are_the_same_findings_once_more(client, of, clock):
    clock.pass_(minutes=5)
    client.create_sample_findings(**of, FindingTypes=[BRUTE_FORCE])
    (finding,) = client.get_findings(**of, FindingIds=ids_of(client, of, type={"Eq": [BRUTE_FORCE]}))["Findings"]
    assert finding["Service"]["Count"] == 2
    assert finding["CreatedAt"] < finding["UpdatedAt"] == "2026-11-02T09:35:15.250Z"


def test_unknown_types_have_no_sample(client, detector_id):
    with pytest.raises(ClientError) as error:
        client.create_sample_findings(DetectorId=detector_id, FindingTypes=[BRUTE_FORCE, "Recon:EC2/Nothing"])
    assert refused(error)[0] == "BadRequestException"
    assert client.list_findings(DetectorId=detector_id)["FindingIds"] == []


def test_criteria_and_order_are_those_of_the_request(client, of):
    assert len(ids_of(client, of, severity={"Gte": 1}, accountId={"Equals": [ACCOUNT]})) == 3
    assert len(ids_of(client, of, type={"Neq": [ROOT]})) == 2
    types = [
        finding["Type"]
        for finding in client.get_findings(
            **of,
            FindingIds=client.list_findings(**of)["FindingIds"],
            SortCriteria={"AttributeName": "type", "OrderBy": "ASC"},
        )["Findings"]
    ]
    assert types == sorted([BRUTE_FORCE, SCAN, ROOT])
    listed = client.list_findings(**of, SortCriteria={"AttributeName": "type", "OrderBy": "DESC"})["FindingIds"]
    assert [one["Type"] for one in client.get_findings(**of, FindingIds=listed)["Findings"]] == types[::-1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"FindingCriteria": {"Criterion": {"nothing.of.ours": {"Eq": ["a"]}}}},
        {"FindingCriteria": {"Criterion": {"type": {"Eq": []}}}},
        {"FindingCriteria": {"Criterion": {"type": {"Matches": ["*"]}}}},
        {"FindingCriteria": {"Criterion": {"type": {"Eq": ["a"] * 51}}}},
        {"SortCriteria": {"AttributeName": "nothing"}},
        {"SortCriteria": {"AttributeName": "type", "OrderBy": "UP"}},
        {"MaxResults": 51},
        {"NextToken": "bm9uZQ=="},
    ],
)
def test_questions_that_cannot_be_answered_are_refused(client, of, wrong):
    with pytest.raises(ClientError) as error:
        client.list_findings(**of, **wrong)
    assert refused(error)[0] == "BadRequestException"


def test_a_token_is_good_for_its_own_question_only(client, of):
    token = client.list_findings(**of, MaxResults=2)["NextToken"]
    assert len(client.list_findings(**of, MaxResults=2, NextToken=token)["FindingIds"]) == 1
    with pytest.raises(ClientError):
        client.list_findings(**of, NextToken=token, SortCriteria={"AttributeName": "type", "OrderBy": "ASC"})


def test_ids_are_fifty_at_most_and_may_be_unknown_or_none(client, of):
    assert client.get_findings(**of, FindingIds=[])["Findings"] == []
    assert client.get_findings(**of, FindingIds=["0" * 32])["Findings"] == []
    client.archive_findings(**of, FindingIds=["0" * 32])
    for ask in (client.get_findings, client.archive_findings, client.unarchive_findings):
        with pytest.raises(ClientError) as error:
            ask(**of, FindingIds=[f"{number:032}" for number in range(51)])
        assert refused(error)[0] == "BadRequestException"


def test_findings_are_archived_and_taken_back(client, of):
    (one,) = ids_of(client, of, type={"Eq": [ROOT]})
    client.archive_findings(**of, FindingIds=[one])
    assert ids_of(client, of, **{"service.archived": {"Eq": ["true"]}}) == [one]
    assert client.get_findings(**of, FindingIds=[one])["Findings"][0]["Service"]["Archived"] is True
    client.unarchive_findings(**of, FindingIds=[one])
    assert len(ids_of(client, of, **{"service.archived": {"Eq": ["false"]}})) == 3


def test_feedback_is_shown_without_its_comments(client, of):
    (one,) = ids_of(client, of, type={"Eq": [ROOT]})
    client.update_findings_feedback(**of, FindingIds=[one], Feedback="NOT_USEFUL", Comments="we did that")
    (finding,) = client.get_findings(**of, FindingIds=[one])["Findings"]
    assert finding["Service"]["UserFeedback"] == "NOT_USEFUL"
    assert "we did that" not in json.dumps(finding, default=str)


def test_findings_are_counted_in_every_grouping(client, of, clock):
    old = client.get_findings_statistics(**of, FindingStatisticTypes=["COUNT_BY_SEVERITY"])["FindingStatistics"]
    assert sum(old["CountBySeverity"].values()) == 3
    assert all("." in severity for severity in old["CountBySeverity"])
    for group_by, member in (
        ("ACCOUNT", "GroupedByAccount"),
        ("DATE", "GroupedByDate"),
        ("FINDING_TYPE", "GroupedByFindingType"),
        ("RESOURCE", "GroupedByResource"),
        ("SEVERITY", "GroupedBySeverity"),
    ):
        groups = client.get_findings_statistics(**of, GroupBy=group_by)["FindingStatistics"][member]
        assert sum(group["TotalFindings"] for group in groups) == 3
        assert {group["LastGeneratedAt"] for group in groups} == {clock.now}
    for wrong in ({}, {"GroupBy": "DATE", "FindingStatisticTypes": ["COUNT_BY_SEVERITY"]}, {"GroupBy": "HOUR"}):
        with pytest.raises(ClientError):
            client.get_findings_statistics(**of, **wrong)


def test_an_account_sees_its_own_findings_and_an_administrator_those_of_members(served, client, of):
    other = served.client(OTHER)
    other_of = {"DetectorId": other.create_detector(Enable=True)["DetectorId"]}
    other.create_sample_findings(**other_of, FindingTypes=[ROOT])
    (theirs,) = other.list_findings(**other_of)["FindingIds"]
    assert len(all_of(client, of)) == 3
    assert client.get_findings(**of, FindingIds=[theirs])["Findings"] == []
    ours = client.list_findings(**of)["FindingIds"]
    assert other.get_findings(**other_of, FindingIds=ours)["Findings"] == []
    client.create_members(**of, AccountDetails=[{"AccountId": OTHER, "Email": "a@example.com"}])
    client.invite_members(**of, AccountIds=[OTHER])
    assert len(served.client().list_findings(**of)["FindingIds"]) == 3
    invitation = other.list_invitations()["Invitations"][0]["InvitationId"]
    other.accept_administrator_invitation(**other_of, AdministratorId=ACCOUNT, InvitationId=invitation)
    assert len(served.client().list_findings(**of)["FindingIds"]) == 4
    assert ids_of(client, of, accountId={"Eq": [OTHER]}) == [theirs]
    assert other.list_findings(**other_of)["FindingIds"] == [theirs]
    with pytest.raises(ClientError):
        other.archive_findings(**other_of, FindingIds=[theirs])


def test_pages_are_read_to_their_end_while_findings_are_added(client, of, settings):
    more = [
        detector.finding_type for detector in settings.detectors if detector.finding_type not in (BRUTE_FORCE, SCAN)
    ]
    seen = []
    for number, page in enumerate(
        client.get_paginator("list_findings").paginate(**of, PaginationConfig={"PageSize": 1})
    ):
        seen += page["FindingIds"]
        client.create_sample_findings(**of, FindingTypes=[more[number]])
        assert number < 60
    assert len(set(seen)) == len(seen) >= 3


def test_deleting_the_detector_deletes_its_findings(client, of):
    client.delete_detector(**of)
    again = client.create_detector(Enable=True)["DetectorId"]
    assert client.list_findings(DetectorId=again)["FindingIds"] == []
