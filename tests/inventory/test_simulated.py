"""A simulated account: what of its flow and DNS rows leads to an instance, and to the right one."""

from __future__ import annotations

import polars as pl
import pytest

from guardray.inventory import Inventory, facts_of, read_inventory, together
from guardray.schema import SCHEMAS
from guardray.schema.addresses import ipv4_numbers
from guardray.simulate import Rates, simulate
from guardray.sources.aws_keys import KeyFilter
from guardray.sources.batching import Batch
from guardray.sources.objects import locate
from guardray.sources.reader import Reader


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("logs") / "out"
    simulate(out, accounts=1, days=1, seed=3, rate=Rates.named("quiet"), attacks=())
    return out


@pytest.fixture(scope="module")
def rows(folder):
    read = list(Reader().read(locate([str(folder / "AWSLogs")], KeyFilter())))
    batches = [one for one in read if isinstance(one, Batch)]
    return {name: pl.concat([one.frame for one in batches if one.schema.name == name]) for name in SCHEMAS}


@pytest.fixture(scope="module")
def trail(rows):
    return facts_of(rows["api_activity"])


@pytest.fixture(scope="module")
def whole(folder, trail):
    return Inventory(together([trail, read_inventory([folder / "inventory.json"])]))


def without_instances(frame):
    return frame.with_columns(instance_uid=pl.lit(None, pl.String))


def test_flow_records_find_the_instances_that_their_logs_name(rows, whole):
    """The custom format names them: the look-up by interface and time must say the same, also of what has none."""
    flows = rows["network_activity"]
    found = whole.resolve(without_instances(flows))
    assert found["instance_uid"].equals(flows["instance_uid"], null_equal=True)
    assert found["subnet_uid"].null_count() == 0


def test_queries_find_their_instances_by_vpc_address_and_time(rows, whole):
    queries = rows["dns_activity"].with_columns(private_ip_v4=ipv4_numbers(pl.col("src_endpoint_ip")))
    found = whole.resolve(without_instances(queries))["instance_uid"]
    assert found.null_count() == 0
    named = queries["instance_uid"].is_not_null()
    assert found.filter(named).equals(queries["instance_uid"].filter(named))
    assert not named.all(), "some hosts are known by address only"


def test_one_address_is_of_several_instances_in_a_day(rows, whole):
    queries = rows["dns_activity"].with_columns(private_ip_v4=ipv4_numbers(pl.col("src_endpoint_ip")))
    found = whole.resolve(queries).group_by("vpc_uid", "src_endpoint_ip").agg(pl.col("instance_uid").n_unique())
    assert found["instance_uid"].max() == 4


def test_the_trail_alone_tells_what_was_launched_in_the_period(rows, trail):
    launched = trail.filter(pl.col("kind") == "attached")["instance_uid"].unique()
    flows = rows["network_activity"]
    found = Inventory(trail).resolve(without_instances(flows))["instance_uid"]
    of_launched = flows["instance_uid"].is_in(launched.implode())
    assert found.filter(of_launched).equals(flows["instance_uid"].filter(of_launched))
    assert found.filter(~of_launched).null_count() == (~of_launched).sum()
    assert of_launched.any()
