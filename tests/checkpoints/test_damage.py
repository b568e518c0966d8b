"""Damaged files: told of, and the checkpoint before is used; state of other versions is refused in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from checkpoints.conftest import LARGE, NOW, files

from guardray.checkpoints.checkpoints import Checkpoints
from guardray.checkpoints.manifest import digest_of
from guardray.checkpoints.parts import read_part
from guardray.checkpoints.versions import STATE_VERSION, bring_up, check_version
from guardray.errors import DamagedStateError, FencedError, RefusedStateError, StateError


@pytest.fixture
def written(writer, root):
    """Two checkpoints that share no file."""
    writer.write(1)
    writer.write(2, large=LARGE.slice(1))
    return writer


def newest_files(root: Path) -> list[str]:
    return sorted(name for name in files(root) if name.startswith("00000001-00000002"))


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("position", [0, 300, -1])
def test_one_changed_byte_in_any_file_leads_to_the_checkpoint_before(written, start, root, index, position):
    assert len(newest_files(root)) == 5, "a manifest, and of each shard small tables and a large one"
    name = newest_files(root)[index]
    flip(root / name, position)
    restored = start().checkpoints.restore()
    assert restored.manifest.number == 1
    assert [str(damage) for damage in restored.damaged] == [f"{root}/{name}: its bytes are not those that were written"]


@pytest.mark.parametrize("index", range(5))
def test_a_missing_file_leads_to_the_checkpoint_before(written, start, root, index):
    name = newest_files(root)[index]
    (root / name).unlink()
    restored = start().checkpoints.restore()
    assert (restored.manifest.number, str(restored.damaged[0])) == (1, f"{root}/{name}: it is missing")


@pytest.mark.parametrize("length", [0, 200])
def test_a_file_that_was_cut_short_leads_to_the_checkpoint_before(written, start, root, length):
    path = root / next(name for name in newest_files(root) if name.endswith(".arrow"))
    path.write_bytes(path.read_bytes()[:length])
    assert start().checkpoints.restore().manifest.number == 1


def test_a_shard_that_reads_a_damaged_part_names_the_file(written, root):
    manifest = written.checkpoints.restore().manifest
    name = next(name for name in newest_files(root) if name.endswith(".arrow"))
    flip(root / name, 100)
    with pytest.raises(DamagedStateError, match=name):
        read_part(written.url, manifest, "shard-0")


def test_a_damaged_checkpoint_holds_nothing_safe(written, start, root):
    assert written.checkpoints.safe_epoch() == 1
    (root / newest_files(root)[0]).unlink()
    later = start()
    later.checkpoints.restore()
    assert later.checkpoints.safe_epoch() == 0


def test_a_damaged_checkpoint_goes_when_a_newer_one_counts(written, start, root, store):
    flip(root / newest_files(root)[0], 0)
    later = start()
    later.checkpoints.restore()
    later.checkpoints.clean()
    assert len(newest_files(root)) == 5, "it is kept for whoever wants to look, until there is a newer one"
    later.write(3)
    later.checkpoints.clean()
    assert newest_files(root) == []
    assert [one.number for one in store.checkpoints.all()] == [3, 1]


def test_cleaning_passes_over_a_manifest_that_is_damaged(written, start, root, store):
    (root / "00000001-00000001/manifest.json").unlink()
    later = start()
    later.write(3)
    later.checkpoints.clean()
    assert [one.number for one in store.checkpoints.all()] == [3, 2]


def test_a_checkpoint_after_a_damaged_one_needs_nothing_of_it(written, start, root):
    for name in newest_files(root):
        (root / name).unlink()
    later = start()
    assert later.checkpoints.restore().manifest.number == 1
    later.write(3, large=LARGE.slice(1))
    assert later.checkpoints.restore().manifest.number == 3


def test_none_that_is_sound_is_a_clear_error(written, start, root):
    for path in root.rglob("manifest.json"):
        path.unlink()
    with pytest.raises(
        RefusedStateError, match=r"no checkpoint can be restored \(checkpoint 2: .*; checkpoint 1: .*state reset"
    ):
        start().checkpoints.restore()
    with pytest.raises(RefusedStateError, match="no checkpoint can be restored"):
        start().checkpoints.restore()


def test_what_cannot_be_read_for_the_moment_is_not_called_damaged(written, root, store, monkeypatch):
    """A bucket that is out of reach for a minute must not cost a checkpoint: nobody listens at that port."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    url = "s3://bucket/state?endpoint_override=127.0.0.1:9&scheme=http&region=eu-west-1"
    checkpoints = Checkpoints(url, store, written.fence)
    with pytest.raises(StateError) as caught:
        checkpoints.restore()
    assert not isinstance(caught.value, DamagedStateError)
    assert all(one.damage is None for one in store.checkpoints.all())


class TestVersions:
    def rewrite(self, root: Path, store, fence: int, version: int) -> None:
        """The newest manifest as a program of another version would have written and registered it."""
        (registered,) = store.checkpoints.all()
        manifest = root / registered.folder / "manifest.json"
        data = json.dumps(json.loads(manifest.read_text()) | {"state_version": version, "guardray": "9.9"}).encode()
        manifest.write_bytes(data)
        store.checkpoints.forget([registered.number], fence=fence)
        store.checkpoints.register(
            type(registered)(
                **{
                    **{name: getattr(registered, name) for name in registered.__dataclass_fields__},
                    "digest": digest_of(data),
                }
            )
        )

    def test_newer_state_is_refused_and_not_called_damaged(self, writer, start, root, store):
        writer.write(1)
        self.rewrite(root, store, writer.fence, STATE_VERSION + 1)
        told = (
            rf"guardray 9\.9 wrote this state, of version {STATE_VERSION + 1}, and this program knows {STATE_VERSION}"
        )
        with pytest.raises(RefusedStateError, match=told):
            start().checkpoints.restore()
        assert store.checkpoints.all()[0].damage is None

    def test_older_state_without_a_way_up_is_refused_with_what_to_do(self, writer, start, root, store):
        writer.write(1)
        self.rewrite(root, store, writer.fence, 0)
        with pytest.raises(
            RefusedStateError, match=r"cannot bring it to \d: use that guardray, or begin .* `guardray state reset`"
        ):
            start().checkpoints.restore()

    def test_state_of_the_version_before_is_gone_on_from(self, writer, start, root, store):
        writer.write(1)
        self.rewrite(root, store, writer.fence, STATE_VERSION - 1)
        assert start().checkpoints.restore().manifest.epoch == 1

    def test_older_state_is_brought_up_step_by_step(self):
        steps = {
            number: lambda part, tables, number=number: {**tables, f"{part}-{number}": tables["a"]} for number in (3, 4)
        }
        check_version(STATE_VERSION, "0.1", "here", steps)
        assert list(bring_up("shard-0", {"a": LARGE}, 3, wanted=5, migrations=steps)) == ["a", "shard-0-3", "shard-0-4"]


def test_a_writer_that_was_cut_off_cannot_call_anything_damaged(written, start):
    start()
    with pytest.raises(FencedError, match="another process"):
        written.checkpoints.reject(2, DamagedStateError("file", "it is missing"))


def test_the_time_of_a_checkpoint_is_in_its_manifest(written):
    assert written.checkpoints.restore().manifest.created_at == NOW
