"""Custom detection rules: the catalogue, and which of them are switched on for accounts and for the organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from guardray.api import membership
from guardray.api.call import Call, Handler
from guardray.api.errors import access_denied, bad_request, conflict, not_found
from guardray.api.operations.tagging import checked_tags
from guardray.rulebook.catalogue import CatalogueRule, catalogue
from guardray.store import api_resources, api_tags
from guardray.store.api_resources import StoredResource
from guardray.store.api_rules import ASSOCIATION, CONFIGURATION

_FIELDS = {
    "name": "Name",
    "description": "Description",
    "dataSource": "DataSource",
    "severity": "Severity",
    "tactic": "Tactic",
    "technique": "Technique",
    "service": "Service",
}


def list_rules(call: Call) -> Mapping[str, Any]:
    """The rules that pass all filters, by id."""
    shown = [one.summary(call.region) for one in catalogue(call.settings.rules).values()]
    passing = [one for one in shown if all(_passes(one, wanted) for wanted in call.params.get("Filters", ()))]
    page, token = call.pages.cut(passing, lambda one: one["RuleId"])
    return {"Rules": page, "NextToken": token}


def _passes(rule: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether one of the values is the rule's, or in it."""
    value = rule[_FIELDS[wanted["Name"]]].lower()
    values = [one.lower() for one in wanted["Values"]]
    if wanted.get("Condition", "EQUALS") == "CONTAINS":
        return any(one in value for one in values)
    return value in values


def get_rule(call: Call) -> Mapping[str, Any]:
    """A rule with its condition."""
    return {"Rule": _rule(call).description(call.region)}


def create_association(call: Call) -> Mapping[str, Any]:
    """The rule is on for the caller's account."""
    rule, mode, token = _rule(call), call.params["Mode"], call.params.get("ClientToken")
    there = _all(call, ASSOCIATION)
    if repeated := next((one for one in there if token is not None and one.client_token == token), None):
        return {"RuleAssociation": _association(repeated)}
    if any(one.content["RuleId"] == rule.id for one in there):
        raise conflict("the rule is associated with the current account already")
    id_ = uuid4().hex
    added = _new(call, ASSOCIATION, id_, {"RuleId": rule.id, "Mode": mode}, token)
    api_tags.set_tags(call.connection, _association_arn(added), checked_tags(call.params.get("Tags", {})))
    return {"RuleAssociation": _association(added)}


def get_association(call: Call) -> Mapping[str, Any]:
    """An association and its tags."""
    found = _own_association(call)
    tags = api_tags.tags_of(call.connection, _association_arn(found))
    return {"RuleAssociation": _association(found), "Tags": tags}


def update_association(call: Call) -> Mapping[str, Any]:
    """The rule finds, or only counts."""
    found = _own_association(call)
    content = {**found.content, "Mode": call.params["Mode"]}
    api_resources.change(call.connection, found, call.now, content=content)
    return {}


def delete_association(call: Call) -> Mapping[str, Any]:
    """The rule does again what its file says."""
    found = _own_association(call)
    api_resources.remove(call.connection, found)
    api_tags.remove_tags(call.connection, _association_arn(found))
    return {}


def list_associations(call: Call) -> Mapping[str, Any]:
    """The associations of the caller's account, the oldest first."""
    wanted = {name: call.params[name] for name in ("RuleId", "Mode") if name in call.params}
    shown = [one for one in _all(call, ASSOCIATION) if wanted.items() <= one.content.items()]
    page, token = call.pages.cut(shown, lambda one: one.number)
    without_account = [{k: v for k, v in _association(one).items() if k != "AccountId"} for one in page]
    return {"RuleAssociations": without_account, "NextToken": token}


def create_configuration(call: Call) -> Mapping[str, Any]:
    """The rule is on for accounts of the organisation."""
    _refuse_all_but_the_administrator(call)
    rule, mode = _rule(call), call.params["Mode"]
    id_ = f"{rule.id}:{mode}"
    if api_resources.find(call.connection, call.account_id, call.region, CONFIGURATION, id_) is not None:
        raise conflict("the organisation has a configuration of the rule in this mode already")
    _new(call, CONFIGURATION, id_, {"RuleId": rule.id, "Mode": mode, **_accounts(call)}, call.params.get("ClientToken"))
    return {}


def get_configuration(call: Call) -> Mapping[str, Any]:
    """What the organisation has of a rule in a mode."""
    found = _own_configuration(call)
    lists = {name: found.content.get(name, []) for name in ("IncludeAccountIds", "ExcludeAccountIds")}
    return {"Configuration": {**_configuration(found), **lists}}


