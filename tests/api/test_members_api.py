"""Members, invitations and the organisation by boto3."""

from __future__ import annotations

import pytest
from api.serving import ACCOUNT, MANAGEMENT, OTHER, THIRD, refused
from botocore.exceptions import ClientError


@pytest.fixture
def other(served):
    return served.client(OTHER)


@pytest.fixture
def other_id(other):
    return other.create_detector(Enable=True)["DetectorId"]


def create(client, detector_id, account, email="team@example.com"):
    details = [{"AccountId": account, "Email": email}]
    return client.create_members(DetectorId=detector_id, AccountDetails=details)["UnprocessedAccounts"]


@pytest.fixture
def invitation(client, detector_id, other, other_id):
    """Of the second account by the first."""
    assert create(client, detector_id, OTHER) == []
    client.invite_members(DetectorId=detector_id, AccountIds=[OTHER], Message="join")
    return other.list_invitations()["Invitations"][0]


def status_of(client, detector_id, account=OTHER):
    (member,) = client.get_members(DetectorId=detector_id, AccountIds=[account])["Members"]
    return member["RelationshipStatus"]


def test_an_invited_account_accepts_and_is_governed(client, detector_id, other, other_id, invitation):
    assert (invitation["AccountId"], invitation["RelationshipStatus"]) == (ACCOUNT, "Invited")
    assert other.get_invitations_count()["InvitationsCount"] == 1
    assert other.get_administrator_account(DetectorId=other_id).get("Administrator") is None
    other.accept_administrator_invitation(
        DetectorId=other_id, AdministratorId=ACCOUNT, InvitationId=invitation["InvitationId"]
    )
    assert other.get_invitations_count()["InvitationsCount"] == 0
    assert other.get_administrator_account(DetectorId=other_id)["Administrator"]["RelationshipStatus"] == "Enabled"
    assert other.get_master_account(DetectorId=other_id)["Master"]["AccountId"] == ACCOUNT
    (member,) = client.list_members(DetectorId=detector_id)["Members"]
    assert (member["AccountId"], member["MasterId"], member["AdministratorId"]) == (OTHER, ACCOUNT, ACCOUNT)
    assert (member["Email"], member["DetectorId"]) == ("team@example.com", other_id)


def test_members_are_suspended_resumed_disassociated_and_forgotten(
    served, client, detector_id, other, other_id, invitation
):
    other.accept_invitation(DetectorId=other_id, MasterId=ACCOUNT, InvitationId=invitation["InvitationId"])
    named = {"DetectorId": detector_id, "AccountIds": [OTHER]}
    assert client.stop_monitoring_members(**named)["UnprocessedAccounts"] == []
    assert status_of(client, detector_id) == "Disabled"
    assert other.get_detector(DetectorId=other_id)["Status"] == "DISABLED"
    client.start_monitoring_members(**named)
    assert status_of(client, detector_id) == "Enabled"
    assert other.get_detector(DetectorId=other_id)["Status"] == "ENABLED"
    assert client.delete_members(**named)["UnprocessedAccounts"][0]["AccountId"] == OTHER
    client.disassociate_members(**named)
    assert status_of(client, detector_id) == "Removed"
    assert client.list_members(DetectorId=detector_id)["Members"] == []
    assert len(client.list_members(DetectorId=detector_id, OnlyAssociated="false")["Members"]) == 1
    client.get_paginator("list_members").paginate(DetectorId=detector_id).build_full_result()
    served.client().delete_members(**named)  # another key: the same signature would be a replay
    assert client.get_members(**named)["UnprocessedAccounts"][0]["AccountId"] == OTHER


def refused_each(*calls):
    """The message of each call, all of which are refused."""
    messages = []
    for one in calls:
        with pytest.raises(ClientError) as error:
            one()
        messages.append(refused(error)[1])
    return messages


def test_a_suspended_member_is_resumed_by_its_administrator_alone(
    served, client, detector_id, other, other_id, invitation
):
    other.accept_invitation(DetectorId=other_id, MasterId=ACCOUNT, InvitationId=invitation["InvitationId"])
    client.stop_monitoring_members(DetectorId=detector_id, AccountIds=[OTHER])
    messages = refused_each(
        lambda: other.update_detector(DetectorId=other_id, Enable=True),
        lambda: other.delete_detector(DetectorId=other_id),
    )
    assert all("its administrator has suspended" in message for message in messages)
    other.update_detector(DetectorId=other_id, Enable=False)  # says what is so already
    assert other.get_detector(DetectorId=other_id)["Status"] == "DISABLED"
    # Who came by an invitation may leave, and is then on its own.
    other.disassociate_from_administrator_account(DetectorId=other_id)
    served.client(OTHER).update_detector(DetectorId=other_id, Enable=True)  # another key: not the same signature
    assert other.get_detector(DetectorId=other_id)["Status"] == "ENABLED"


