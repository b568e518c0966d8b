"""What AWS's key names tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from guardray.sources.aws_keys import KeyFilter, key_facts

TRAIL = "AWSLogs/111122223333/CloudTrail/us-west-2/2021/07/29/"
TRAIL_FILE = "111122223333_CloudTrail_us-west-2_20210729T2355Z_1lQFb8HU3K2s72AX.json.gz"
FLOW_FILE = "111122223333_vpcflowlogs_us-west-2_fl-1234abcd_20210729T2355Z_fe123456.log"
HIVE = "AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=us-west-2/year=2021/month=07/day=29/"
RESOLVER = "AWSLogs/111122223333/vpcdnsquerylogs/vpc-0abc/2021/07/29/"
LAKE = "aws/CLOUD_TRAIL_MGMT/2.0/region=us-west-2/accountId=111122223333/eventDay=20210729/part.gz.parquet"

MINUTE = datetime(2021, 7, 29, 23, 55, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "region", "time"),
    [
        (TRAIL + TRAIL_FILE, "us-west-2", MINUTE),
        ("logs/of/all/" + TRAIL + TRAIL_FILE, "us-west-2", MINUTE),
        (TRAIL.replace("AWSLogs/", "AWSLogs/o-exampleorgid/") + TRAIL_FILE, "us-west-2", MINUTE),
        (TRAIL_FILE, "us-west-2", MINUTE),
        ("copied here/" + TRAIL_FILE, "us-west-2", MINUTE),
        (TRAIL_FILE.replace("us-west-2", "us-gov-west-1"), "us-gov-west-1", MINUTE),
        ("AWSLogs/111122223333/vpcflowlogs/us-west-2/2021/07/29/" + FLOW_FILE + ".gz", "us-west-2", MINUTE),
        ("AWSLogs/111122223333/vpcflowlogs/us-west-2/2021/07/29/23/" + FLOW_FILE + ".parquet", "us-west-2", MINUTE),
        (HIVE + FLOW_FILE + ".parquet", "us-west-2", MINUTE),
        (HIVE + "hour=23/" + FLOW_FILE + ".parquet", "us-west-2", MINUTE),
        (RESOLVER + "111122223333_vpcdnsquerylogs_vpc-0abc_20210729T2355Z_62efad.log.gz", None, MINUTE),
        (RESOLVER + "vpc-0abc_vpcdnsquerylogs_vpc-0abc_20210729T2355Z_62efad.log.gz", None, MINUTE),
        (RESOLVER + "vpc-0abc_vpcdnsquerylogs_111122223333_20210729T2355Z_62efad1b.log.gz", None, MINUTE),
        (LAKE, "us-west-2", datetime(2021, 7, 29, tzinfo=UTC)),
        (LAKE.replace("aws/CLOUD_TRAIL_MGMT/2.0", "ext/mine"), "us-west-2", datetime(2021, 7, 29, tzinfo=UTC)),
        (TRAIL + "renamed.json.gz", "us-west-2", datetime(2021, 7, 29, tzinfo=UTC)),
    ],
)
def test_account_region_and_time_are_read_from_a_key(key, region, time):
    facts = key_facts(key)
    assert (facts.account_id, facts.region, facts.time, facts.is_log) == ("111122223333", region, time, True)


@pytest.mark.parametrize(
    "key",
    [
        (TRAIL + TRAIL_FILE).replace("CloudTrail", "CloudTrail-Digest"),
        (TRAIL + TRAIL_FILE).replace("CloudTrail", "CloudTrail-Insight"),
        "111122223333_CloudTrail-Digest_us-west-2_trail_us-west-2_20210729T2355Z.json.gz",
        "AWSLogs/111122223333/Config/us-west-2/2021/7/29/ConfigSnapshot/x.json.gz",
        "111122223333_Config_us-west-2_ConfigHistory_AWS::IAM::User_20210729T235501Z_1.json.gz",
        "AWSLogs/111122223333/Config/ConfigWritabilityCheckFile",
        "AWSLogs/o-exampleorgid/111122223333/111122223333",
        "AWSLogs/111122223333/elasticloadbalancing/us-west-2/2021/07/29/x.log.gz",
        "any/folder/.DS_Store",
        "any/folder/_SUCCESS",
    ],
)
def test_what_is_no_log_is_passed_over(key):
    assert not key_facts(key).is_log
    assert not key_facts(key).may_match(KeyFilter())


@pytest.mark.parametrize(
    "key", ["logs/today.json", "AWSLogs/anonymised/x.json", "a/111122223333.json", "20210729.gz", ""]
)
def test_other_names_tell_nothing_and_are_kept(key):
    facts = key_facts(key)
    assert (facts.account_id, facts.region, facts.time) == (None, None, None)
    assert facts.may_match(KeyFilter(since=MINUTE, until=MINUTE, account_ids=frozenset("1"), regions=frozenset("x")))


@pytest.mark.parametrize(
    ("prefix", "time", "period"),
    [
        ("AWSLogs/111122223333/CloudTrail/us-west-2/", None, None),
        ("AWSLogs/111122223333/CloudTrail/us-west-2/2021/", datetime(2021, 1, 1, tzinfo=UTC), timedelta(days=366)),
        ("AWSLogs/111122223333/CloudTrail/us-west-2/2021/07/", datetime(2021, 7, 1, tzinfo=UTC), timedelta(days=31)),
        (TRAIL, datetime(2021, 7, 29, tzinfo=UTC), timedelta(days=1)),
        (HIVE + "hour=23/", datetime(2021, 7, 29, 23, tzinfo=UTC), timedelta(hours=1)),
        ("AWSLogs/111122223333/CloudTrail/us-west-2/2021/99/", None, None),
    ],
)
def test_a_folder_tells_the_time_to_its_own_level(prefix, time, period):
    facts = key_facts(prefix)
    assert (facts.time, facts.period, facts.account_id) == (time, period, "111122223333")


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (KeyFilter(), True),
        (KeyFilter(since=MINUTE), True),
        (KeyFilter(since=MINUTE + timedelta(minutes=30)), True),  # flow objects are dated by the start of their window
        (KeyFilter(since=MINUTE + timedelta(hours=2)), False),
        (KeyFilter(until=MINUTE), True),
        (KeyFilter(until=MINUTE - timedelta(hours=23)), True),  # events that were delivered a day late
        (KeyFilter(until=MINUTE - timedelta(hours=25)), False),
        (KeyFilter(regions=frozenset({"us-west-2"})), True),
        (KeyFilter(regions=frozenset({"eu-west-1"})), False),
        (KeyFilter(regions=frozenset({"us-east-1"})), True),  # sign-ins and global services are recorded everywhere
        (KeyFilter(account_ids=frozenset({"111122223333"})), True),
        (KeyFilter(account_ids=frozenset({"444455556666"})), False),
    ],
)
def test_a_trail_file_is_ruled_out_by_date_region_and_account(wanted, matches):
    assert key_facts(TRAIL + TRAIL_FILE).may_match(wanted) is matches


@pytest.mark.parametrize("key", [HIVE + FLOW_FILE + ".parquet", RESOLVER + "x.log.gz"])
def test_the_account_in_a_flow_or_query_log_key_rules_nothing_out(key):
    """In a shared VPC the logs of all accounts' interfaces lie under the owner's account."""
    assert key_facts(key).may_match(KeyFilter(account_ids=frozenset({"444455556666"})))
