from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.context.intel import IndicatorStore
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.errors import EngineError
from guardray.runtime.engine import CHUNK_BYTES, CHUNK_OBJECTS, RayEngine, chunks
from guardray.sources.objects import InputObject, locate


@given(st.lists(st.integers(0, 3 * CHUNK_BYTES), max_size=40))
def test_chunks_hold_every_object_once_and_in_order(sizes):
    objects = [InputObject(url=str(index), size=size) for index, size in enumerate(sizes)]
    assert [obj for chunk in chunks(objects) for obj in chunk] == objects


def test_a_chunk_ends_when_it_is_large_enough():
    objects = [InputObject(url=str(index), size=CHUNK_BYTES // 2) for index in range(5)]
    assert [len(chunk) for chunk in chunks(objects)] == [2, 2, 1]


def test_a_chunk_of_tiny_objects_ends_by_their_number():
    objects = [InputObject(url=str(index), size=1) for index in range(CHUNK_OBJECTS + 1)]
    assert [len(chunk) for chunk in chunks(objects)] == [CHUNK_OBJECTS, 1]


@pytest.mark.ray
def test_a_missing_file_on_a_worker_is_set_aside_like_in_process(ray_cluster: None, tmp_path: Path):
    settings = ScanSettings(detectors=load_detectors(), indicators=IndicatorStore())
    there = tmp_path / "there.json"
    there.write_text('{"Records": []}')
    gone = InputObject(url=str(tmp_path / "gone.json"), size=10)
    result = RayEngine(settings, workers=1).scan([*locate([str(there)], settings.key_filter), gone], Observer())
    assert result.counts.set_aside_objects == 1


@pytest.mark.ray
def test_a_worker_that_dies_ends_the_scan_with_one_clear_error(ray_cluster: None, tmp_path: Path):
    trail = tmp_path / "trail.json"
    trail.write_text('{"Records": []}')
    settings = ScanSettings(detectors=load_detectors(["Policy:IAMUser/RootCredentialUsage"]), indicators=_Deadly())
    with pytest.raises(EngineError, match="cut short by Ray"):
        RayEngine(settings, workers=1).scan(locate([str(trail)], settings.key_filter), Observer())


def test_engine_tells_what_it_read_by_content_and_not_by_name(make_engine: Callable, tmp_path: Path):
    settings = ScanSettings(detectors=load_detectors(), indicators=IndicatorStore())
    for name, text in {"one": "[]", "same": "[]", "other": "[ ]"}.items():
        (tmp_path / name).write_text(f'{{"Records": {text}}}')
    one, same, both = (
        make_engine(settings).scan(locate([str(tmp_path / name) for name in names], settings.key_filter), Observer())
        for names in (["one"], ["same"], ["one", "other", "same"])
    )
    assert one.objects == same.objects < both.objects
    assert len(both.objects) == 2


class _Deadly(IndicatorStore):
    """Ends the process that unpickles it, as the kernel does when memory runs out."""

    def __reduce__(self):
        return _die, (os.getpid(),)


def _die(driver: int) -> IndicatorStore:
    if os.getpid() != driver:
        os.kill(os.getpid(), signal.SIGKILL)
    return IndicatorStore()
