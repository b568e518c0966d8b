"""Whatever course things take, what is restored is the newest checkpoint that nothing happened to."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from checkpoints.conftest import LARGE, Writer, tables
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from guardray.checkpoints.parts import read_part
from guardray.store.service import ServiceStore

SIZES = st.integers(0, 2)
"""How many rows the large table lacks: a few different ones come by turns."""


class Course(RuleBasedStateMachine):
    """Checkpoints are written, fail, are cleaned and damaged, and writers follow one another."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = ServiceStore.open(str(self.folder / "findings.db"))
        self.epoch = 0
        self.sound: dict[int, tuple[int, int]] = {}
        """Epoch and size of those that count, by number."""
        self.start()

    def start(self) -> None:
        self.writer = Writer(str(self.folder / "checkpoints"), self.store)

    @rule(missing=SIZES)
    def write(self, missing: int) -> None:
        self.epoch += 1
        registered = self.writer.write(self.epoch, large=LARGE.slice(missing))
        self.sound[registered.number] = self.epoch, missing

    @rule(missing=SIZES, abandoned=st.booleans())
    def fail(self, missing: int, abandoned: bool) -> None:
        draft = self.writer.checkpoints.begin()
        self.writer.parts(draft, 99, large=LARGE.slice(missing))
        if abandoned:
            self.writer.checkpoints.abandon(draft)

    @rule()
    def another_writer_starts(self) -> None:
        self.start()

    @rule()
    def clean(self) -> None:
        self.writer.checkpoints.clean()
        kept = {one.number for one in self.store.checkpoints.all()}
        assert set(sorted(self.sound)[-3:]) <= kept
        self.sound = {number: held for number, held in self.sound.items() if number in kept}

    @precondition(lambda self: len(self.sound) > 1)
    @rule()
    def the_newest_is_damaged(self) -> None:
        """Its manifest is, which no other checkpoint shares."""
        newest = max(self.sound)
        folder = next(one.folder for one in self.store.checkpoints.all() if one.number == newest)
        (self.folder / "checkpoints" / folder / "manifest.json").write_bytes(b"{}")
        del self.sound[newest]
        self.start()
        assert len(self.writer.checkpoints.restore().damaged) == 1

    @invariant()
    def the_newest_sound_one_is_restored(self) -> None:
        manifest = self.writer.checkpoints.restore().manifest
        if not self.sound:
            assert manifest is None
            return
        epoch, missing = self.sound[max(self.sound)]
        assert manifest.epoch == epoch
        held = read_part(self.writer.url, manifest, "shard-1")
        expected = tables(epoch, large=LARGE.slice(missing))
        assert all(held[name].equals(table) for name, table in expected.items())

    @invariant()
    def what_is_safe_can_be_restored_twice(self) -> None:
        twice = sorted(self.sound)[-2:]
        assert self.writer.checkpoints.safe_epoch() == (self.sound[twice[0]][0] if len(twice) == 2 else 0)

    @invariant()
    def all_that_is_missing_in_a_checkpoint_is_in_the_log(self) -> None:
        for epoch, _ in self.sound.values():
            assert [one.number for one in self.store.epochs.after(epoch)] == [*range(epoch + 1, self.epoch + 1)]

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)


TestCourse = Course.TestCase
TestCourse.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
