from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from guardray.dataflow.event_time import BEGINNING_OF_TIME, END_OF_TIME, microseconds
from guardray.dataflow.scan import Watermark
from guardray.sources.objects import InputObject

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def dated(name: str, hours: int) -> InputObject:
    return InputObject(url=name, key_time=NOON + hours * HOUR)


def test_watermark_stands_still_while_an_undated_object_is_unread():
    undated, first = InputObject(url="undated"), dated("first", 0)
    watermark = Watermark([undated, first], HOUR)
    watermark.done(first)
    assert watermark.value == BEGINNING_OF_TIME


def test_watermark_follows_the_oldest_unread_object_when_later_ones_are_done_first():
    first, second, third = dated("a", 0), dated("b", 1), dated("c", 2)
    watermark = Watermark([first, second, third], HOUR)
    watermark.done(second)
    assert watermark.value == microseconds(NOON - HOUR)
    watermark.done(first)
    assert watermark.value == microseconds(NOON + 2 * HOUR - HOUR)


def test_watermark_is_the_end_of_time_when_all_is_read():
    assert Watermark([], HOUR).value == END_OF_TIME


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.randoms())
def test_watermark_never_passes_an_unread_object_and_never_goes_back(hours, random):
    objects = [dated(str(index), hour) for index, hour in enumerate(hours)]
    watermark = Watermark(objects, HOUR)
    unread = list(objects)
    random.shuffle(unread)
    reached = watermark.value
    while unread:
        watermark.done(unread.pop())
        assert watermark.value >= reached
        reached = watermark.value
        assert all(reached <= microseconds(obj.key_time - HOUR) for obj in unread)