def test_a_suspended_account_of_the_organisation_does_not_leave_it_to_be_resumed(served, other, other_id):
    served.client(MANAGEMENT).enable_organization_admin_account(AdminAccountId=THIRD)
    admin = served.client(THIRD)
    (admin_id,) = admin.list_detectors()["DetectorIds"]
    create(admin, admin_id, OTHER)
    admin.stop_monitoring_members(DetectorId=admin_id, AccountIds=[OTHER])
    messages = refused_each(
        lambda: other.disassociate_from_administrator_account(DetectorId=other_id),
        lambda: other.delete_detector(DetectorId=other_id),
        lambda: other.update_detector(DetectorId=other_id, Enable=True),
    )
    assert all("its administrator has suspended" in message for message in messages)
    assert status_of(admin, admin_id) == "Disabled"


def test_a_member_does_not_switch_features(client, detector_id, other, other_id, invitation):
    other.accept_invitation(DetectorId=other_id, MasterId=ACCOUNT, InvitationId=invitation["InvitationId"])
    switch = {"DetectorId": other_id, "DataSources": {"S3Logs": {"Enable": False}}}
    (message,) = refused_each(lambda: other.update_detector(**switch))
    assert "a member account may not switch features" in message
    other.update_detector(**switch | {"DataSources": {"S3Logs": {"Enable": True}}})  # as it is already


def test_a_declined_invitation_can_be_deleted_and_made_again(client, detector_id, other, other_id, invitation):
    assert other.decline_invitations(AccountIds=[ACCOUNT, THIRD])["UnprocessedAccounts"][0]["AccountId"] == THIRD
    assert other.list_invitations()["Invitations"] == []
    assert status_of(client, detector_id) == "Resigned"
    assert other.delete_invitations(AccountIds=[ACCOUNT])["UnprocessedAccounts"] == []
    with pytest.raises(ClientError):
        other.accept_administrator_invitation(
            DetectorId=other_id, AdministratorId=ACCOUNT, InvitationId=invitation["InvitationId"]
        )
    assert client.invite_members(DetectorId=detector_id, AccountIds=[OTHER])["UnprocessedAccounts"] == []
    assert other.get_invitations_count()["InvitationsCount"] == 1


def test_an_administrator_with_members_keeps_its_detector(client, detector_id, other, other_id, invitation):
    with pytest.raises(ClientError) as error:
        client.delete_detector(DetectorId=detector_id)
    assert refused(error)[1] == (
        "The request is rejected because the current account cannot delete detector while it has invited or "
        "associated members."
    )


def test_a_member_may_leave_but_not_manage_lists_or_members(client, detector_id, other, other_id, invitation):
    other.accept_invitation(DetectorId=other_id, MasterId=ACCOUNT, InvitationId=invitation["InvitationId"])
    new = {"DetectorId": other_id, "Name": "ours", "Format": "TXT", "Location": "s3://lists/a", "Activate": False}
    for refused_call in (
        lambda: other.create_ip_set(**new),
        lambda: create(other, other_id, THIRD),
        lambda: other.update_detector(DetectorId=other_id, FindingPublishingFrequency="ONE_HOUR"),
    ):
        with pytest.raises(ClientError) as error:
            refused_call()
        assert "a member account may not" in refused(error)[1]
    list_id = client.create_ip_set(**{**new, "DetectorId": detector_id})["IpSetId"]
    assert other.list_ip_sets(DetectorId=other_id)["IpSetIds"] == [list_id]
    other.disassociate_from_administrator_account(DetectorId=other_id)
    assert status_of(client, detector_id) == "Resigned"
    assert other.list_ip_sets(DetectorId=other_id)["IpSetIds"] == []


def test_accounts_that_cannot_be_members_are_told_one_by_one(client, detector_id):
    answers = client.create_members(
        DetectorId=detector_id,
        AccountDetails=[{"AccountId": one, "Email": "a@example.com"} for one in (ACCOUNT, OTHER, OTHER)],
    )["UnprocessedAccounts"]
    assert [answer["AccountId"] for answer in answers] == [ACCOUNT, OTHER]
    for wrong in (["1234567890123"], ["abcdefghijkl"], [f"{n:012}" for n in range(51)]):
        with pytest.raises(ClientError) as error:
            client.get_members(DetectorId=detector_id, AccountIds=wrong)
        assert refused(error)[0] == "BadRequestException"


