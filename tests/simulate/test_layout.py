"""Files lie where AWS puts them, and look as AWS writes them."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from guardray.errors import UsageError
from guardray.simulate import simulate
from guardray.simulate.flow.formats import DEFAULT_FIELDS

from .conftest import RATE, Logs, lines_of

HASH, FLOW, VPC = "[0-9a-f]{8}", "fl-[0-9a-f]{17}", "(vpc-[0-9a-f]{17})"
ACCOUNT, REGION, DATE, STAMP = r"(\d{12})", r"([a-z]{2}-[a-z]+-\d)", r"(\d{4}/\d\d/\d\d)", r"(\d{8}T\d{4}Z)"
PATTERNS = {
    "CloudTrail": rf"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{DATE}/\1_CloudTrail_\2_{STAMP}_[A-Za-z0-9]{{16}}\.json\.gz",
    "vpcflowlogs": rf"AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/{DATE}/\1_vpcflowlogs_\2_{FLOW}_{STAMP}_{HASH}\.log\.gz",
    "vpcdnsquerylogs": rf"AWSLogs/{ACCOUNT}/vpcdnsquerylogs/{VPC}/{DATE}/\2_vpcdnsquerylogs_\1_{STAMP}_{HASH}\.log\.gz",
}


@pytest.mark.parametrize("source", PATTERNS)
def test_keys_are_those_of_aws(logs: Logs, source: str) -> None:
    names = [path.relative_to(logs.folder).as_posix() for path in logs.files(source)]
    assert names
    for name in names:
        match = re.fullmatch(PATTERNS[source], name)
        assert match, name
        assert match[4].startswith(match[3].replace("/", "")), "the folder's date is that of the name"


def test_gzip_headers_hold_no_time(logs: Logs) -> None:
    for source in PATTERNS:
        assert logs.files(source)[0].read_bytes()[4:8] == b"\0\0\0\0"


def test_cloudtrail_events_arrive_late_and_in_no_order(logs: Logs) -> None:
    in_order = 0
    for path in logs.files("CloudTrail"):
        events = json.loads(gzip.decompress(path.read_bytes()))["Records"]
        delivered = datetime.strptime(path.name.split("_")[3], "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
        times = [datetime.fromisoformat(event["eventTime"]) for event in events]
        # 5 to 15 minutes of delay, then up to the next full 5 minutes.
        assert all(300 <= (delivered - time).total_seconds() <= 1200 for time in times)
        in_order += times == sorted(times)
    assert in_order < len(logs.files("CloudTrail")) / 2


def test_management_and_data_events_share_files(logs: Logs) -> None:
    kinds = [
        {event["eventCategory"] for event in json.loads(gzip.decompress(path.read_bytes()))["Records"]}
        for path in logs.files("CloudTrail")
    ]
    assert {"Management", "Data"} in kinds


def test_accounts_differ_in_flow_format(logs: Logs) -> None:
    headers = {lines_of(path)[0] for path in logs.files("vpcflowlogs")}
    version_2 = " ".join(DEFAULT_FIELDS)
    assert version_2 in headers
    assert len(headers) == 2
    (custom,) = headers - {version_2}
    assert {"instance-id", "tcp-flags", "flow-direction"} <= set(custom.split())


def test_idle_interfaces_have_records_without_data(logs: Logs) -> None:
    lines = [line for path in logs.files("vpcflowlogs") for line in lines_of(path) if "NODATA" in line]
    assert lines
    assert all(len(set(line.split()) & {"-"}) == 1 for line in lines)


def test_flow_records_stay_within_their_aggregation_interval(logs: Logs) -> None:
    for path in logs.files("vpcflowlogs")[::20]:
        frame = pl.read_csv(
            gzip.decompress(path.read_bytes()), separator=" ", infer_schema_length=None, null_values="-"
        )
        seconds = 60 if "tcp-flags" in frame.columns else 600
        data = frame.filter(pl.col("log-status") == "OK")
        assert (data["start"] // seconds == data["end"] // seconds).all()
        assert (data["packets"] > 0).all()
        assert (data["bytes"] >= data["packets"] * 20).all()


def test_parquet_has_hive_prefixes_when_asked_for(tmp_path: Path) -> None:
    done = simulate(tmp_path / "out", accounts=1, days=0.125, seed=1, rate=RATE, attacks=(), flow_format="parquet")
    files = sorted((tmp_path / "out").rglob("*.parquet"))
    where = rf"AWSLogs/aws-account-id={ACCOUNT}/aws-service=vpcflowlogs/aws-region={REGION}"
    pattern = where + r"/year=\d{4}/month=\d\d/day=\d\d/hour=\d\d/"
    assert all(re.match(pattern, path.relative_to(tmp_path / "out").as_posix()) for path in files)
    frame = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in files])
    assert len(frame) == done.rows["flow"]
    assert frame.schema["tcp_flags"] == pl.Int32
    assert frame.schema["bytes"] == pl.Int64


def test_summary_counts_what_was_written(logs: Logs) -> None:
    summary = logs.summary
    assert summary.rows["cloudtrail"] == len(logs.events)
    assert summary.rows["dns"] == len(logs.queries)
    assert summary.files["flow"] == len(logs.files("vpcflowlogs"))
    assert summary.sizes["dns"] == sum(path.stat().st_size for path in logs.files("vpcdnsquerylogs"))


def test_inventory_names_the_interfaces_that_logs_name(logs: Logs) -> None:
    documents = json.loads((logs.folder / "inventory.json").read_text())
    assert [one["AccountId"] for one in documents] == list(logs.summary.accounts)
    known = {interface["NetworkInterfaceId"] for one in documents for interface in one["NetworkInterfaces"]}
    instances = {instance["InstanceId"] for one in documents for instance in one["Instances"]}
    seen = set(logs.flows["interface-id"].unique())
    assert known <= seen, "whatever runs at the end was seen"
    assert {label["entity"].split("|")[0] for label in logs.labels if label["entity"].startswith("i-")} <= instances


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"accounts": 0}, "accounts is 0"),
        ({"days": 0.01}, "days is 0.01"),
        ({"days": 1e9}, r"days is 1e\+09"),
        ({"start": datetime(2026, 1, 1)}, "no time zone"),
        ({"start": datetime(9999, 12, 31, tzinfo=UTC)}, "start 9999"),
        ({"start": datetime(1, 1, 1, tzinfo=UTC)}, "start 0001"),
        ({"attacks": ["Recon:EC2/Nothing"]}, "no attack raises Recon:EC2/Nothing"),
    ],
)
def test_wrong_arguments_are_named(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    arguments = {"accounts": 1, "days": 0.125, "seed": 1} | changes
    with pytest.raises(UsageError, match=message):
        simulate(tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UsageError, match="not an empty folder"):
        simulate(tmp_path, accounts=1, days=0.125, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_progress_ends_at_the_number_of_account_days(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    simulate(
        tmp_path / "out", accounts=1, days=1.25, seed=1, rate=RATE, attacks=(), progress=lambda *done: seen.append(done)
    )
    assert seen == [(1, 2), (2, 2)]
