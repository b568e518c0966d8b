"""CloudFormation and Terraform: valid by tools that know them, alike, and no more allowed than is needed."""

from __future__ import annotations

from pathlib import Path

import hcl2
import pytest
from cfnlint.api import ManualArgs, lint_file
from cfnlint.decode.cfn_yaml import load
from configs.places import CONFIGS

from guardray.sources.flow_fields import KNOWN_FIELDS

TEMPLATES = sorted((CONFIGS / "aws").glob("*.yaml"))
TERRAFORM = sorted((CONFIGS / "aws" / "terraform").glob("*.tf"))

READS = {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"}
QUEUE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
STATE = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListBucket"}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_cloudformation_finds_nothing_wrong_in_a_template(template):
    assert [str(match) for match in lint_file(template, ManualArgs(regions=["eu-west-1", "us-east-1"]))] == []


def _resources(template: str) -> dict:
    return load(str(CONFIGS / "aws" / template))["Resources"]


def _actions(statements: list) -> set[str]:
    """What statements allow, those that are there under a condition included."""
    allowed: set[str] = set()
    for statement in statements:
        one = statement["Fn::If"][1] if "Fn::If" in statement else statement
        allowed |= {one["Action"]} if isinstance(one["Action"], str) else set(one["Action"])
    return allowed


def test_the_reader_may_read_logs_and_the_queue_and_keep_state_and_nothing_else():
    policy = _resources("logs.yaml")["ReadLogs"]["Properties"]["PolicyDocument"]["Statement"]
    assert _actions(policy) == READS | QUEUE | STATE
    assert all(one.get("Fn::If", [None, one])[1]["Resource"] != "*" for one in policy)


def test_the_logs_bucket_does_not_log_its_own_delivery():
    selectors = _resources("logs.yaml")["Trail"]["Properties"]["AdvancedEventSelectors"]
    fields = {one["Field"]: one for one in selectors[1]["Fn::If"][1]["FieldSelectors"]}
    assert fields["resources.ARN"]["NotStartsWith"] == [{"Fn::Sub": "${Bucket.Arn}/"}]


def test_messages_that_cannot_be_read_end_in_a_queue_of_their_own():
    redrive = _resources("logs.yaml")["Queue"]["Properties"]["RedrivePolicy"]
    assert redrive == {"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}, "maxReceiveCount": 10}


def test_logs_and_what_could_not_be_read_survive_the_stack():
    kept = {name for name, one in _resources("logs.yaml").items() if one.get("DeletionPolicy") == "Retain"}
    assert kept == {"Bucket", "DeadLetters"}


def test_the_head_of_a_cluster_may_end_only_its_own_nodes():
    policies = _resources("ray-head.yaml")["Head"]["Properties"]["Policies"]
    statements = {one["Sid"]: one for one in policies[0]["PolicyDocument"]["Statement"]}
    own = {"StringEquals": {"aws:ResourceTag/ray-cluster-name": {"Ref": "ClusterName"}}}
    assert statements["EndAndNameOwn"]["Condition"] == own
    unbounded = [sid for sid, one in statements.items() if one["Resource"] == "*"]
    assert unbounded == ["Look"]
    assert all(action.startswith("ec2:Describe") for action in statements["Look"]["Action"])


def test_flow_logs_have_fields_that_are_read_here():
    flow = next(one for key, one in _resources("network.yaml").items() if key.startswith("Fn::ForEach::FlowLogs"))
    template = next(iter(flow[2].values()))
    fields = {field.strip("${}") for field in template["Properties"]["LogFormat"].split()}
    assert fields <= KNOWN_FIELDS
    assert fields == set(_terraform("locals")[1]["flow_fields"])


def _terraform(kind: str) -> list:
    return [_plain(one) for path in TERRAFORM for one in _parsed(path).get(kind, [])]


def _parsed(path: Path) -> dict:
    with path.open(encoding="utf-8") as file:
        return hcl2.load(file)


def _plain(value: object) -> object:
    """Without the quotes that the parser keeps."""
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.strip('"') if isinstance(value, str) else value


def _of_type(kind: str, type_: str) -> dict:
    return {name: one for found in _terraform(kind) for name, one in found.get(type_, {}).items()}


@pytest.mark.parametrize("path", TERRAFORM, ids=lambda path: path.stem)
def test_terraform_files_can_be_parsed(path):
    assert _parsed(path)


def test_terraform_allows_what_cloudformation_allows():
    documents = _of_type("data", "aws_iam_policy_document")
    allowed = {
        name: {action for one in document["statement"] for action in one["actions"]}
        for name, document in documents.items()
        if name in ("reader", "state")
    }
    assert allowed == {"reader": READS | QUEUE, "state": STATE}


def test_terraform_makes_the_same_resources_as_cloudformation():
    made = {type_ for one in _terraform("resource") for type_ in one}
    wanted = {
        "aws_cloudtrail",
        "aws_flow_log",
        "aws_iam_instance_profile",
        "aws_iam_role",
        "aws_route53_resolver_query_log_config",
        "aws_route53_resolver_query_log_config_association",
        "aws_s3_bucket_notification",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_sqs_queue",
        "aws_sqs_queue_policy",
    }
    assert wanted <= made
    assert set(_of_type("resource", "aws_sqs_queue")) == {"logs", "dead_letters"}


def test_every_variable_of_terraform_is_described_and_used():
    text = "".join(path.read_text(encoding="utf-8") for path in TERRAFORM)
    for found in _terraform("variable"):
        for name, variable in found.items():
            assert variable["description"]
            assert f"var.{name}" in text
