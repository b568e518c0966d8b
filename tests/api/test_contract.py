"""Every operation of the model, called by boto3: each answers, and its answer parses as botocore's output shape."""

from __future__ import annotations

import pytest
from api.serving import ACCOUNT, MANAGEMENT, OTHER, THIRD
from api.test_other_operations import CATALOGUE, RULE
from botocore import xform_name
from botocore.exceptions import ClientError

from guardray.api.call import Settings
from guardray.api.model import operations
from guardray.api.operations import HANDLERS
from guardray.custom.library import read_folders
from guardray.custom.settings import RuleFolder
from guardray.detectors.loader import load_detectors

TYPE = "Recon:EC2/Portscan"
CRITERIA = {"Criterion": {"type": {"Eq": [TYPE]}}}
LIST = {"Name": "new", "Format": "TXT", "Location": "s3://lists/a.txt", "Activate": False}
DESTINATION = {
    "DestinationType": "S3",
    "DestinationProperties": {
        "DestinationArn": "arn:aws:s3:::findings",
        "KmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/1",
    },
}


@pytest.fixture
def settings():
    rules, _ = read_folders([RuleFolder(CATALOGUE)])
    return Settings(management_account=MANAGEMENT, detectors=load_detectors(), rules=tuple(rules))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request):
    return request.param


class World:
    """An account that administers an organisation, with one of everything."""

    def __init__(self, served):
        served.client(MANAGEMENT).enable_organization_admin_account(AdminAccountId=ACCOUNT)
        self.client = client = served.client()
        (self.detector_id,) = client.list_detectors()["DetectorIds"]
        self.of = of = {"DetectorId": self.detector_id}
        self.arn = f"arn:aws:guardduty:eu-west-1:{ACCOUNT}:detector/{self.detector_id}"
        client.create_sample_findings(**of, FindingTypes=[TYPE])
        self.findings = client.list_findings(**of)["FindingIds"]
        client.create_filter(**of, Name="mine", FindingCriteria=CRITERIA)
        one = {**LIST, "Name": "mine"}
        self.ids = {
            "IpSetId": client.create_ip_set(**of, **one)["IpSetId"],
            "ThreatIntelSetId": client.create_threat_intel_set(**of, **one)["ThreatIntelSetId"],
            "TrustedEntitySetId": client.create_trusted_entity_set(**of, **one)["TrustedEntitySetId"],
            "ThreatEntitySetId": client.create_threat_entity_set(**of, **one)["ThreatEntitySetId"],
        }
        client.create_members(**of, AccountDetails=[{"AccountId": OTHER, "Email": "a@example.com"}])
        made = client.create_custom_detection_rule_association(RuleId=RULE, Mode="LIVE")
        self.association = {"RuleId": RULE, "AssociationId": made["RuleAssociation"]["AssociationId"]}
        client.create_custom_detection_rule_org_configuration(RuleId=RULE, Mode="LIVE")


@pytest.fixture
def world(served):
    return World(served)


def set_calls(w):
    """Of the four kinds of lists."""
    for name, id_name in (
        ("IPSet", "IpSetId"),
        ("ThreatIntelSet", "ThreatIntelSetId"),
        ("TrustedEntitySet", "TrustedEntitySetId"),
        ("ThreatEntitySet", "ThreatEntitySetId"),
    ):
        one = {**w.of, id_name: w.ids[id_name]}
        yield f"Get{name}", one
        yield f"Update{name}", {**one, "Location": "s3://lists/b.txt"}
        yield f"List{name}s", w.of
        yield f"Delete{name}", one
        yield f"Create{name}", {**w.of, **LIST}


def finding_calls(w):
    named = {**w.of, "FindingIds": w.findings}
    yield "ListFindings", {**w.of, "FindingCriteria": CRITERIA}
    yield "GetFindings", named
    yield "GetFindingsStatistics", {**w.of, "GroupBy": "DATE"}
    yield "ArchiveFindings", named
    yield "UnarchiveFindings", named
    yield "UpdateFindingsFeedback", {**named, "Feedback": "USEFUL"}
    yield "CreateSampleFindings", {**w.of, "FindingTypes": ["Policy:IAMUser/RootCredentialUsage"]}


