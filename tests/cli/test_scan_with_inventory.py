"""`guardray scan --inventory` with accounts that use the same private addresses: each row finds its own instance."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from scanning import found, scan

from guardray.errors import UsageError

SHOP, BANK = "111122223333", "444455556666"
REGION = "eu-west-1"
INSTANCES = {SHOP: "i-0000000000000shop", BANK: "i-0000000000000bank"}
INTERFACES = {SHOP: "eni-shop", BANK: "eni-bank"}
VPCS = {SHOP: "vpc-shop", BANK: "vpc-bank"}

REMOTE = "198.51.100.7"
RECORD = f"10.0.0.5 {REMOTE} 50000 443 6 10 4000 1768212000 1768212060 ACCEPT OK"
ENDS = "srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"

Scan = Callable[..., dict[str, str]]


def described(account: str) -> tuple[dict, dict]:
    """What EC2 says of the account's instance and its interface, which has the address 10.0.0.5 in both accounts."""
    interface = {
        "NetworkInterfaceId": INTERFACES[account],
        "OwnerId": account,
        "AvailabilityZone": f"{REGION}a",
        "VpcId": VPCS[account],
        "SubnetId": f"subnet-{account}",
        "PrivateIpAddress": "10.0.0.5",
        "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.5", "Primary": True}],
        "Attachment": {"InstanceId": INSTANCES[account], "AttachTime": "2026-01-05T00:01:00+00:00"},
    }
    instance = {
        "InstanceId": INSTANCES[account],
        "LaunchTime": "2026-01-05T00:00:00+00:00",
        "State": {"Name": "running"},
        "Placement": {"AvailabilityZone": f"{REGION}a"},
        "VpcId": VPCS[account],
        "PrivateIpAddress": "10.0.0.5",
        "Tags": [{"Key": "Name", "Value": f"web of {account}"}],
    }
    return instance, interface


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """The shop's as the AWS CLI prints it, in two files, and the bank's as `guardray inventory export` writes it."""
    folder = tmp_path / "inventory"
    folder.mkdir()
    instance, interface = described(SHOP)
    reservations = [{"ReservationId": "r-1", "OwnerId": SHOP, "Instances": [instance]}]
    (folder / "describe-instances.json").write_text(json.dumps({"Reservations": reservations}))
    (folder / "describe-network-interfaces.json").write_text(json.dumps({"NetworkInterfaces": [interface]}))
    instance, interface = described(BANK)
    document = {"AccountId": BANK, "Region": REGION, "NetworkInterfaces": [interface], "Instances": [instance]}
    (folder / "inventory.json").write_text(json.dumps([document]))
    return folder


@pytest.fixture
def instances(tmp_path: Path) -> Scan:
    """Scans a log for what a threat list names; gives the instance by account."""

    def run(log: Path, *options: object) -> dict[str, str]:
        threats, output = tmp_path / "threats.txt", tmp_path / "findings.jsonl"
        threats.write_text(f"{REMOTE}\nbad.example\n")
        result = scan(log, "--threat-list", threats, "--output", output, *options, state=tmp_path / "data")
        assert result.exit_code == 0, result.output
        return {one["accountId"]: one["resource"]["instanceDetails"].get("instanceId") for one in found(output)}

    return run


def written(folder: Path, *lines: str) -> Path:
    path = folder / "records.log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ("version account-id interface-id", "2 {account} {interface}"),
        ("version account-id region vpc-id", "5 {account} eu-west-1 {vpc}"),
        ("version account-id vpc-id", "5 {account} {vpc}"),
        ("version account-id region", "5 {account} eu-west-1"),
    ],
)
def test_a_flow_record_goes_to_its_accounts_instance_whatever_it_says_of_its_place(
    tmp_path: Path, inventory: Path, instances: Scan, fields: str, row: str
):
    rows = [
        row.format(account=account, interface=INTERFACES[account], vpc=VPCS[account]) for account in (SHOP, BANK, SHOP)
    ]
    log = written(tmp_path, f"{fields} {ENDS}", *(f"{one} {RECORD}" for one in rows))
    assert instances(log, "--inventory", inventory) == INSTANCES


def test_a_query_goes_to_its_accounts_instance(tmp_path: Path, inventory: Path, instances: Scan):
    queries = [
        {
            "version": "1.100000",
            "account_id": account,
            "region": REGION,
            "vpc_id": VPCS[account],
            "query_timestamp": "2026-01-12T10:00:05Z",
            "query_name": "www.bad.example.",
            "query_type": "A",
            "query_class": "IN",
            "rcode": "NXDOMAIN",
            "answers": [],
            "srcaddr": "10.0.0.5",
            "srcport": "41734",
            "transport": "UDP",
            "srcids": {},
        }
        for account in (SHOP, BANK)
    ]
    log = written(tmp_path, *map(json.dumps, queries))
    assert instances(log, "--inventory", inventory) == INSTANCES


def test_files_are_taken_one_by_one_as_well_and_the_other_accounts_rows_stay_unknown(
    tmp_path: Path, inventory: Path, instances: Scan
):
    log = written(
        tmp_path,
        f"version account-id region interface-id {ENDS}",
        *(f"5 {account} {REGION} {INTERFACES[account]} {RECORD}" for account in (SHOP, BANK)),
    )
    of_shop = (inventory / "describe-instances.json", inventory / "describe-network-interfaces.json")
    options = [part for file in of_shop for part in ("--inventory", file)]
    assert instances(log, *options) == {SHOP: INSTANCES[SHOP], BANK: None}


def test_the_owner_of_an_interface_in_a_shared_vpc_counts_before_the_account_that_described_it(
    tmp_path: Path, instances: Scan
):
    """The owner of a VPC sees the interfaces that others have in it."""
    _, interface = described(BANK)
    file = tmp_path / "inventory.json"
    file.write_text(json.dumps({"AccountId": SHOP, "Region": REGION, "NetworkInterfaces": [interface]}))
    log = written(tmp_path, f"version account-id region {ENDS}", *(f"5 {one} {REGION} {RECORD}" for one in INSTANCES))
    assert instances(log, "--inventory", file) == {SHOP: None, BANK: INSTANCES[BANK]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "not JSON"),
        ('{"Reservations": [', "not JSON"),
        ('{"Reservations": []}\n{"Reservations": []}', "not JSON"),
        (json.dumps({"Reservations": [{"Instances": [described(SHOP)[0]]}]}), "AccountId is missing"),
        (json.dumps({"NetworkInterfaces": [described(SHOP)[1] | {"OwnerId": "shop"}]}), "AccountId is 'shop'"),
        (json.dumps([described(SHOP)[0]]), "[0]: has none of Instances, NetworkInterfaces and Reservations"),
    ],
)
def test_a_broken_file_among_good_ones_is_named_and_nothing_is_scanned(
    tmp_path: Path, inventory: Path, content: str, reason: str
):
    broken = inventory / "more.json"
    broken.write_text(content)
    log = written(tmp_path, f"version account-id interface-id {ENDS}", f"2 {SHOP} eni-shop {RECORD}")
    with pytest.raises(UsageError) as error:
        scan(log, "--inventory", inventory, state=tmp_path / "data")
    assert str(broken) in str(error.value)
    assert reason in str(error.value)
