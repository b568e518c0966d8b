"""Checkpoints: what is written comes back, only what changed is written, and what is old goes."""

from __future__ import annotations

import resource
from contextlib import contextmanager

import pyarrow as pa
import pytest
from checkpoints.conftest import LARGE, NOW, Writer, files, tables

from guardray.checkpoints.checkpoints import KEPT
from guardray.checkpoints.parts import read_part, write_part
from guardray.errors import FencedError, StateError
from guardray.store.service import ServiceStore


def assert_holds(writer: Writer, epoch: int) -> None:
    """The newest checkpoint is of this epoch, with the tables and the content that it was given."""
    manifest = writer.checkpoints.restore().manifest
    assert (manifest.epoch, manifest.shards, manifest.content) == (epoch, 2, {"epoch": epoch})
    for shard in (0, 1):
        found = read_part(writer.url, manifest, f"shard-{shard}")
        assert list(found) == list(tables(epoch))
        for name, table in tables(epoch).items():
            assert found[name].equals(table, check_metadata=True), name


def test_a_new_store_has_nothing_to_go_on_from(writer):
    restored = writer.checkpoints.restore()
    assert (restored.manifest, restored.damaged) == (None, ())


def test_the_newest_checkpoint_is_restored_as_it_was_written(writer, start):
    for epoch in (1, 2):
        writer.write(epoch)
    assert_holds(start(), 2)


def test_registration_is_the_same_on_each_database(store_url, root):
    with ServiceStore.open(store_url) as store:
        writer = Writer(str(root), store)
        for epoch in range(1, 6):
            writer.write(epoch)
            writer.checkpoints.clean()
        assert [one.number for one in store.checkpoints.all()] == [5, 4, 3]
        assert_holds(Writer(str(root), store), 5)
        with pytest.raises(FencedError, match="another process"):
            writer.write(6)


def test_checkpoints_lie_in_a_bucket_as_in_a_folder(aws, bucket, store):
    host = aws.removeprefix("http://")
    url = f"s3://{bucket}/state?endpoint_override={host}&scheme=http&region=eu-west-1"
    writer = Writer(url, store)
    for epoch in range(1, 6):
        writer.write(epoch)
        writer.checkpoints.clean()
    assert_holds(Writer(url, store), 5)
    numbers = {file.path.partition("/")[0] for file in writer.checkpoints._place.files()}
    assert numbers == {f"00000001-0000000{number}" for number in (1, 3, 4, 5)}, "of the first, the table that stays"


def test_dictionaries_and_nested_columns_come_back(writer):
    dictionaries = pa.chunked_array([pa.array(["a", "b"]).dictionary_encode(), pa.array(["c"]).dictionary_encode()])
    table = pa.table({"d": dictionaries, "nested": [[1, 2], None, []], "struct": [{"x": 1}, {"x": None}, None]})
    writer.commit(1)
    draft = writer.checkpoints.begin()
    writer.finish(draft, [write_part(draft, "coordinator", {"held": table, "none": pa.table({})})], 1)
    found = read_part(writer.url, writer.checkpoints.restore().manifest, "coordinator")
    assert found["held"].to_pylist() == table.to_pylist()
    assert (found["held"].schema, found["none"].num_columns) == (table.schema, 0)


class TestOnlyWhatChangedIsWritten:
    def test_a_large_table_that_stays_is_not_written_again(self, writer, root):
        writer.write(1)
        earlier = files(root)
        writer.write(2)
        new = files(root) - earlier
        assert sorted(name.rpartition(".")[2] for name in new) == ["arrows", "arrows", "json"]

    def test_nothing_but_the_manifest_is_written_when_nothing_changed(self, writer, root):
        writer.write(1)
        draft = writer.checkpoints.begin()
        writer.finish(draft, writer.parts(draft, epoch=1), 1)
        assert {name for name in files(root) if "-00000002/" in name} == {"00000001-00000002/manifest.json"}

    def test_pieces_that_stay_are_not_written_again(self, writer, root):
        def halves(_name, table):
            return [table.slice(0, 80_000), table.slice(80_000)]

        writer.commit(1)
        for number in (1, 2):
            table = pa.concat_tables([LARGE, LARGE.slice(number)])
            draft = writer.checkpoints.begin()
            writer.finish(draft, [write_part(draft, "shard-0", {"a": table}, halves)], 1)
        manifest = writer.checkpoints.restore().manifest
        assert [file.partition("/")[0] for file in sorted(manifest.files())] == [
            "00000001-00000001",
            "00000001-00000002",
        ]
        assert read_part(writer.url, manifest, "shard-0")["a"].equals(table)

    def test_bytes_are_of_all_that_is_needed_to_restore(self, writer):
        first, second = writer.write(1), writer.write(2)
        assert second.bytes == pytest.approx(first.bytes, rel=0.01)


