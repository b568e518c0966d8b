"""Files of findings: whole lines only, whatever broke off before."""

from __future__ import annotations

import json
import resource
import threading
from datetime import UTC, datetime, timedelta

import pytest
from finding_examples import c2_domain, one_of_each, ssh_brute_force
from hypothesis import given
from hypothesis import strategies as st
from publish.conftest import send

from guardray.findings.wire import to_json
from guardray.publish.kinds.file import append

NOW = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)


@pytest.fixture
def folder(config):
    (one,) = config("name: f, kind: file, folder: out/findings")
    return one


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_there_is_a_file_a_day_with_a_finding_a_line(folder, deliveries, tmp_path):
    send(folder, deliveries(*one_of_each()), NOW, tmp_path)
    send(folder, deliveries(ssh_brute_force(count=2)), NOW, tmp_path)
    send(folder, deliveries(c2_domain()), NOW + timedelta(minutes=1), tmp_path)
    first, second = sorted((tmp_path / "out" / "findings").iterdir())
    assert (first.name, second.name) == ("findings-2026-03-01.jsonl", "findings-2026-03-02.jsonl")
    assert lines(first) == [to_json(finding) for finding in [*one_of_each(), ssh_brute_force(count=2)]]
    assert lines(second) == [to_json(c2_domain())]


def test_a_line_that_was_cut_is_taken_off_before_more_come(folder, deliveries, tmp_path):
    send(folder, deliveries(c2_domain()), NOW, tmp_path)
    path = tmp_path / "out" / "findings" / "findings-2026-03-01.jsonl"
    path.write_bytes(path.read_bytes() + b'{"half": ')
    send(folder, deliveries(ssh_brute_force()), NOW, tmp_path)
    assert lines(path) == [to_json(c2_domain()), to_json(ssh_brute_force())]


@given(whole=st.lists(st.integers(0, 200_000), max_size=3), torn=st.integers(0, 200_000))
def test_any_tail_is_cut_back_to_the_last_whole_line(tmp_path_factory, whole, torn):
    path = tmp_path_factory.mktemp("lines") / "a"
    kept = b"".join(b"x" * length + b"\n" for length in whole)
    path.write_bytes(kept + b"y" * torn)
    append(path, b"z\n")
    assert path.read_bytes() == kept + b"z\n"


def test_a_full_disk_fails_all_and_leaves_no_part_of_a_line(folder, deliveries, tmp_path):
    send(folder, deliveries(c2_domain()), NOW, tmp_path)
    path = tmp_path / "out" / "findings" / "findings-2026-03-01.jsonl"
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, limits[1]))
    try:
        outcomes = send(folder, deliveries(*one_of_each()), NOW, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert [failure.reason.rpartition(": ")[2] for failure in outcomes] == ["File too large"] * 4
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told(config, deliveries, tmp_path):
    (tmp_path / "taken").write_text("a file")
    (one,) = config("name: f, kind: file, folder: taken/below")
    (failure,) = send(one, deliveries(c2_domain()), NOW, tmp_path)
    assert failure.reason == f"{tmp_path / 'taken' / 'below'}: Not a directory"


def test_many_writers_mix_no_lines(tmp_path):
    path = tmp_path / "a"
    writers = [
        threading.Thread(target=lambda n=n: [append(path, b"%d" % n * 9000 + b"\n") for _ in range(20)])
        for n in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {(len(line), len(set(line))) for line in path.read_bytes().splitlines()} == {(9000, 1)}
    assert path.stat().st_size == 4 * 20 * 9001
