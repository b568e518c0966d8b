"""Features: one-sided numbers in their range, each of which rises when its own part of a day changes."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from guardray.context.enrich import Surroundings
from guardray.dataflow.ingest import Ingest
from guardray.dataflow.shard import Shard
from guardray.detectors.declare import EXAMPLES_BEGIN, ActivityDetector, on_earlier_days
from guardray.detectors.ec2 import network_port_unusual, unusual_traffic
from guardray.detectors.ec2.connections import flow
from guardray.detectors.features import MOST, Feature, FeatureSpec, specs_of
from guardray.detectors.iam import anomalous_behavior as management
from guardray.detectors.loader import load_detectors
from guardray.detectors.peers import PEERS
from guardray.detectors.s3 import anomalous_behavior as objects
from guardray.intel.store import IndicatorStore
from guardray.testing import frame_of, world_of

DETECTORS = load_detectors()
SPECS = specs_of(DETECTORS)
DAYS = 14

Events = Sequence[Mapping[str, Any]]


def measured(spec: FeatureSpec, *rows: Mapping[str, Any]) -> dict[str, float]:
    """The features of the candidate of the last day that has most of them."""
    detector = next(one for one in DETECTORS if isinstance(one, ActivityDetector) and one.spec is spec)
    surroundings = Surroundings(IndicatorStore(), world_of(management.PLACES))
    ingest = Ingest([detector], surroundings, lambda hashes, _: np.ones(len(hashes), dtype=bool))
    ingest.on_batch(detector.schema, frame_of(detector.schema, rows))
    shard = Shard([detector], archives=True)
    shard.merge(ingest.drain())
    shard.finish()
    drained = shard.drain_features()[spec.name]
    last = drained.filter(pl.col("window_start") == drained["window_start"].max())
    features = spec.frame(last)
    return features.row(int(features.sum_horizontal().arg_max() or 0), named=True)


def risen(spec: FeatureSpec, history: Events, usual: Events, changed: Events) -> set[str]:
    """The features that are greater of the changed day than of the usual one."""
    before, after = measured(spec, *history, *usual), measured(spec, *history, *changed)
    return {name for name in spec.names if after[name] > before[name] + 0.1}


def test_there_is_a_spec_for_calls_for_objects_and_for_traffic():
    assert [spec.name for spec in SPECS] == ["management-calls", "object-calls", "outbound-traffic"]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_feature_has_words_a_unit_and_a_range(spec: FeatureSpec):
    for feature in spec.features:
        assert feature.words
        assert feature.unit
        assert feature.least == 0.0
        assert feature.most is None or feature.most > 0


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_definition_is_the_same_in_another_process_and_changes_with_what_is_measured(spec: FeatureSpec):
    assert pickle.loads(pickle.dumps(spec)).definition == spec.definition
    first, *others = spec.features
    assert replace(spec, features=(replace(first, words="otherwise"), *others)).definition == spec.definition
    assert replace(spec, features=(replace(first, value=first.value + 1), *others)).definition != spec.definition
    assert replace(spec, features=tuple(others)).definition != spec.definition


def test_numbers_have_no_nulls_and_stay_in_their_range():
    spec = replace(
        SPECS[0],
        features=(Feature("bounded", pl.col("x"), "bits", "", most=3.0), Feature("open", pl.col("x"), "bits", "")),
    )
    rows = pl.DataFrame({"x": [None, float("nan"), float("inf"), -2.0, 1.5]})
    frame = spec.frame(rows)
    assert frame["bounded"].to_list() == [0.0, 0.0, 3.0, 0.0, 1.5]
    assert frame["open"].to_list() == [0.0, 0.0, MOST, 0.0, 1.5]


CALL = management.WORK
HISTORY = on_earlier_days(DAYS, CALL, management.COLLEAGUE | {"api_operation": "DescribeTags"})
NEW = CALL | {"api_operation": "CreateTags"}

NIGHT = {"time": EXAMPLES_BEGIN.replace(hour=2)}


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ([NEW | {"src_endpoint_ip": management.HOTEL}], {"account_network", "principal_country", "elsewhere"}),
        ([NEW | {"http_request_user_agent": management.TOOL}], {"account_agent", "peers_agent", "new_to_account"}),
        ([NEW | {"cloud_region": "sa-east-1"}], {"account_region", "principal_region"}),
        ([NEW | {"api_response_error": "AccessDenied"}], {"account_error", "denials"}),
        ([NEW | NIGHT], {"hour"}),
        ([NEW] * 500, {"calls"}),
        ([NEW | {"api_operation": f"Create{n}"} for n in range(30)], {"operations", "new_operations"}),
        ([NEW | {"api_operation": "AttachUserPolicy", "api_service_name": "iam.amazonaws.com"}], {"sensitivity"}),
        ([NEW | {"api_operation": "GetPasswordData"}, NEW], {"ends", "takeover"}),
        ([NEW | {"actor_user_type": "Root"}], {"account_user_type"}),
    ],
    ids=lambda value: "" if isinstance(value, list) else "-".join(sorted(value)),
)
def test_what_is_odd_about_a_call_raises_its_feature(changed: Events, names: set[str]):
    assert names <= risen(management.SPEC, HISTORY, [NEW], changed)


def test_what_colleagues_do_is_less_rare_than_what_nobody_does():
    known, unknown = (
        measured(management.SPEC, *HISTORY, CALL | {"api_operation": operation})["principal_operation"]
        for operation in ("DescribeTags", "DescribeHosts")
    )
    assert known < unknown


PEOPLE = [CALL | {"actor_user_name": name, "actor_user_uid_alt": f"AIDA{name.upper()}"} for name in "abcdef"]
WORKED = [one | {"api_operation": operation} for one in PEOPLE for operation in ("DescribeInstances", "DescribeVpcs")]


def test_a_place_that_many_begin_to_work_from_on_one_day_is_hardly_news():
    history = on_earlier_days(DAYS, *WORKED)
    moved = [one | {"src_endpoint_ip": management.HOTEL} for one in WORKED]
    alone = measured(management.SPEC, *history, *moved[:2])
    together = measured(management.SPEC, *history, *moved)
    assert alone["elsewhere"] == 1.0
    assert together["elsewhere"] == 0.0
    assert together["account_network"] < 1.0 < alone["account_network"] - 3
    assert together["new_to_account"] < alone["new_to_account"]


def test_three_stolen_identities_with_new_calls_make_no_crowd():
    stolen = [
        one | {"src_endpoint_ip": management.HOTEL, "api_operation": operation}
        for one in PEOPLE[:3]
        for operation in ("DescribeInstances", "ListUsers", "ListRoles", "CreateUser")
    ]
    assert measured(management.SPEC, *on_earlier_days(DAYS, *WORKED), *WORKED[6:], *stolen)["elsewhere"] == 1.0


def test_new_operations_serve_more_ends_the_more_tactics_they_are_of():
    secrets = CALL | {"api_service_name": "secretsmanager.amazonaws.com", "api_operation": "GetSecretValue"}
    rights = CALL | {"api_service_name": "iam.amazonaws.com", "api_operation": "AttachUserPolicy"}
    one, two = (measured(management.SPEC, *HISTORY, *calls) for calls in ([secrets], [secrets, rights]))
    assert two["ends"] > one["ends"] + 0.3


def test_only_what_is_new_is_a_candidate():
    with pytest.raises(KeyError):
        measured(management.SPEC, *HISTORY, CALL)


READ = objects.READ | {"additional_bytes_out": 1000, "additional_bytes_in": 0}
READS = on_earlier_days(DAYS, READ, READ | {"bucket_name": "plans"})
NEW_READ = READ | {"api_operation": "GetObjectAcl"}


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ([NEW_READ | {"bucket_name": "payroll"}], {"account_bucket", "peers_bucket", "principal_bucket", "apart"}),
        ([NEW_READ | {"bucket_name": f"b{n}"} for n in range(40)], {"buckets"}),
        ([READ | {"additional_bytes_out": 10**11}], {"bytes_read"}),
        ([READ | {"additional_bytes_in": 10**11}], {"bytes_written"}),
        ([READ] * 500, {"calls", "objects"}),
        ([NEW_READ | {"api_response_error": "AccessDenied"}], {"denials", "account_error"}),
        ([NEW_READ | {"api_operation": "DeleteObject"}], {"sensitivity"}),
    ],
    ids=lambda value: "" if isinstance(value, list) else "-".join(sorted(value)),
)
def test_what_is_odd_about_a_call_for_objects_raises_its_feature(changed: Events, names: set[str]):
    assert names <= risen(objects.SPEC, READS, [NEW_READ], changed)


WEB = network_port_unusual.WEB
SENT = on_earlier_days(DAYS, WEB, {**WEB, "dst_endpoint_port": 8443})
OTHER = {**WEB, "dst_endpoint_port": 4444}


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ([{**OTHER, "traffic_bytes": 10**9, "traffic_packets": 10**6}], {"sent", "to_host"}),
        ([{**OTHER, "dst_endpoint_port": 5000 + n} for n in range(40)], {"ports"}),
        (
            [
                {
                    **flow(target=f"203.0.113.{n}"),
                    **network_port_unusual.SESSION,
                    "src_endpoint_port": 50016,
                    "dst_endpoint_port": 4444,
                }
                for n in range(1, 60)
            ],
            {"hosts"},
        ),
        ([OTHER | NIGHT], {"hour"}),
    ],
    ids=lambda value: "" if isinstance(value, list) else "-".join(sorted(value)),
)
def test_what_is_odd_about_traffic_raises_its_feature(changed: Events, names: set[str]):
    assert names <= risen(unusual_traffic.SPEC, SENT, [OTHER], changed)


def test_a_new_port_is_rarer_than_a_known_one():
    known = [{**WEB, "dst_endpoint_port": 8443, "traffic_bytes": 10**9, "traffic_packets": 10**6}]
    assert "port" in risen(unusual_traffic.SPEC, SENT, known, [{**known[0], "dst_endpoint_port": 4444}])


@pytest.mark.parametrize(
    ("kind", "arn", "peers"),
    [
        ("IAMUser", "arn:aws:iam::111122223333:user/ada", "users"),
        ("AssumedRole", "arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0", "instances"),
        ("AssumedRole", "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0a/ada", "people"),
        ("AssumedRole", "arn:aws:sts::111122223333:assumed-role/admin/ada@example.com", "people"),
        ("AssumedRole", "arn:aws:sts::111122223333:assumed-role/deploy/botocore-session-1", "programs"),
        ("WebIdentityUser", None, "federated"),
        ("Root", "arn:aws:iam::111122223333:root", "root"),
        ("AWSAccount", None, "others"),
        ("AssumedRole", None, "programs"),
        (None, None, "others"),
    ],
)
def test_peers_are_told_from_the_identity(kind: str | None, arn: str | None, peers: str):
    rows = pl.DataFrame(
        {"actor_user_type": [kind], "actor_user_uid": [arn]},
        schema={"actor_user_type": pl.String, "actor_user_uid": pl.String},
    )
    assert rows.select(PEERS).item() == peers


def test_a_day_of_the_past_is_not_changed_by_what_comes_later():
    later = [{**NEW, "api_operation": "CreateVpc", "time": EXAMPLES_BEGIN + timedelta(days=1)}]
    first = measured(management.SPEC, *HISTORY, NEW)
    detector = management.DETECTORS[0]
    ingest = Ingest(
        [detector], Surroundings(IndicatorStore(), world_of(management.PLACES)), lambda hashes, _: hashes == hashes
    )
    ingest.on_batch(detector.schema, frame_of(detector.schema, [*HISTORY, NEW, *later]))
    shard = Shard([detector], archives=True)
    shard.merge(ingest.drain())
    shard.finish()
    drained = shard.drain_features()["management-calls"]
    of_day = drained.filter(pl.col("window_start").dt.date() == EXAMPLES_BEGIN.date())
    assert management.SPEC.frame(of_day).row(0, named=True) == first
