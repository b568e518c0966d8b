"""Who may call what: an answer for each of GuardDuty's operations, and the least that each role's work takes."""

from __future__ import annotations

import botocore.session
import pytest

from guardray.access.identity import Role
from guardray.access.permissions import ADMIN_CHANGES, ANALYST_CHANGES, INGEST, QUERY, READS, allows, is_change

MODEL = botocore.session.get_session().get_service_model("guardduty")
OPERATIONS = sorted(MODEL.operation_names)


def test_every_operation_of_the_model_stands_in_one_group_and_no_other_does():
    groups = [READS - {QUERY}, ANALYST_CHANGES, ADMIN_CHANGES]
    assert sorted(name for group in groups for name in group) == OPERATIONS


def test_reads_are_what_their_names_and_methods_say():
    assert {name for name in OPERATIONS if not is_change(name)} == {
        name for name in OPERATIONS if name.startswith(("Get", "List", "Describe"))
    }
    assert all(MODEL.operation_model(name).http["method"] in {"GET", "POST"} for name in READS - {QUERY})


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_of_the_api_is_open_to_administrators_and_closed_to_ingest(operation):
    assert allows(Role.ADMIN, operation)
    assert not allows(Role.INGEST, operation)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_role_may_do_all_that_the_one_below_it_may(operation):
    allowed = [allows(role, operation) for role in (Role.READER, Role.ANALYST, Role.ADMIN)]
    assert allowed == sorted(allowed)


def test_readers_change_nothing():
    assert not any(allows(Role.READER, name) for name in OPERATIONS if is_change(name))


@pytest.mark.parametrize(
    "operation",
    [
        *("CreateDetector", "DeleteDetector", "UpdateDetector", "CreateTrustedEntitySet", "UpdateIPSet"),
        *("CreatePublishingDestination", "InviteMembers", "UpdateMemberDetectors", "EnableOrganizationAdminAccount"),
    ],
)
def test_analysts_cannot_switch_detection_off_reach_other_accounts_or_send_data_elsewhere(operation):
    assert not allows(Role.ANALYST, operation)


@pytest.mark.parametrize("operation", ["ArchiveFindings", "UpdateFindingsFeedback", "CreateFilter", "GetFindings"])
def test_analysts_decide_about_findings(operation):
    assert allows(Role.ANALYST, operation)


def test_keys_for_ingest_bring_logs_and_nobody_below_an_administrator_else_does():
    assert [role for role in Role if allows(role, INGEST)] == [Role.ADMIN, Role.INGEST]
    assert [role for role in Role if allows(role, QUERY)] == [Role.ADMIN, Role.ANALYST, Role.READER]


@pytest.mark.parametrize("role", Role)
def test_an_operation_that_nobody_knows_is_refused_to_all(role):
    assert not allows(role, "DropTables")
    assert is_change("DropTables")