def update_configuration(call: Call) -> Mapping[str, Any]:
    """Other accounts."""
    found = _own_configuration(call)
    api_resources.change(call.connection, found, call.now, content={**found.content, **_accounts(call)})
    return {}


def delete_configuration(call: Call) -> Mapping[str, Any]:
    """The organisation says nothing of the rule any more."""
    api_resources.remove(call.connection, _own_configuration(call))
    return {}


def list_configurations(call: Call) -> Mapping[str, Any]:
    """All configurations of the organisation, the oldest first."""
    _refuse_all_but_the_administrator(call)
    shown = _all(call, CONFIGURATION) if call.params.get("Status", "ACTIVE") == "ACTIVE" else []
    page, token = call.pages.cut(shown, lambda one: one.number)
    return {"Configurations": [_configuration(one) for one in page], "NextToken": token}


def _rule(call: Call) -> CatalogueRule:
    rule = catalogue(call.settings.rules).get(call.params["RuleId"])
    if rule is None:
        raise not_found("there is no such rule")
    return rule


def _new(call: Call, kind: str, id_: str, content: Mapping[str, Any], token: str | None) -> StoredResource:
    added = StoredResource(
        account_id=call.account_id,
        region=call.region,
        kind=kind,
        id=id_,
        name=id_,
        content=content,
        client_token=token,
        created_at=call.now,
        updated_at=call.now,
    )
    return api_resources.add(call.connection, added)


def _all(call: Call, kind: str) -> list[StoredResource]:
    return api_resources.resources_of(call.connection, call.account_id, call.region, kind)


def _own_association(call: Call) -> StoredResource:
    id_ = call.params["AssociationId"]
    found = api_resources.find(call.connection, call.account_id, call.region, ASSOCIATION, id_)
    if found is None or found.content["RuleId"] != call.params["RuleId"]:
        raise not_found("there is no such association of the rule")
    return found


def _own_configuration(call: Call) -> StoredResource:
    _refuse_all_but_the_administrator(call)
    id_ = f"{call.params['RuleId']}:{call.params['Mode']}"
    found = api_resources.find(call.connection, call.account_id, call.region, CONFIGURATION, id_)
    if found is None:
        raise not_found("the organisation has no configuration of the rule in this mode")
    return found


def _accounts(call: Call) -> dict[str, list[str]]:
    included, excluded = call.params.get("IncludeAccountIds"), call.params.get("ExcludeAccountIds")
    if included and excluded:
        raise bad_request("includeAccountIds and excludeAccountIds cannot be given together")
    return {"IncludeAccountIds": included or [], "ExcludeAccountIds": excluded or []}


def _refuse_all_but_the_administrator(call: Call) -> None:
    if membership.organisation_of(call) is None:
        raise access_denied("the current account is not the administrator account of an organisation")


def _association_arn(one: StoredResource) -> str:
    path = f"custom-detection-rule/rule/{one.content['RuleId']}/association/{one.id}"
    return f"arn:aws:guardduty:{one.region}:{one.account_id}:{path}"


def _association(one: StoredResource) -> dict[str, Any]:
    return {
        "AssociationId": one.id,
        "Arn": _association_arn(one),
        "RuleId": one.content["RuleId"],
        "AccountId": one.account_id,
        "Mode": one.content["Mode"],
        "CreatedAt": one.created_at,
        "UpdatedAt": one.updated_at,
    }


def _configuration(one: StoredResource) -> dict[str, Any]:
    return {
        "RuleId": one.content["RuleId"],
        "Mode": one.content["Mode"],
        "Status": "ACTIVE",
        "CreatedAt": one.created_at,
        "UpdatedAt": one.updated_at,
    }


HANDLERS: Mapping[str, Handler] = {
    "ListCustomDetectionRules": list_rules,
    "GetCustomDetectionRule": get_rule,
    "CreateCustomDetectionRuleAssociation": create_association,
    "GetCustomDetectionRuleAssociation": get_association,
    "UpdateCustomDetectionRuleAssociation": update_association,
    "DeleteCustomDetectionRuleAssociation": delete_association,
    "ListCustomDetectionRuleAssociations": list_associations,
    "CreateCustomDetectionRuleOrgConfiguration": create_configuration,
    "GetCustomDetectionRuleOrgConfiguration": get_configuration,
    "UpdateCustomDetectionRuleOrgConfiguration": update_configuration,
    "DeleteCustomDetectionRuleOrgConfiguration": delete_configuration,
    "ListCustomDetectionRuleOrgConfigurations": list_configurations,
}
