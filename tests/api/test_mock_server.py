"""What the tests of moto, a mock that many projects test against, ask of GuardDuty: what is true of it holds here.

They are 19. The others use what GuardDuty itself refuses, and are refused here in its words; of each of these the part
that is right is tried with input that the service takes. docs/api.md has the list.
"""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest
from api.serving import MANAGEMENT, OTHER, refused
from botocore.exceptions import ClientError

NEW = {
    "Enable": True,
    "ClientToken": "745645734574758463758",
    "FindingPublishingFrequency": "ONE_HOUR",
    "DataSources": {"S3Logs": {"Enable": True}},
    "Tags": {},
}
CRITERIA = {"Criterion": {"type": {"Eq": ["Recon:EC2/Portscan"]}}}


def message_of(call, **params):
    """Of a refusal with GuardDuty's code for all that a caller gets wrong."""
    with pytest.raises(ClientError) as error:
        call(**params)
    code, message = refused(error)
    assert code == "BadRequestException"
    return message


class TestWhatHolds:
    def test_a_detector_is_made_with_everything_given(self, client):
        detector = client.get_detector(DetectorId=client.create_detector(**NEW)["DetectorId"])
        assert detector["FindingPublishingFrequency"] == "ONE_HOUR"
        assert detector["DataSources"]["S3Logs"] == {"Status": "ENABLED"}
        assert detector["CreatedAt"]

    def test_a_detector_is_made_with_the_least(self, client):
        assert client.create_detector(Enable=True)["DetectorId"]

    def test_there_is_none_at_first_and_none_once_it_was_deleted(self, client):
        assert client.list_detectors()["DetectorIds"] == []
        detector_id = client.create_detector(Enable=True)["DetectorId"]
        client.delete_detector(DetectorId=detector_id)
        message = message_of(client.get_detector, DetectorId=detector_id)
        assert message == ("The request is rejected because the input detectorId is not owned by the current account.")

    def test_a_detector_is_changed_in_what_is_given(self, client):
        detector_id = client.create_detector(**NEW)["DetectorId"]
        changed = {"FindingPublishingFrequency": "SIX_HOURS", "DataSources": {"S3Logs": {"Enable": False}}}
        client.update_detector(DetectorId=detector_id, **changed)
        detector = client.get_detector(DetectorId=detector_id)
        assert detector["FindingPublishingFrequency"] == "SIX_HOURS"
        assert detector["DataSources"]["S3Logs"] == {"Status": "DISABLED"}

    def test_an_account_alone_has_no_administrator(self, served, client, detector_id):
        assert served.client(MANAGEMENT).list_organization_admin_accounts()["AdminAccounts"] == []
        answer = client.get_administrator_account(DetectorId=detector_id)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert "Administrator" not in answer

    def test_filters_keep_their_spelling_and_their_rank_is_the_first(self, client, detector_id):
        of = {"DetectorId": detector_id, "FilterName": "my-first-filter"}
        made = client.create_filter(DetectorId=detector_id, Name="my-first-filter", FindingCriteria=CRITERIA)
        assert made["Name"] == "my-first-filter"
        assert client.get_filter(**of)["Rank"] == 1
        assert client.get_filter(**of)["FindingCriteria"] == CRITERIA
        client.update_filter(**of, Description="with a text", Action="NOOP")
        told = client.get_filter(**of)
        assert (told["Description"], told["FindingCriteria"]) == ("with a text", CRITERIA)
        client.delete_filter(**of)
        assert "no such resource found" in message_of(client.get_filter, **of)

    def test_the_organisation_has_the_administrator_that_was_named(self, served):
        management = served.client(MANAGEMENT)
        named = management.enable_organization_admin_account(AdminAccountId=OTHER)
        assert named["ResponseMetadata"]["HTTPStatusCode"] == 200
        told = management.list_organization_admin_accounts()["AdminAccounts"]
        assert told == [{"AdminAccountId": OTHER, "AdminStatus": "ENABLED"}]


class TestWhatIsTrueOfTheMockAlone:
    def test_an_account_has_a_second_detector(self, client, detector_id):
        assert "already exists" in message_of(client.create_detector, Enable=False)

    @pytest.mark.parametrize("name", ["Test", "TS3_DATA_EVENTS"])
    def test_features_have_any_name(self, client, detector_id, name):
        switch = {"DetectorId": detector_id, "Features": [{"Name": name, "Status": "ENABLED"}]}
        assert "is not one of" in message_of(client.update_detector, **switch)

    def test_any_feature_has_any_further_switch(self, client):
        further = [{"Name": "EKS_ADDON_MANAGEMENT", "Status": "ENABLED"}]
        audit = {"Name": "EKS_AUDIT_LOGS", "Status": "ENABLED", "AdditionalConfiguration": further}
        message_of(client.create_detector, Enable=True, Features=[audit])
        assert client.list_detectors()["DetectorIds"] == []

    def test_kubernetes_is_on_once_it_was_asked_for(self, client):
        sources = {"Kubernetes": {"AuditLogs": {"Enable": True}}}
        assert "not available in guardray" in message_of(client.create_detector, Enable=True, DataSources=sources)

    @pytest.mark.parametrize(
        ("name", "criteria"), [("my first filter", CRITERIA), ("mine", {"Criterion": {"x": {"Eq": ["y"]}}})]
    )
    def test_filters_have_blanks_in_their_names_and_unknown_attributes(self, client, detector_id, name, criteria):
        message_of(client.create_filter, DetectorId=detector_id, Name=name, FindingCriteria=criteria)

    @pytest.mark.parametrize("account", ["", "someaccount"])
    def test_any_text_is_an_account(self, served, account):
        message_of(served.client(MANAGEMENT).enable_organization_admin_account, AdminAccountId=account)

    def test_a_detector_is_made_without_a_signature_and_by_a_text(self, served):
        connection = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=10)
        connection.request("POST", "/detector", json.dumps({"enable": "True"}))
        answer = connection.getresponse()
        assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (403, "MissingAuthenticationTokenException")
        connection.close()