OF_MEMBERS = (
    "GetMembers",
    "InviteMembers",
    "StopMonitoringMembers",
    "StartMonitoringMembers",
    "GetMemberDetectors",
    "UpdateMemberDetectors",
    "GetRemainingFreeTrialDays",
    "DisassociateMembers",
    "DeleteMembers",
)
"""In an order in which each has something to do."""


def member_calls(w):
    for name in OF_MEMBERS:
        yield name, {**w.of, "AccountIds": [OTHER]}
    yield "ListMembers", w.of
    yield "CreateMembers", {**w.of, "AccountDetails": [{"AccountId": THIRD, "Email": "a@example.com"}]}
    yield "ListInvitations", {}
    yield "GetInvitationsCount", {}
    yield "DeclineInvitations", {"AccountIds": [OTHER]}
    yield "DeleteInvitations", {"AccountIds": [OTHER]}
    yield "GetAdministratorAccount", w.of
    yield "GetMasterAccount", w.of
    yield "ListOrganizationAdminAccounts", {}
    yield "DescribeOrganizationConfiguration", w.of
    yield "UpdateOrganizationConfiguration", {**w.of, "AutoEnable": True}
    yield "GetOrganizationStatistics", {}


def other_calls(w):
    yield "GetDetector", w.of
    yield "UpdateDetector", {**w.of, "FindingPublishingFrequency": "ONE_HOUR"}
    yield "ListDetectors", {}
    yield "GetFilter", {**w.of, "FilterName": "mine"}
    yield "UpdateFilter", {**w.of, "FilterName": "mine", "Rank": 2}
    yield "ListFilters", w.of
    yield "DeleteFilter", {**w.of, "FilterName": "mine"}
    yield "CreateFilter", {**w.of, "Name": "new", "FindingCriteria": CRITERIA}
    yield "TagResource", {"ResourceArn": w.arn, "Tags": {"a": "b"}}
    yield "UntagResource", {"ResourceArn": w.arn, "TagKeys": ["a"]}
    yield "ListTagsForResource", {"ResourceArn": w.arn}
    yield "GetUsageStatistics", {**w.of, "UsageStatisticType": "SUM_BY_ACCOUNT", "UsageCriteria": {}}
    yield "ListCoverage", w.of
    yield "GetCoverageStatistics", {**w.of, "StatisticsType": ["COUNT_BY_RESOURCE_TYPE"]}
    yield "ListPublishingDestinations", w.of
    yield "CreatePublishingDestination", {**w.of, **DESTINATION}


def rule_calls(w):
    configuration = {"RuleId": RULE, "Mode": "LIVE"}
    yield "ListCustomDetectionRules", {}
    yield "GetCustomDetectionRule", {"RuleId": RULE}
    yield "GetCustomDetectionRuleAssociation", w.association
    yield "ListCustomDetectionRuleAssociations", {}
    yield "UpdateCustomDetectionRuleAssociation", {**w.association, "Mode": "DRY_RUN"}
    yield "DeleteCustomDetectionRuleAssociation", w.association
    yield "CreateCustomDetectionRuleAssociation", {"RuleId": RULE, "Mode": "DRY_RUN"}
    yield "GetCustomDetectionRuleOrgConfiguration", configuration
    yield "ListCustomDetectionRuleOrgConfigurations", {}
    yield "UpdateCustomDetectionRuleOrgConfiguration", {**configuration, "IncludeAccountIds": [OTHER]}
    yield "DeleteCustomDetectionRuleOrgConfiguration", configuration
    yield "CreateCustomDetectionRuleOrgConfiguration", configuration


def unavailable_reads(w):
    yield "GetMalwareScanSettings", w.of
    yield "DescribeMalwareScans", w.of
    yield "ListMalwareScans", {}
    yield "ListMalwareProtectionPlans", {}
    yield "ListInvestigations", w.of


GROUPS = (set_calls, finding_calls, member_calls, other_calls, rule_calls, unavailable_reads)

