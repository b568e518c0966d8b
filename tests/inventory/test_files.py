"""Inventory files are what the Describe calls say, and what is wrong with one is said with its place."""

from __future__ import annotations

import json

import polars as pl
import pytest

from guardray.errors import UsageError
from guardray.inventory import Inventory, facts_of, read_inventory
from guardray.inventory.facts import BEGINNING

from .events import ACCOUNT, REGION, at, batch, launch, terminate

INTERFACE = {
    "NetworkInterfaceId": "eni-1",
    "VpcId": "vpc-1",
    "SubnetId": "subnet-1",
    "PrivateIpAddress": "10.0.0.5",
    "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.5", "Primary": True}, {"PrivateIpAddress": "10.0.0.6"}],
    "Ipv6Addresses": [{"Ipv6Address": "2001:db8::5"}],
    "Groups": [{"GroupId": "sg-1", "GroupName": "web"}],
    "Association": {"PublicIp": "198.51.100.9", "PublicDnsName": "ec2.example", "AssociationId": "eipassoc-1"},
    "Attachment": {"AttachmentId": "eni-attach-1", "InstanceId": "i-1", "AttachTime": "2026-01-05T00:01:00+00:00"},
    "TagSet": [],
}
INSTANCE = {
    "InstanceId": "i-1",
    "InstanceType": "t3.micro",
    "ImageId": "ami-1",
    "LaunchTime": "2026-01-05T00:00:00+00:00",
    "State": {"Code": 16, "Name": "running"},
    "Placement": {"AvailabilityZone": "eu-west-1a"},
    "Tags": [{"Key": "Name", "Value": "web-1"}],
    "ProductCodes": [{"ProductCodeId": "abc", "ProductCodeType": "marketplace"}],
    "NetworkInterfaces": [INTERFACE],
}
DOCUMENT = {"AccountId": ACCOUNT, "Region": REGION, "NetworkInterfaces": [INTERFACE], "Instances": [INSTANCE]}


def written(folder, content, name="inventory.json"):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), errors="surrogateescape")
    return path


def instance(facts, minutes):
    return Inventory(facts).instance(ACCOUNT, REGION, time=at(minutes), private_ip="10.0.0.6")


def test_a_document_describes_its_instances_from_their_launch(tmp_path):
    facts = read_inventory([written(tmp_path, DOCUMENT)])
    found = instance(facts, 5)
    assert (found.instance_id, found.image_id, found.tags) == ("i-1", "ami-1", (("Name", "web-1"),))
    assert found.product_codes[0].id == "abc"
    assert [one.ip for one in found.interface.private_ips] == ["10.0.0.5", "10.0.0.6"]
    assert found.interface.ipv6_addresses == ("2001:db8::5",)
    assert (found.interface.public_ip, found.interface.public_dns_name) == ("198.51.100.9", "ec2.example")
    assert instance(facts, -5) is None


def test_without_times_it_holds_from_the_beginning(tmp_path):
    interface = INTERFACE | {"Attachment": {"InstanceId": "i-1"}}
    path = written(tmp_path, DOCUMENT | {"NetworkInterfaces": [interface], "Instances": []})
    facts = read_inventory([path])
    assert facts["time"].unique().to_list() == [BEGINNING]
    assert instance(facts, -99999).instance_id == "i-1"


def test_a_launch_in_the_trail_limits_what_has_no_time_in_the_file(tmp_path):
    """The file was written after the second instance had been given the first one's address."""
    untimed = INTERFACE | {"Attachment": {"InstanceId": "i-1"}, "PrivateIpAddresses": []}
    of_file = read_inventory([written(tmp_path, DOCUMENT | {"NetworkInterfaces": [untimed], "Instances": []})])
    of_trail = facts_of(
        batch(launch(0, "i-0", "eni-0", "10.0.0.5"), terminate(30, "i-0"), launch(40, "i-1", "eni-1", "10.0.0.5"))
    )
    inventory = Inventory(of_file).merge(of_trail)
    frame = pl.DataFrame(
        {
            "time": [at(10), at(39), at(50)],
            "vpc_uid": "vpc-1",
            "private_ip_v4": pl.Series([10 << 24 | 5] * 3, dtype=pl.UInt32),
        }
    )
    assert inventory.resolve(frame)["instance_uid"].to_list() == ["i-0", None, "i-1"]


def test_lists_folders_and_plain_describe_output_are_read(tmp_path):
    reservation = {"OwnerId": ACCOUNT, "Instances": [INSTANCE]}
    written(tmp_path, {"Reservations": [reservation]}, "plain.json")
    (tmp_path / "more").mkdir()
    other = DOCUMENT | {"Region": "us-east-1", "Instances": [], "NetworkInterfaces": []}
    written(tmp_path / "more", [DOCUMENT, other], "list.json")
    facts = read_inventory([tmp_path])
    assert facts.equals(read_inventory([tmp_path / "plain.json", tmp_path / "more/list.json"]))
    assert instance(read_inventory([tmp_path / "plain.json"]), 5).instance_id == "i-1"
    assert set(facts["cloud_region"]) == {REGION}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", r"inventory.json: not JSON"),
        ("", r"inventory.json: not JSON"),
        ("\udcff", r"inventory.json: not JSON"),
        ("5", r"inventory.json: expected an object, not int"),
        ([DOCUMENT, "x"], r"inventory.json\[1\]: expected an object, not str"),
        ({"AccountId": ACCOUNT}, "has none of Instances, NetworkInterfaces and Reservations"),
        (DOCUMENT | {"Instances": {}}, r"inventory.json.Instances: expected a list"),
        (DOCUMENT | {"Instances": [5]}, r"inventory.json.Instances\[0\]: expected an object, not int"),
        ({"Reservations": [{"Instances": 5}]}, r"Reservations\[0\].Instances: expected a list, not int"),
        ([], r"inventory.json: an empty list"),
        (DOCUMENT | {"AccountId": 111122223333}, r"NetworkInterfaces\[0\]: AccountId is 111122223333, expected a text"),
        ([DOCUMENT, {"Instances": [INSTANCE]}], r"\[1\].Instances\[0\]: AccountId is missing"),
        ({"Reservations": [{"OwnerId": ACCOUNT, "Instances": [{"InstanceId": "i-1"}]}]}, "Region is missing"),
        (DOCUMENT | {"Instances": [{}]}, r"Instances\[0\]: has no InstanceId"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, content, reason):
    with pytest.raises(UsageError, match=reason):
        read_inventory([written(tmp_path, content)])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_are_read_in_the_encodings_that_shells_write(tmp_path, encoding):
    path = tmp_path / "inventory.json"
    tagged = INSTANCE | {"Tags": [{"Key": "Name", "Value": "Größe"}]}
    path.write_text(json.dumps(DOCUMENT | {"Instances": [tagged]}, ensure_ascii=False), encoding=encoding)
    assert instance(read_inventory([path]), 5).tags == (("Name", "Größe"),)


def test_missing_files_and_empty_folders_are_named(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere.json: No such file"):
        read_inventory([tmp_path / "nowhere.json"])
    with pytest.raises(UsageError, match=r"no \.json file in this folder"):
        read_inventory([tmp_path])