class TestCleaning:
    def test_the_newest_are_kept_and_files_that_they_share(self, writer, root):
        for epoch in range(1, 6):
            writer.write(epoch)
        done = writer.checkpoints.clean()
        assert (done.checkpoints, done.epochs) == ((2, 1), 3)
        folders = {name.partition("/")[0] for name in files(root)}
        assert folders == {f"00000001-0000000{number}" for number in (1, 3, 4, 5)}
        assert_holds(writer, 5)

    def test_what_no_checkpoint_shares_any_more_goes(self, writer, root):
        writer.write(1)
        for epoch in range(2, 5):
            writer.write(epoch, large=LARGE.slice(1))
        assert writer.checkpoints.clean().files == 5, "a manifest, and of each shard small tables and a large one"
        assert not any(name.startswith("00000001-00000001") for name in files(root))
        assert not (root / "00000001-00000001").exists()

    def test_nothing_is_cleaned_before_there_are_enough(self, writer, root):
        for epoch in range(1, KEPT + 1):
            writer.write(epoch)
        before = files(root)
        assert writer.checkpoints.clean().files == 0
        assert files(root) == before

    def test_what_a_killed_writer_left_goes_once_the_next_one_has_written(self, writer, start, root):
        writer.write(1)
        writer.parts(writer.checkpoints.begin(), epoch=2, large=LARGE.slice(1))
        later = start()
        later.write(2)
        later.checkpoints.clean()
        assert not any(name.startswith("00000001-00000002") for name in files(root))
        assert_holds(later, 2)

    def test_a_writer_that_was_cut_off_deletes_nothing(self, writer, start, root):
        for epoch in range(1, 6):
            writer.write(epoch)
        later, before = start(), files(root)
        with pytest.raises(FencedError, match="another process"):
            writer.checkpoints.clean()
        assert files(root) == before
        assert_holds(later, 5)

    def test_files_that_are_not_ours_stay(self, writer, root):
        writer.write(1)
        (root / "notes.txt").write_text("mine")
        writer.checkpoints.clean()
        assert "notes.txt" in files(root)

    def test_an_abandoned_checkpoint_leaves_no_file(self, writer, root):
        writer.write(1)
        before = files(root)
        draft = writer.checkpoints.begin()
        writer.parts(draft, epoch=2, large=LARGE.slice(1))
        writer.checkpoints.abandon(draft)
        assert files(root) == before

    def test_one_that_counts_cannot_be_abandoned(self, writer):
        writer.commit(1)
        draft = writer.checkpoints.begin()
        writer.finish(draft, writer.parts(draft, epoch=1), 1)
        writer.checkpoints.abandon(draft)
        assert_holds(writer, 1)


class TestAcknowledging:
    def test_inputs_are_safe_when_two_checkpoints_hold_them(self, writer):
        safe = [writer.checkpoints.safe_epoch()]
        for epoch in (1, 2, 3):
            writer.write(epoch)
            safe.append(writer.checkpoints.safe_epoch())
        assert safe == [0, 0, 1, 2]

    def test_all_epochs_after_the_oldest_checkpoint_can_be_processed_again(self, writer, store):
        for epoch in range(1, 7):
            writer.write(epoch)
            writer.checkpoints.clean()
        oldest = store.checkpoints.all()[-1]
        assert [epoch.number for epoch in store.epochs.after(oldest.epoch)] == [5, 6]


class TestWritersThatWereCutOff:
    def test_one_cannot_make_its_checkpoint_count(self, writer, start):
        writer.write(1)
        draft = writer.checkpoints.begin()
        parts = writer.parts(draft, epoch=1)
        later = start()
        with pytest.raises(FencedError, match="another process"):
            writer.finish(draft, parts, 1)
        assert later.checkpoints.restore().manifest.number == 1

    def test_two_that_write_at_once_write_into_folders_of_their_own(self, writer, start):
        writer.write(1)
        old = writer.checkpoints.begin()
        later = start()
        new = later.checkpoints.begin()
        assert old.number == new.number
        later.commit(2)
        later.finish(new, later.parts(new, epoch=2), 2)
        writer.parts(old, epoch=99)
        assert_holds(later, 2)


class TestFailures:
    @contextmanager
    def full_disk(self):
        """No file may grow beyond 100 kB, which the system refuses as it refuses writing to a full disk."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    def test_a_full_disk_fails_the_checkpoint_and_the_service_goes_on(self, writer, root):
        writer.write(1)
        before = files(root)
        draft = writer.checkpoints.begin()
        with self.full_disk(), pytest.raises(StateError, match=r"-00000002/shard-0/\w+\.arrow: File too large"):
            writer.parts(draft, epoch=2, large=LARGE.slice(1))
        writer.checkpoints.abandon(draft)
        assert files(root) == before
        assert_holds(writer, 1)
        writer.write(2)
        assert_holds(writer, 2)

    def test_a_bucket_that_is_not_there_is_named(self, aws, bucket, store):
        host = aws.removeprefix("http://")
        url = f"s3://{bucket}-gone/state?endpoint_override={host}&scheme=http&region=eu-west-1"
        writer = Writer(url, store)
        with pytest.raises(StateError, match=rf"^s3://{bucket}-gone/state/00000001-00000001/"):
            writer.write(1)
        assert store.checkpoints.all() == []

    def test_a_folder_that_is_a_file_is_named(self, store, tmp_path):
        (tmp_path / "file").write_text("not a folder")
        with pytest.raises(StateError, match="Not a directory"):
            Writer(str(tmp_path / "file"), store).write(1)

    def test_a_place_that_no_file_system_knows_is_refused(self, store):
        with pytest.raises(StateError, match="gopher"):
            Writer("gopher://somewhere/else", store)

    def test_numbers_of_failed_checkpoints_are_not_used_again(self, writer):
        writer.checkpoints.abandon(writer.checkpoints.begin())
        assert writer.write(1).number == 2


def test_created_at_is_kept(writer, store):
    writer.write(1)
    assert store.checkpoints.all()[0].created_at == NOW
