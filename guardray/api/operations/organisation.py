"""The organisation: all accounts of this server, where the operator has said which of them manages it.

The accounts that there are in a Region are those with a detector there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from guardray.api import features, membership
from guardray.api.call import Call, Handler
from guardray.api.errors import ApiError, bad_request
from guardray.store import api_detectors, api_members
from guardray.store.api_members import Organisation

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


def enable_admin(call: Call) -> Mapping[str, Any]:
    """The account administers the organisation in this Region, and has a detector."""
    _refuse_all_but_management(call)
    account = call.params["AdminAccountId"]
    if not _ACCOUNT.fullmatch(account):
        raise bad_request("the parameter adminAccountId is not an account id of 12 digits")
    there = api_members.organisation_in(call.connection, call.region)
    if there is not None and there.administrator_id != account:
        raise bad_request("the organisation has another administrator account already", "LimitExceededException")
    if api_members.governor_of(call.connection, account, call.region) is not None:
        raise bad_request("the account is a member of another account")
    membership.ensure_detector(call.connection, account, call.region, call.now)
    if there is None:
        named = Organisation(region=call.region, administrator_id=account, auto_enable="NONE", features={})
        api_members.keep_organisation(call.connection, named)
    return {}


def disable_admin(call: Call) -> Mapping[str, Any]:
    """The account administers the organisation no more, and whoever was its member by it is so no more."""
    _refuse_all_but_management(call)
    account = call.params["AdminAccountId"]
    there = api_members.organisation_in(call.connection, call.region)
    if there is None or there.administrator_id != account:
        raise bad_request("the account is not the administrator account of the organisation")
    for member in api_members.members_of(call.connection, account, call.region):
        if member.of_organisation and member.status in api_members.GOVERNED:
            api_members.change(call.connection, member, call.now, status=api_members.REMOVED)
    api_members.forget_organisation(call.connection, call.region)
    return {}


def list_admins(call: Call) -> Mapping[str, Any]:
    """The one administrator account, for the management account and for itself."""
    there = api_members.organisation_in(call.connection, call.region)
    if there is None or there.administrator_id != call.account_id:
        _refuse_all_but_management(call)
    accounts = [] if there is None else [there.administrator_id]
    page, token = call.pages.cut(accounts, lambda one: one)
    admins = [{"AdminAccountId": account, "AdminStatus": "ENABLED"} for account in page]
    return {"AdminAccounts": admins, "NextToken": token}


def describe_configuration(call: Call) -> Mapping[str, Any]:
    """What is switched on for accounts of the organisation by itself."""
    organisation = _administered(call)
    members = api_members.members_of(call.connection, call.account_id, call.region)

    def on(name: str) -> dict[str, bool]:
        return {"AutoEnable": organisation.features.get(name) in membership.AUTO}

    malware = {"ScanEc2InstanceWithFindings": {"EbsVolumes": on("EBS_MALWARE_PROTECTION")}}
    return {
        "AutoEnable": organisation.auto_enable in membership.AUTO,
        "AutoEnableOrganizationMembers": organisation.auto_enable,
        "MemberAccountLimitReached": len(members) >= membership.MOST_MEMBERS,
        "DataSources": {
            "S3Logs": on("S3_DATA_EVENTS"),
            "Kubernetes": {"AuditLogs": on("EKS_AUDIT_LOGS")},
            "MalwareProtection": malware,
        },
        "Features": [
            {"Name": name, "AutoEnable": organisation.features.get(name, "NONE")} for name in features.ADDITIONAL
        ],
        "NextToken": "",
    }


def update_configuration(call: Call) -> Mapping[str, Any]:
    """What is switched on for accounts by itself from now on; with ALL, at once for those that there are."""
    organisation, params = _administered(call), call.params
    if ("AutoEnable" in params) == ("AutoEnableOrganizationMembers" in params):
        raise bad_request("one of autoEnable and autoEnableOrganizationMembers must be given, and not both")
    auto_enable = params.get("AutoEnableOrganizationMembers") or ("NEW" if params["AutoEnable"] else "NONE")
    changed = replace(
        organisation,
        auto_enable=auto_enable,
        features={**organisation.features, **features.auto_enabled(params)},
    )
    api_members.keep_organisation(call.connection, changed)
    if auto_enable == "ALL":
        for detector in api_detectors.detectors_in(call.connection, call.region):
            if membership.can_join(call.connection, changed, detector.account_id):
                membership.join(call.connection, changed, detector.account_id, "", call.now)
    return {}


def get_statistics(call: Call) -> Mapping[str, Any]:
    """How many accounts there are, and what is on in them."""
    organisation = membership.organisation_of(call)
    if organisation is None:
        raise _not_the_administrator()
    detectors = api_detectors.detectors_in(call.connection, call.region)
    governed = set(api_members.governed_by(call.connection, call.account_id, call.region))
    ours = [detector for detector in detectors if detector.account_id in governed and detector.enabled]
    counts = [
        {
            "Name": name,
            "EnabledAccountsCount": sum(one.features.get(name, {}).get("status") == "ENABLED" for one in ours),
        }
        for name in features.ADDITIONAL
    ]
    statistics = {
        "TotalAccountsCount": len(detectors),
        "MemberAccountsCount": len(governed) - 1,
        "ActiveAccountsCount": len(governed),
        "EnabledAccountsCount": len(ours),
        "CountByFeature": counts,
    }
    return {"OrganizationDetails": {"UpdatedAt": call.now, "OrganizationStatistics": statistics}}


def _administered(call: Call) -> Organisation:
    call.own_detector()
    organisation = membership.organisation_of(call)
    if organisation is None:
        raise _not_the_administrator()
    return organisation


def _not_the_administrator() -> ApiError:
    return bad_request("the current account is not the administrator account of an organisation")


def _refuse_all_but_management(call: Call) -> None:
    if call.account_id != call.settings.management_account:
        raise bad_request("the current account is not the management account of an organisation")


HANDLERS: Mapping[str, Handler] = {
    "EnableOrganizationAdminAccount": enable_admin,
    "DisableOrganizationAdminAccount": disable_admin,
    "ListOrganizationAdminAccounts": list_admins,
    "DescribeOrganizationConfiguration": describe_configuration,
    "UpdateOrganizationConfiguration": update_configuration,
    "GetOrganizationStatistics": get_statistics,
}
