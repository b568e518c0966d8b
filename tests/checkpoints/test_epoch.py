"""Epochs in the log: what comes back is what was committed."""

from __future__ import annotations

from datetime import UTC, datetime

from checkpoints.conftest import NOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardray.checkpoints.epoch import Epoch, EpochInput
from guardray.sources.objects import InputObject

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(0, 2**53)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))
OBJECTS = st.builds(
    InputObject,
    url=TEXTS,
    size=st.none() | NUMBERS,
    key_time=st.none() | TIMES,
    account_id=st.none() | st.just("111122223333"),
    region=st.none() | TEXTS,
    refused=st.none() | TEXTS,
    version_id=st.none() | TEXTS,
    start=NUMBERS,
    end=st.none() | NUMBERS,
    written=st.none() | TIMES,
)
INPUTS = st.builds(EpochInput, source=TEXTS, receipt=TEXTS, object=OBJECTS)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(inputs=st.lists(INPUTS, max_size=4).map(tuple), watermark=st.integers(-(2**62), 2**62))
def test_an_epoch_comes_back_from_the_log_as_it_was(writer, store, inputs, watermark):
    epoch = Epoch(
        number=store.epochs.last() + 1,
        inputs=inputs,
        watermark_before=watermark,
        watermark_after=watermark + 1,
        indicators="digest",
    )
    store.epochs.commit(epoch.number, epoch.content(), fence=writer.fence, now=NOW, fold=lambda _: (0, 0))
    (logged,) = store.epochs.after(epoch.number - 1)
    assert Epoch.of(logged.content) == epoch
    again = store.epochs.commit(epoch.number, epoch.content(), fence=writer.fence, now=NOW, fold=lambda _: (1, 1))
    assert again.repeated
