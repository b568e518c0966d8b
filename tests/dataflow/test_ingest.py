from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from guardray.context.enrich import Surroundings
from guardray.dataflow.ingest import Ingest
from guardray.detectors.ec2 import port_sweep
from guardray.detectors.ec2.connections import flow
from guardray.detectors.iam import root_credential_usage
from guardray.detectors.loader import load_detectors
from guardray.errors import DetectorError
from guardray.intel.store import IndicatorStore
from guardray.schema import api_activity, network_activity
from guardray.shards.deduplicator import Deduplicator
from guardray.testing import findings_from, frame_of

ROOT = root_credential_usage.DETECTOR
BROKEN = replace(ROOT, finding_type="Policy:IAMUser/Broken", where=pl.col("no_such_column") == 1)


def ingest(*detectors) -> Ingest:
    return Ingest(detectors, Surroundings(), Deduplicator().first_seen)


def test_a_detector_that_fails_is_named_and_the_others_go_on():
    worker = ingest(BROKEN, ROOT)
    worker.on_batch(api_activity.SCHEMA, frame_of(api_activity.SCHEMA, [root_credential_usage.ROOT_CALL]))
    assert [problem.finding_type for problem in worker.problems] == ["Policy:IAMUser/Broken"]
    assert [sighting.key.finding_type for sighting in worker.drain().sightings] == [ROOT.finding_type]


def test_a_detector_that_failed_is_not_reported_again_on_the_next_batch():
    worker = ingest(BROKEN, ROOT)
    for index in range(2):
        rows = [{**root_credential_usage.ROOT_CALL, "event_hash": index}]
        worker.on_batch(api_activity.SCHEMA, frame_of(api_activity.SCHEMA, rows))
    assert len(worker.problems) == 1
    assert sum(sighting.count for sighting in worker.drain().sightings) == 2


def test_a_detector_that_cannot_describe_its_finding_is_named():
    def details(row):
        return row["no such column"]

    with pytest.raises(DetectorError, match="RootCredentialUsage"):
        findings_from(replace(ROOT, details=details), frame_of(api_activity.SCHEMA, [root_credential_usage.ROOT_CALL]))


def test_an_event_delivered_twice_counts_once_in_one_batch_and_over_two():
    worker = ingest(ROOT)
    call = {**root_credential_usage.ROOT_CALL, "event_hash": 7, "time": frame_of(api_activity.SCHEMA, [{}])["time"][0]}
    worker.on_batch(api_activity.SCHEMA, frame_of(api_activity.SCHEMA, [call, call]))
    worker.on_batch(api_activity.SCHEMA, frame_of(api_activity.SCHEMA, [call]))
    assert [sighting.count for sighting in worker.drain().sightings] == [1]
    assert worker.duplicates == 2


def test_an_empty_batch_gives_nothing():
    worker = Ingest(load_detectors(), Surroundings(), lambda hashes, times: np.ones(len(hashes), bool))
    worker.on_batch(api_activity.SCHEMA, api_activity.SCHEMA.frame())
    assert worker.drain().sightings == []


def test_networks_with_the_same_private_addresses_are_kept_apart_where_the_log_names_no_interface():
    """Half a sweep in each of two accounts is no sweep."""
    targets = range(port_sweep.TARGETS * 6 // 10)
    rows = [
        flow(
            target=f"198.51.100.{half * len(targets) + host}",
            dst_endpoint_port=23,
            interface_uid=None,
            instance_uid=None,
            cloud_account_uid=account,
        )
        for half, account in enumerate(("111122223333", "444455556666"))
        for host in targets
    ]
    assert findings_from(port_sweep.DETECTOR, frame_of(network_activity.SCHEMA, rows)) == []
    in_one = [{**row, "cloud_account_uid": "111122223333"} for row in rows]
    (finding,) = findings_from(port_sweep.DETECTOR, frame_of(network_activity.SCHEMA, in_one))
    assert finding.account_id == "111122223333"


def test_an_address_on_a_list_is_looked_up_once_however_many_rows_name_it(monkeypatch: pytest.MonkeyPatch):
    asked = []
    matches = IndicatorStore.matches
    monkeypatch.setattr(IndicatorStore, "matches", lambda *of, **whose: asked.append(of[1]) or matches(*of, **whose))
    (detector,) = load_detectors(["Backdoor:EC2/C&CActivity.B"])
    rows = [flow(src_endpoint_port=port) for port in range(40_000, 40_100)]
    (finding,) = findings_from(
        detector, frame_of(network_activity.SCHEMA, rows), IndicatorStore.of({"198.51.100.7": "c2"})
    )
    assert (finding.count, len(asked)) == (100, 1)


def test_a_detector_whose_hits_cannot_be_folded_is_switched_off_and_the_others_go_on():
    nameless = replace(ROOT, finding_type="Policy:IAMUser/Nameless", entity=("no_such_column",))
    worker = ingest(nameless, ROOT)
    for index in range(2):
        rows = [{**root_credential_usage.ROOT_CALL, "event_hash": index}]
        worker.on_batch(api_activity.SCHEMA, frame_of(api_activity.SCHEMA, rows))
        assert [sighting.key.finding_type for sighting in worker.drain().sightings] == [ROOT.finding_type]
    (problem,) = worker.problems
    assert problem.finding_type == "Policy:IAMUser/Nameless"
    assert "is switched off" in str(problem)
