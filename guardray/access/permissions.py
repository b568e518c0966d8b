"""Which role may call which operation: every operation of GuardDuty's model, and those of our own.

Each role has the least that its work takes. A reader looks. An analyst also decides about findings: archives them, says
what they were worth, writes filters, and adds to what is found by threat lists. Whatever switches detection off or
narrows it (detectors, trusted lists, rules), reaches other accounts (members, organisation) or sends data elsewhere
(destinations) takes an administrator. A key for ingest brings logs and sees nothing.
"""

from __future__ import annotations

from types import MappingProxyType

from guardray.access.identity import Role


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


QUERY = "Query"
"""Looking through `/v1` and the dashboard: an operation of our own."""

INGEST = "Ingest"
"""`POST /v1/ingest`: an operation of our own."""

READS = _named(
    """
    DescribeMalwareScans DescribeOrganizationConfiguration DescribePublishingDestination
    GetAdministratorAccount GetCoverageStatistics GetCustomDetectionRule GetCustomDetectionRuleAssociation
    GetCustomDetectionRuleOrgConfiguration GetDetector GetFilter GetFindings GetFindingsStatistics GetIPSet
    GetInvestigation GetInvitationsCount GetMalwareProtectionPlan GetMalwareScan GetMalwareScanSettings
    GetMasterAccount GetMemberDetectors GetMembers GetOrganizationStatistics GetRemainingFreeTrialDays
    GetThreatEntitySet GetThreatIntelSet GetTrustedEntitySet GetUsageStatistics
    ListCoverage ListCustomDetectionRuleAssociations ListCustomDetectionRuleOrgConfigurations
    ListCustomDetectionRules ListDetectors ListFilters ListFindings ListIPSets ListInvestigationRecords
    ListInvestigations ListInvitations ListMalwareProtectionPlans ListMalwareScans ListMembers
    ListOrganizationAdminAccounts ListPublishingDestinations ListTagsForResource ListThreatEntitySets
    ListThreatIntelSets ListTrustedEntitySets
    """
) | {QUERY}

ANALYST_CHANGES = _named(
    """
    ArchiveFindings UnarchiveFindings UpdateFindingsFeedback
    CreateFilter UpdateFilter DeleteFilter
    CreateThreatEntitySet UpdateThreatEntitySet DeleteThreatEntitySet
    CreateThreatIntelSet UpdateThreatIntelSet DeleteThreatIntelSet
    CreateInvestigation
    """
)

ADMIN_CHANGES = _named(
    """
    CreateDetector UpdateDetector DeleteDetector CreateSampleFindings
    CreateIPSet UpdateIPSet DeleteIPSet CreateTrustedEntitySet UpdateTrustedEntitySet DeleteTrustedEntitySet
    CreatePublishingDestination UpdatePublishingDestination DeletePublishingDestination
    CreateMembers DeleteMembers InviteMembers DisassociateMembers StartMonitoringMembers StopMonitoringMembers
    UpdateMemberDetectors
    AcceptAdministratorInvitation AcceptInvitation DeclineInvitations DeleteInvitations
    DisassociateFromAdministratorAccount DisassociateFromMasterAccount
    EnableOrganizationAdminAccount DisableOrganizationAdminAccount UpdateOrganizationConfiguration
    TagResource UntagResource
    CreateCustomDetectionRuleAssociation UpdateCustomDetectionRuleAssociation DeleteCustomDetectionRuleAssociation
    CreateCustomDetectionRuleOrgConfiguration UpdateCustomDetectionRuleOrgConfiguration
    DeleteCustomDetectionRuleOrgConfiguration
    UpdateMalwareScanSettings StartMalwareScan SendObjectMalwareScan
    CreateMalwareProtectionPlan UpdateMalwareProtectionPlan DeleteMalwareProtectionPlan
    """
)

OPERATIONS = MappingProxyType(
    {
        Role.READER: READS,
        Role.ANALYST: READS | ANALYST_CHANGES,
        Role.ADMIN: READS | ANALYST_CHANGES | ADMIN_CHANGES | {INGEST},
        Role.INGEST: frozenset({INGEST}),
    }
)
"""The operations of each role. What is in none of them is refused to all."""


def allows(role: Role, operation: str) -> bool:
    """Whether a role may call an operation, by its name in GuardDuty's model or one of our own."""
    return operation in OPERATIONS[role]


def is_change(operation: str) -> bool:
    """Whether an operation may change anything. One that nobody knows counts as a change."""
    return operation not in READS