def test_the_organisation_has_one_administrator_that_adds_accounts_without_asking(served, other, other_id):
    management, admin = served.client(MANAGEMENT), served.client(THIRD)
    management.enable_organization_admin_account(AdminAccountId=THIRD)
    assert management.list_organization_admin_accounts()["AdminAccounts"] == [
        {"AdminAccountId": THIRD, "AdminStatus": "ENABLED"}
    ]
    with pytest.raises(ClientError):
        management.enable_organization_admin_account(AdminAccountId=OTHER)
    (admin_id,) = admin.list_detectors()["DetectorIds"]
    assert create(admin, admin_id, OTHER) == []
    assert status_of(admin, admin_id) == "Enabled"
    statistics = admin.get_organization_statistics()["OrganizationDetails"]["OrganizationStatistics"]
    assert (statistics["MemberAccountsCount"], statistics["EnabledAccountsCount"]) == (1, 2)
    management.disable_organization_admin_account(AdminAccountId=THIRD)
    assert management.list_organization_admin_accounts()["AdminAccounts"] == []
    assert status_of(admin, admin_id) == "Removed"


def test_all_accounts_are_switched_on_and_none_may_leave(served, client, detector_id, other):
    served.client(MANAGEMENT).enable_organization_admin_account(AdminAccountId=THIRD)
    admin = served.client(THIRD)
    (admin_id,) = admin.list_detectors()["DetectorIds"]
    admin.update_organization_configuration(DetectorId=admin_id, AutoEnableOrganizationMembers="ALL")
    other_id = other.create_detector(Enable=True)["DetectorId"]
    members = {one["AccountId"] for one in admin.list_members(DetectorId=admin_id)["Members"]}
    assert members == {ACCOUNT, OTHER}
    described = admin.describe_organization_configuration(DetectorId=admin_id)
    assert (described["AutoEnable"], described["AutoEnableOrganizationMembers"]) == (True, "ALL")
    for refused_call in (
        lambda: other.disassociate_from_administrator_account(DetectorId=other_id),
        lambda: other.update_detector(DetectorId=other_id, Enable=False),
        lambda: admin.disassociate_members(DetectorId=admin_id, AccountIds=[OTHER]),
        lambda: admin.update_organization_configuration(
            DetectorId=admin_id, AutoEnable=True, AutoEnableOrganizationMembers="NEW"
        ),
        lambda: admin.update_organization_configuration(DetectorId=admin_id),
    ):
        with pytest.raises(ClientError) as error:
            refused_call()
        assert refused(error)[0] == "BadRequestException"


def test_no_account_makes_itself_the_administrator_of_others(client, detector_id, other_id):
    with pytest.raises(ClientError) as error:
        client.enable_organization_admin_account(AdminAccountId=ACCOUNT)
    assert "not the management account" in refused(error)[1]
    create(client, detector_id, OTHER)
    assert status_of(client, detector_id) == "Created"
    with pytest.raises(ClientError):
        client.get_organization_statistics()


def test_an_administrator_switches_features_of_its_members(client, detector_id, other, other_id, invitation):
    other.accept_invitation(DetectorId=other_id, MasterId=ACCOUNT, InvitationId=invitation["InvitationId"])
    named = {"DetectorId": detector_id, "AccountIds": [OTHER]}
    client.update_member_detectors(**named, Features=[{"Name": "S3_DATA_EVENTS", "Status": "DISABLED"}])
    (shown,) = client.get_member_detectors(**named)["MemberDataSourceConfigurations"]
    assert shown["DataSources"]["S3Logs"] == {"Status": "DISABLED"}


def test_features_of_the_organisation_are_on_in_accounts_that_join(served, other):
    served.client(MANAGEMENT).enable_organization_admin_account(AdminAccountId=THIRD)
    admin = served.client(THIRD)
    (admin_id,) = admin.list_detectors()["DetectorIds"]
    admin.update_organization_configuration(
        DetectorId=admin_id,
        AutoEnableOrganizationMembers="NEW",
        Features=[{"Name": "S3_DATA_EVENTS", "AutoEnable": "NEW"}],
    )
    other_id = other.create_detector(Enable=True, DataSources={"S3Logs": {"Enable": False}})["DetectorId"]
    assert other.get_detector(DetectorId=other_id)["DataSources"]["S3Logs"] == {"Status": "ENABLED"}
    with pytest.raises(ClientError):
        admin.update_organization_configuration(
            DetectorId=admin_id, AutoEnable=True, Features=[{"Name": "RUNTIME_MONITORING", "AutoEnable": "ALL"}]
        )
