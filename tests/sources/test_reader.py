"""Reading objects into batches."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from source_samples import ACCOUNT, event, json_lines, log_file, read, read_bytes

from guardray.connectors.failures import failure_of
from guardray.sources.fetching import content_digest
from guardray.sources.objects import InputObject, KeyFilter, locate
from guardray.sources.reader import Batch, Done, Limits, Reader
from guardray.sources.set_aside import SetAside


def files(*counts: int) -> list[bytes]:
    """Log files of so many events each."""
    return [log_file(*(event(eventID=f"{n}-{m}") for m in range(count))) for n, count in enumerate(counts)]


def test_many_small_objects_share_a_batch(tmp_path):
    result = read_bytes(tmp_path, *files(1, 2, 3, 0, 4))
    assert [batch.frame.height for batch in result.batches] == [10]
    assert len(result.done) == result.counts.objects == 5


def test_an_object_is_done_only_after_its_last_row_has_gone_out(tmp_path):
    reader = Reader(Limits(batch_rows=4))
    paths = []
    for number, content in enumerate(files(*[3] * 7)):
        paths.append(tmp_path / f"object-{number}")
        paths[-1].write_bytes(content)
    seen: set[str] = set()
    for item in reader.read(InputObject(url=str(path)) for path in paths):
        if isinstance(item, Batch):
            seen.update(item.frame["metadata_uid"])
        elif isinstance(item, Done):
            number = item.object.url[-1]
            assert {f"{number}-{m}" for m in range(3)} <= seen


FLOW = "2 111122223333 eni-0abc 10.0.0.1 10.0.0.2 443 49152 6 10 840 1714559400 1714559460 ACCEPT OK\n"
QUERY = {
    "account_id": ACCOUNT,
    "query_timestamp": "2024-05-01T10:30:00Z",
    "query_name": "a.example.",
    "srcids": {"instance": "i-0abc"},
}


@pytest.mark.parametrize("batch_rows", [1, 3, 1000])
def test_formats_are_told_apart_whatever_their_order(tmp_path, batch_rows):
    contents = [FLOW.encode() * 2, log_file(event()), json_lines(QUERY), log_file(event()), FLOW.encode(), b"?"]
    result = read_bytes(tmp_path, *contents, reader=Reader(Limits(batch_rows=batch_rows)))
    rows: dict[str, int] = {}
    for batch in result.batches:
        rows[batch.schema.name] = rows.get(batch.schema.name, 0) + batch.frame.height
    assert rows == {"network_activity": 3, "api_activity": 2, "dns_activity": 1}
    assert len(set(result.done)) == len(result.done) == 6


@pytest.mark.parametrize("batch_rows", [1, 7, 1000])
def test_the_rows_do_not_depend_on_the_size_of_batches(tmp_path, batch_rows):
    expected = read_bytes(tmp_path, *files(5, 0, 9, 2)).frame
    found = read_bytes(tmp_path, *files(5, 0, 9, 2), reader=Reader(Limits(batch_rows=batch_rows))).frame
    assert found.equals(expected)


def test_lines_of_a_large_file_come_in_the_order_of_the_file(tmp_path):
    lines = json_lines(*(event(eventID=str(n)) for n in range(20_000)))
    assert len(lines) > 8 << 20  # several chunks
    result = read_bytes(tmp_path, gzip.compress(lines, 1))
    assert result.frame["metadata_uid"].to_list() == [str(n) for n in range(20_000)]


def test_a_copy_of_an_object_is_counted_and_not_read(tmp_path):
    seen: set[int] = set()
    reader = Reader(is_new=lambda digest: digest not in seen and not seen.add(digest))
    one, two = files(1, 2)
    result = read_bytes(tmp_path, one, two, one, reader=reader)
    assert (result.frame.height, result.counts.duplicate_objects, len(result.done)) == (3, 1, 3)


def test_the_digest_of_an_object_fits_64_bits_and_depends_on_content_alone(tmp_path):
    (tmp_path / "a").write_bytes(b"text" * 100_000)
    with (tmp_path / "a").open("rb") as file:
        file.read(10)
        digest = content_digest(file)
        assert file.tell() == 0
    assert digest == content_digest(io.BytesIO(b"text" * 100_000)) < 2**64
    assert digest != content_digest(io.BytesIO(b"text"))


def test_rows_outside_the_filter_are_passed_over(tmp_path):
    rows = [
        event(eventTime=f"2024-05-01T{hour:02}:00:00Z", awsRegion=region, recipientAccountId=account)
        for hour in (9, 10, 11, 12)
        for region in ("us-east-1", "eu-west-1", None)
        for account in (ACCOUNT, "444455556666")
    ]
    wanted = KeyFilter(
        since=datetime(2024, 5, 1, 10, tzinfo=UTC),
        until=datetime(2024, 5, 1, 12, tzinfo=UTC),
        account_ids=frozenset({ACCOUNT}),
        regions=frozenset({"eu-west-1", "ap-south-1"}),
    )
    result = read_bytes(tmp_path, log_file(*rows), reader=Reader(key_filter=wanted))
    assert result.frame["time"].dt.hour().to_list() == [10, 11]
    assert (result.counts.read, result.counts.passed_over) == (len(rows), len(rows) - 2)


def test_digests_and_configuration_snapshots_are_passed_over_by_content(tmp_path):
    digest = b'{"awsAccountId":"111122223333","digestStartTime":"2024-05-01T10:00:00Z","logFiles":[]}'
    result = read_bytes(tmp_path, digest, log_file(event()))
    assert (result.frame.height, result.counts.passed_over, result.aside) == (1, 1, [])


def test_standard_input_is_read(monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(gzip.compress(log_file(event())))))
    assert read(Reader(), locate(["-"], KeyFilter())).frame.height == 1


def test_a_named_pipe_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[gzip.compress(log_file(event()))])
    writer.start()
    assert read(Reader(), locate([str(tmp_path / "pipe")], KeyFilter())).frame.height == 1
    writer.join()


def test_an_object_whose_disk_fails_is_set_aside_with_the_rows_before(tmp_path, monkeypatch):
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 1 << 20:
                raise OSError(5, "Input/output error")
            return super().read(size)

    lines = json_lines(*[event()] * 10_000)
    monkeypatch.setattr("guardray.sources.fetching.open_object", lambda obj, endpoint: Failing(lines))
    result = read(Reader(), [InputObject(url="broken")])
    assert result.frame.height > 5000
    assert result.aside[0].reason == "Input/output error"
    assert result.done == ["broken"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (log_file(event()).decode().encode("utf-16"), "UTF-16"),
        (b"words and words\n", "no known log format"),
        (gzip.compress(b"PK\x03\x04", mtime=0), "zip archive"),
    ],
)
def test_an_object_of_no_known_format_is_set_aside_whole(tmp_path, content, reason):
    result = read_bytes(tmp_path, log_file(event()), content, log_file(event()))
    assert result.frame.height == 2
    assert len(result.done) == 3
    [aside] = result.aside
    assert (aside.position, aside.content) == (None, None)
    assert reason in aside.reason
    assert result.counts.set_aside_objects == 1


@pytest.mark.parametrize("content", [b"", b"\n", gzip.compress(b"", mtime=0), b'{"Records":[]}', b"[]"])
def test_an_object_without_records_is_fine(tmp_path, content):
    result = read_bytes(tmp_path, content)
    assert (result.batches, result.aside, len(result.done)) == ([], [], 1)


def test_a_missing_file_is_set_aside_and_the_others_are_read(tmp_path):
    (tmp_path / "there").write_bytes(log_file(event()))
    urls = [str(tmp_path / name) for name in ("gone", "there")]
    result = read(Reader(), [InputObject(url=url) for url in urls])
    assert [(row.url, row.reason) for row in result.aside] == [(urls[0], "No such file or directory")]
    assert result.done == urls
    assert result.frame.height == 1


def test_complete_lines_before_a_truncation_are_read(tmp_path):
    lines = json_lines(*(event(eventID=str(n)) for n in range(2000)))
    packed = gzip.compress(lines)
    result = read_bytes(tmp_path, packed[: len(packed) // 2])
    [rest, partial] = result.aside
    assert result.frame.height > 500
    assert partial.position == lines.index(b'{"eventVersion"', partial.position)
    assert lines[partial.position :].startswith(partial.content)
    assert (rest.content, rest.reason) == (None, "gzip ends early: the file is truncated")
    assert rest.position == partial.position + len(partial.content)
    assert result.counts.set_aside_objects == 1


def test_complete_records_before_a_truncation_are_read(tmp_path):
    packed = gzip.compress(log_file(*(event(eventID=str(n)) for n in range(2000))))
    result = read_bytes(tmp_path, packed[: len(packed) // 2])
    assert result.frame["metadata_uid"].to_list() == [str(n) for n in range(result.frame.height)]
    assert result.frame.height > 500
    assert len(result.aside) == 2


def test_a_giant_line_is_set_aside_and_the_rest_is_read(tmp_path):
    small, giant = (json.dumps(event(userAgent="x" * size)).encode() for size in (1, 9 << 20))
    content = b"\n".join([small, giant, small])
    result = read_bytes(tmp_path, content, reader=Reader(Limits(max_line_bytes=1 << 20)))
    assert result.frame.height == 2
    [aside] = result.aside
    assert (aside.position, aside.reason) == (len(small) + 1, f"a line of {len(giant) + 1:,} bytes")
    assert aside.content == giant[: 64 * 1024]


def test_a_document_longer_than_the_bound_is_read_up_to_there(tmp_path):
    content = log_file(*(event(eventID=str(n)) for n in range(20)))
    result = read_bytes(tmp_path, content, reader=Reader(Limits(max_document_bytes=len(content) // 2)))
    assert result.frame["metadata_uid"].to_list() == [str(n) for n in range(result.frame.height)]
    assert 8 < result.frame.height < 12
    assert result.aside[0].reason == f"JSON longer than {len(content) // 2:,} bytes"


def test_the_counts_of_two_readers_add_up(tmp_path):
    one = read_bytes(tmp_path, log_file(event(), "?")).counts
    two = read_bytes(tmp_path, log_file(event(), event()), b"?").counts
    total = one + two
    assert (total.read, total.normalised, total.set_aside, total.set_aside_objects, total.objects) == (4, 3, 1, 1, 3)


CONTENTS = [
    log_file(event(), event(eventSource="s3.amazonaws.com", requestParameters={"bucketName": "b"})),
    json_lines(*[event()] * 3),
    json.dumps(event(), indent=1).encode(),
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    base=st.sampled_from(CONTENTS),
    cut=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    insert=st.one_of(st.binary(max_size=40), st.text(max_size=20).map(str.encode), st.sampled_from(CONTENTS)),
    packed=st.booleans(),
)
def test_any_damage_is_survived_and_accounted_for(tmp_path, base, cut, insert, packed):
    start, end = sorted(int(part * len(base)) for part in cut)
    content = base[:start] + insert + base[end:]
    result = read_bytes(tmp_path, log_file(event()), gzip.compress(content) if packed else content, log_file(event()))
    frame = result.frame
    assert frame.height >= 2
    assert (
        frame.select(pl.col("time", "api_operation", "api_service_name", "event_hash").null_count()).row(0) == (0,) * 4
    )
    assert len(result.done) == 3


@pytest.mark.data
def test_all_real_cloudtrail_files_are_read(shared_data):
    result = read(Reader(), locate([str(shared_data / "cloudtrail" / "sans504")], KeyFilter()))
    assert (result.counts.objects, result.counts.normalised, result.aside) == (3872, 30_477, [])
    assert result.frame["event_hash"].n_unique() == 23_981
    assert set(result.frame["event_category"]) == {"Management", "Data"}
    result = read(Reader(), locate([str(shared_data / "cloudtrail" / "stratus")], KeyFilter()))
    assert (result.counts.normalised, result.aside) == (165, [])


@pytest.mark.data
def test_the_slow_way_gives_the_same_rows_as_the_quick_one(shared_data, monkeypatch):
    folder = shared_data / "cloudtrail"
    names = ("stratus", "traildiscover.json.gz", "otrf-ec2-proxy-s3-exfiltration.json.gz")
    sources = [str(folder / name) for name in names]
    quick = read(Reader(), locate(sources, KeyFilter()))
    monkeypatch.setattr("guardray.sources.cloudtrail.decoder.scan", lambda text: None)
    slow = read(Reader(), locate(sources, KeyFilter()))
    assert slow.frame.equals(quick.frame)
    assert slow.counts == quick.counts


FLOW_HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
LONG_FLOW = "2 111122223333 eni-1 10.0.0.5 198.51.100.7 44844 443 6 1 40 1767578400 1767578460 ACCEPT OK"


def test_a_large_file_that_is_written_to_while_it_is_read_is_told_of_and_does_not_count_as_read(tmp_path):
    file = tmp_path / "flow.log"
    file.write_text("\n".join([FLOW_HEADER, *[LONG_FLOW] * 50_000]) + "\n")

    def appended(digest: int) -> bool:
        with file.open("a") as log:
            log.write(LONG_FLOW + "\n")
        return True

    reader = Reader(is_new=appended)
    told = [item for item in reader.read([InputObject(url=str(file))]) if isinstance(item, SetAside)]
    assert [one.reason for one in told] == ["it was written to while it was read"]
    assert failure_of(told[0].reason).comes_again
    assert reader.torn == [str(file)]


def test_one_that_cannot_be_opened_was_not_read_in_part(tmp_path):
    reader = Reader(is_new=lambda digest: True)
    list(reader.read([InputObject(url=str(tmp_path / "gone.json"))]))
    assert reader.torn == []
