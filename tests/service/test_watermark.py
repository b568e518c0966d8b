"""How far event time goes while input comes, while none does, and when a service goes on from a checkpoint."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from guardray.checkpoints.epoch import EpochInput
from guardray.connectors.source import Receipt
from guardray.dataflow.event_time import BEGINNING_OF_TIME, microseconds
from guardray.service.watermark import LiveWatermark, Patience
from guardray.sources.objects import InputObject

PATIENCE = Patience(lateness=timedelta(hours=1), disorder=timedelta(minutes=15), idle=timedelta(minutes=30))
BEHIND = PATIENCE.lateness + PATIENCE.disorder
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def delivered(region: str, key_time: datetime) -> EpochInput:
    obj = InputObject(url=f"s3://logs/{region}", account_id="111122223333", region=region, key_time=key_time)
    return EpochInput(source="s3://logs", receipt=Receipt(region), object=obj)


def test_the_slowest_region_holds_event_time_until_it_is_silent_for_long():
    watermark = LiveWatermark(PATIENCE, NOW - timedelta(hours=1))
    watermark.on_done([delivered("eu-west-1", NOW - 5 * MINUTE), delivered("us-east-1", NOW - 90 * MINUTE)], NOW)
    assert watermark.value(NOW) == microseconds(NOW - 90 * MINUTE - BEHIND)
    watermark.on_done([delivered("eu-west-1", NOW + 25 * MINUTE)], NOW + 29 * MINUTE)
    assert watermark.value(NOW + 31 * MINUTE) == microseconds(NOW + 25 * MINUTE - BEHIND)


def test_before_the_first_object_event_time_stands_since_what_lies_there_may_be_old():
    watermark = LiveWatermark(PATIENCE, NOW)
    assert watermark.value(NOW + 29 * MINUTE) == BEGINNING_OF_TIME
    assert watermark.value(NOW + 30 * MINUTE) == microseconds(NOW - BEHIND)


def test_after_a_restart_a_slow_region_still_holds_event_time():
    before = LiveWatermark(PATIENCE, NOW - timedelta(hours=1))
    before.on_done([delivered("eu-west-1", NOW), delivered("us-east-1", NOW - 90 * MINUTE)], NOW)
    later = NOW + timedelta(hours=5)
    after = LiveWatermark(PATIENCE, later, before.value(NOW), json.loads(json.dumps(before.export())))
    after.on_done([delivered("eu-west-1", later)], later)
    assert after.value(later + MINUTE) == microseconds(NOW - 90 * MINUTE - BEHIND)


def test_after_hours_of_standstill_event_time_waits_for_what_has_come_meanwhile():
    reached = microseconds(NOW - BEHIND)
    later = NOW + timedelta(hours=5)
    assert LiveWatermark(PATIENCE, later, reached).value(later + MINUTE) == reached


def test_what_has_come_and_cannot_be_read_holds_event_time():
    watermark = LiveWatermark(PATIENCE, NOW - timedelta(hours=1))
    watermark.on_done([delivered("eu-west-1", NOW)], NOW)
    missed = NOW - 5 * MINUTE
    assert watermark.value(NOW, missed) == microseconds(missed - BEHIND)
    assert watermark.value(NOW) == microseconds(NOW - BEHIND)


def test_after_a_restart_event_time_stands_until_what_was_handed_out_before_has_come_again():
    reached = microseconds(NOW - timedelta(hours=9))
    watermark = LiveWatermark(PATIENCE, NOW, reached)
    watermark.listen(NOW, comes_again=5 * MINUTE)
    watermark.on_done([delivered("eu-west-1", NOW)], NOW)
    assert watermark.value(NOW + 4 * MINUTE) == reached
    assert watermark.value(NOW + 5 * MINUTE) == microseconds(NOW - BEHIND)
