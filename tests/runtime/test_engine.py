from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import ray
from hypothesis import given
from hypothesis import strategies as st

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.errors import EngineError, UsageError
from guardray.intel.store import IndicatorStore
from guardray.runtime.cluster import cluster
from guardray.runtime.engine import CHUNK_BYTES, CHUNK_OBJECTS, RayEngine, chunks, named_for_all
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
@pytest.mark.timeout(120)
def test_more_workers_than_cores_read_everything_with_those_that_there_is_room_for(
    ray_cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("guardray.runtime.engine.CHUNK_OBJECTS", 1)
    for index in range(12):
        (tmp_path / str(index)).write_text(f'{{"Records": [{" " * index}]}}')
    settings = ScanSettings(detectors=load_detectors(), indicators=IndicatorStore())
    result = RayEngine(settings, workers=6).scan(locate([str(tmp_path)], settings.key_filter), Observer())
    assert result.counts.objects == 12


@pytest.mark.ray
def test_a_cluster_without_a_free_core_is_said_so(ray_cluster: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("guardray.runtime.engine.START_TIMEOUT_S", 2.0)
    occupant = ray.remote(num_cpus=2)(_Occupant).remote()
    try:
        ray.get(occupant.here.remote())
        with pytest.raises(UsageError, match="no free core"):
            RayEngine(ScanSettings(detectors=(), indicators=IndicatorStore())).scan([], Observer())
    finally:
        ray.kill(occupant)


def test_an_address_at_which_nobody_listens_is_refused_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(UsageError, match=r"joined at 127\.0\.0\.1:1: .*refused"), cluster("127.0.0.1:1"):
        pytest.fail("there is no cluster")


def test_a_running_cluster_is_not_asked_to_read_standard_input():
    settings = ScanSettings(detectors=(), indicators=IndicatorStore())
    with pytest.raises(UsageError, match="standard input"):
        RayEngine(settings, address="auto").scan([InputObject(url="-")], Observer())


def test_a_running_cluster_gets_names_that_hold_in_every_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    objects = [InputObject(url="trail.json"), InputObject(url="s3://bucket/key"), InputObject(url="/logs/trail.json")]
    expected = [f"{tmp_path}/trail.json", "s3://bucket/key", "/logs/trail.json"]
    assert [named_for_all(obj).url for obj in objects] == expected


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
    read = make_engine(settings).scan(locate([str(tmp_path)], settings.key_filter), Observer()).objects
    alone = LocalEngine(settings).scan(locate([str(tmp_path / "same")], settings.key_filter), Observer()).objects
    assert (len(alone), len(read)) == (1, 2)
    assert alone < read


class _Occupant:
    """Holds its cores for as long as it lives."""

    def here(self) -> None:
        pass


class _Deadly(IndicatorStore):
    """Ends the process that unpickles it, as the kernel does when memory runs out."""

    def __reduce__(self):
        return _die, (os.getpid(),)


def _die(driver: int) -> IndicatorStore:
    if os.getpid() != driver:
        os.kill(os.getpid(), signal.SIGKILL)
    return IndicatorStore()
