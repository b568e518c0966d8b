"""Describing an account against a server that speaks EC2's protocol."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto.server import ThreadedMotoServer
from typer.testing import CliRunner

from guardray.cli.inventory import app
from guardray.errors import SourceError, UsageError
from guardray.inventory import Inventory, read_inventory
from guardray.inventory.describe import describe, documents

REGION, ACCOUNT = "eu-west-1", "123456789012"


@pytest.fixture(scope="module")
def server():
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def endpoint(server, monkeypatch):
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_REGION", raising=False)
    return server


@pytest.fixture
def instance(endpoint):
    client = boto3.client("ec2", region_name=REGION)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web-1"}]}]
    image = client.describe_images()["Images"][0]["ImageId"]
    launched = client.run_instances(
        ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro", TagSpecifications=tags
    )
    return launched["Instances"][0]


def test_the_facts_lead_from_an_address_to_its_instance(instance):
    inventory = Inventory(describe([REGION]))
    now = datetime.now(UTC) + timedelta(minutes=1)
    found = inventory.instance(
        ACCOUNT, REGION, time=now, private_ip=instance["PrivateIpAddress"], vpc_uid=instance["VpcId"]
    )
    assert (found.instance_id, found.instance_type) == (instance["InstanceId"], "t3.micro")
    assert found.tags == (("Name", "web-1"),)
    assert found.interface.interface_id == instance["NetworkInterfaces"][0]["NetworkInterfaceId"]


def test_an_exported_file_says_what_the_calls_said(instance, tmp_path):
    out = tmp_path / "inventory.json"
    result = CliRunner().invoke(app, ["export", str(out)])
    assert result.exit_code == 0, result.output
    assert json.loads(out.read_text())[0]["AccountId"] == ACCOUNT
    assert read_inventory([out]).equals(describe([REGION]))


def test_several_regions_are_several_documents(endpoint):
    assert [one["Region"] for one in documents(["us-east-1", REGION, "us-east-1"])] == ["us-east-1", REGION]


def test_without_a_region_there_is_nobody_to_ask(endpoint, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(UsageError, match="--region"):
        documents()


def test_a_refusal_is_said_with_its_reason(endpoint, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(SourceError, match=r"sts eu-west-1: .*credentials"):
        documents()
