"""The rules in configs/: every example passes, and GuardDuty's library of custom rules is whole and switched off."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardray.custom.library import OwnRule, read_folders
from guardray.custom.settings import RuleFolder, folders_of
from guardray.findings.tactic import tactic_of
from guardray.rulebook.examples import outcomes

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

LIBRARY = {
    "CredentialAccess:EC2/UnsecuredCredentials": {"EC2PasswordDataRetrieved": 5},
    "CredentialAccess:RDS/ModifyAuthenticationProcess": {"RDSMasterPasswordReset": 8},
    "DefenseImpairment:EC2/DisableOrModifyTools": {"EC2TerminationProtectionEnabled": 2, "VPCFlowLogsDeleted": 8},
    "DefenseImpairment:Organizations/ModifyCloudResourceHierarchy": {"OrganizationLeaveAttempt": 8},
    "DefenseImpairment:Organizations/DisableOrModifyTools": {"OrganizationPolicyDisabled": 8},
    "DefenseImpairment:RDS/ModifyAuthenticationProcess": {"RDSIAMAuthDisabled": 5},
    "DefenseImpairment:Route53Resolver/DisableOrModifyTools": {"DNSQueryLogsDeleted": 5},
    "DefenseImpairment:S3/DisableOrModifyTools": {"S3CustomerProvidedKeysEnabled": 8},
    "Execution:SageMaker/CommandAndScriptingInterpreter": {"SageMakerLifecycleConfigModified": 5},
    "Exfiltration:EC2/TransferDataToCloudAccount": {"AMIExternalAccess": 8, "EBSSnapshotExternalAccess": 8},
    "Exfiltration:RDS/TransferDataToCloudAccount": {"RDSSnapshotPubliclyShared": 8},
    "Exfiltration:S3/TransferDataToCloudAccount": {"S3BucketPolicyExternalAccess": 8},
    "Impact:S3/DataDestruction": {"S3LifecycleRapidExpiration": 5},
    "Impact:SES/ResourceHijacking": {"SESAccountSendingEnabled": 2, "SESProductionAccessEnabled": 5},
    "InitialAccess:IAM/ValidAccounts": {"ConsoleLoginWithoutMFA": 5},
    "InitialAccess:RDS/ExploitPublicFacingApplication": {"RDSPubliclyAccessible": 8},
    "LateralMovement:EC2/RemoteServices": {"EC2InstanceSSHKeyPushed": 5},
    "Persistence:EC2/BootOrLogonInitializationScripts": {"EC2UserDataModified": 8},
    "Persistence:EC2/ExternalRemoteServices": {"EC2SecurityGroupPublicSSH": 5},
    "Persistence:IAM/AccountManipulation": {
        "IAMAccessKeyCreated": 2,
        "IAMRoleTrustPolicyModified": 5,
        "IAMUserLoginProfileCreated": 8,
        "IAMUserLoginProfileUpdated": 5,
    },
    "Persistence:Lambda/AccountManipulation": {"LambdaFunctionPublicAccess": 8},
    "Persistence:Lambda/ModifyAuthenticationProcess": {"LambdaFunctionUrlPublicAccess": 8},
    "Persistence:RolesAnywhere/AccountManipulation": {"RolesAnywhereTrustAnchorCreated": 5},
    "PrivilegeEscalation:IAM/AccountManipulation": {
        "AdminPolicyAttachedToRole": 8,
        "AdminPolicyAttachedToUser": 8,
        "BedrockServiceCredentialCreated": 5,
        "SESFullAccessPolicyAttachedToRole": 5,
        "SESFullAccessPolicyAttachedToUser": 5,
    },
    "ResourceDevelopment:SES/CompromiseAccounts": {"SESDomainIdentityVerified": 5},
}
"""Type to rule to severity. Source: GuardDuty user guide and API reference, custom detection rules."""

RULES, REFUSED = read_folders([RuleFolder(CONFIGS / "detections")])


def named(rule: OwnRule) -> str:
    return rule.detector.finding_type


def test_every_file_can_be_read():
    assert REFUSED == []


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_every_example_passes(rule):
    assert [outcome for outcome in outcomes(rule.detector) if outcome.failure] == []


def test_the_library_has_all_types_with_their_rules_and_severities():
    shipped = {}
    for rule in RULES:
        if rule.path.parent.name == "catalogue":
            texts = rule.detector.details.texts
            shipped[named(rule)] = {
                query.name: texts[query.name].severity or rule.detector.severity for query in rule.detector.queries
            }
    assert shipped == LIBRARY


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.path.parent.name == "catalogue"], ids=named)
def test_every_rule_of_the_library_fires_in_an_example_and_has_a_tactic(rule):
    firing = [example for example in rule.detector.examples if example.fires]
    assert len(firing) >= len(rule.detector.queries)
    assert tactic_of(named(rule)) is not None


def test_the_library_runs_only_where_somebody_has_switched_it_on():
    assert [folder.path.name for folder in folders_of([CONFIGS / "detections.yaml"])] == ["examples"]


def test_there_is_an_example_of_each_way_to_write_a_rule():
    kinds = {rule.kind for rule in RULES if rule.path.parent.name == "examples"}
    assert kinds == {"python", "sql", "sigma"}