NO_SUCH = {
    "GetMalwareScan": {"ScanId": "1"},
    "GetMalwareProtectionPlan": {"MalwareProtectionPlanId": "1"},
    "GetInvestigation": {"InvestigationId": "1"},
    "ListInvestigationRecords": {"InvestigationId": "1"},
}
"""Answer 404: there is none, ever."""

REFUSED = {
    "UpdateMalwareScanSettings": {},
    "StartMalwareScan": {"ResourceArn": "arn:aws:ec2:eu-west-1:111122223333:instance/i-1"},
    "SendObjectMalwareScan": {},
    "CreateMalwareProtectionPlan": {"Role": "r", "ProtectedResource": {}},
    "UpdateMalwareProtectionPlan": {"MalwareProtectionPlanId": "1"},
    "DeleteMalwareProtectionPlan": {"MalwareProtectionPlanId": "1"},
    "CreateInvestigation": {"TriggerPrompt": "why"},
    "EnableOrganizationAdminAccount": {"AdminAccountId": OTHER},
    "DisableOrganizationAdminAccount": {"AdminAccountId": OTHER},
    "DisassociateFromAdministratorAccount": {},
    "DisassociateFromMasterAccount": {},
    "AcceptAdministratorInvitation": {"AdministratorId": OTHER, "InvitationId": "1"},
    "AcceptInvitation": {"MasterId": OTHER, "InvitationId": "1"},
    "DescribePublishingDestination": {"DestinationId": "1"},
    "UpdatePublishingDestination": {"DestinationId": "1"},
    "DeletePublishingDestination": {"DestinationId": "1"},
    "CreateDetector": {"Enable": True},
    "DeleteDetector": {},
}
"""Answer 400 in this world."""


def call(client, name, params):
    return getattr(client, xform_name(name))(**params)


def test_every_operation_has_a_handler_and_nothing_else_has():
    assert set(HANDLERS) == set(operations())
    assert len(HANDLERS) == 103


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_answers_parse_as_the_model_has_them(world, group):
    for name, params in group(world):
        answer = call(world.client, name, params)
        shape = operations()[name].output_shape
        required = set(shape.required_members) if shape is not None else set()
        missing = required - answer.keys() - {"Administrator", "Master"}
        assert not missing, (name, missing)
        expected = operations()[name].http.get("responseCode", 200)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == expected, name
        assert answer["ResponseMetadata"]["RequestId"], name


def test_what_cannot_be_done_is_refused_with_an_error_that_the_model_declares(world):
    for names, status in ((NO_SUCH, 404), (REFUSED, 400)):
        for name, params in names.items():
            members = operations()[name].input_shape.members
            named = {**({"DetectorId": world.detector_id} if "DetectorId" in members else {}), **params}
            with pytest.raises(ClientError) as error:
                call(world.client, name, named)
            answer = error.value.response
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, name
            assert answer["Error"]["Code"] in {shape.name for shape in operations()[name].error_shapes}, name
            assert answer["Message"].startswith("The request is rejected"), name


def test_this_file_calls_every_operation(world):
    called = {name for group in GROUPS for name, _ in group(world)} | NO_SUCH.keys() | REFUSED.keys()
    assert called == set(operations())


def test_an_account_without_a_detector_is_told_so_by_every_operation_that_names_one(served):
    stranger = served.client(THIRD)
    for group in GROUPS:
        for name, params in group(Nobody()):
            if "DetectorId" in params:
                with pytest.raises(ClientError) as error:
                    call(stranger, name, params)
                assert "is not owned by the current account" in str(error.value), name


class Nobody:
    """Names things that there are not."""

    of = {"DetectorId": "0" * 32}
    ids = dict.fromkeys(("IpSetId", "ThreatIntelSetId", "TrustedEntitySetId", "ThreatEntitySetId"), "0" * 32)
    findings = ("0" * 32,)
    arn = "arn:aws:guardduty:eu-west-1:777788889999:detector/" + "0" * 32
    association = {"RuleId": RULE, "AssociationId": "1"}
