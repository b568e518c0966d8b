"""The coordinator's side of checkpoints: begin one, make it count, clean up old ones, and go on from the newest.

Files count for nothing until the findings database names their manifest, which it does only for the one writer. So a
writer that was cut off can neither add a checkpoint nor change one: each writer has folders of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from guardray import __version__
from guardray.checkpoints.cleaning import Cleaned, clean
from guardray.checkpoints.manifest import MANIFEST, Manifest, Part, decode_manifest, digest_of, encode_manifest
from guardray.checkpoints.parts import Draft, check_files
from guardray.checkpoints.place import Place
from guardray.checkpoints.versions import STATE_VERSION
from guardray.errors import DamagedStateError, RefusedStateError, StateError, StoreError
from guardray.store.checkpoint_register import RegisteredCheckpoint
from guardray.store.service import ServiceStore

KEPT = 3
"""Checkpoints that are kept: the newest may turn out damaged and then the one before is in use, with one to spare."""

HELD_TWICE = 2
"""In how many checkpoints an input has to be before its source may forget it, so that a damaged one loses nothing."""


@dataclass(frozen=True)
class Restored:
    """What to go on from.

    Attributes:
        manifest: of the newest sound checkpoint; `read_part` reads its tables. None where there never was one.
        damaged: what was wrong with newer ones, for the operator.
    """

    manifest: Manifest | None
    damaged: tuple[DamagedStateError, ...] = ()


@dataclass
class Checkpoints:
    """All checkpoints below one root. The one writer uses it, one thread at a time.

    Args:
        url: the root: a local path, `file://` or `s3://bucket/prefix`.
        store: names the checkpoints that count.
        fence: of the writer.
        kept: how many are kept.
    """

    url: str
    store: ServiceStore
    fence: int
    kept: int = KEPT
    _number: int = 0
    """Of the last one that was begun, whatever became of it."""
    _manifests: dict[int, Manifest] = field(default_factory=dict)
    """Of those that count, as far as they were needed."""

    def __post_init__(self) -> None:
        self._place = Place(self.url)

    def begin(self) -> Draft:
        """A checkpoint to write parts for, with a number and a folder that were never used before.

        Raises:
            StateError: the manifest of the checkpoint before cannot be read for the moment.
        """
        self._number = 1 + max([self._number, *(one.number for one in self.store.checkpoints.all())])
        folder = f"{self.fence:08d}-{self._number:08d}"
        return Draft(self.url, folder, self._number, self.fence, self._previous_parts())

    def _previous_parts(self) -> dict[str, Part]:
        for newest in self.store.checkpoints.sound()[:1]:
            # One that is damaged is no help here. The restart that needs it tells of it.
            with suppress(DamagedStateError):
                return {part.name: part for part in self.manifest(newest).parts}
        return {}

    def finish(
        self,
        draft: Draft,
        parts: Iterable[Part],
        *,
        epoch: int,
        shards: int,
        content: Mapping[str, Any],
        now: datetime,
    ) -> RegisteredCheckpoint:
        """Write the manifest, and make the checkpoint count.

        Args:
            draft: as `begin` gave it.
            parts: as `write_part` gave them, all of them.
            epoch: the last one that is in the state; it is committed.
            shards: how many there are.
            content: what else the coordinator keeps, plain JSON.

        Raises:
            StateError: the manifest cannot be written: the checkpoint failed, and the one before stays in force.
            FencedError: another process has become the one writer since: nothing more may be done.
            StoreError: the store refuses for the moment: the checkpoint may count or not; `abandon` it.
        """
        manifest = Manifest(
            state_version=STATE_VERSION,
            guardray=__version__,
            number=draft.number,
            fence=draft.fence,
            epoch=epoch,
            shards=shards,
            created_at=now,
            content=dict(content),
            parts=tuple(parts),
        )
        data = encode_manifest(manifest)
        self._place.write(f"{draft.folder}/{MANIFEST}", data)
        registered = RegisteredCheckpoint(
            number=draft.number,
            epoch=epoch,
            fence=draft.fence,
            folder=draft.folder,
            digest=digest_of(data),
            bytes=len(data) + _total(manifest),
            created_at=now,
        )
        self.store.checkpoints.register(registered)
        self._manifests[draft.number] = manifest
        return registered

    def abandon(self, draft: Draft) -> None:
        """Delete what was written of a checkpoint that failed. What cannot be deleted now, `clean` deletes later.

        One that counts all the same stays, as when the store was lost before it could say so.
        """
        with suppress(StateError, StoreError):
            if all(one.folder != draft.folder for one in self.store.checkpoints.all()):
                self._place.delete(file.path for file in self._place.files(draft.folder))

    def safe_epoch(self) -> int:
        """The last epoch that two sound checkpoints hold; 0 where there is none. Its inputs may be acknowledged."""
        sound = self.store.checkpoints.sound()
        return sound[HELD_TWICE - 1].epoch if len(sound) >= HELD_TWICE else 0

    def restore(self) -> Restored:
        """The newest checkpoint whose files are all there and right, each of which is read. Damaged ones are noted.

        Raises:
            StateError: the files cannot be read for the moment.
            RefusedStateError: they are of a version that this program cannot go on from, or there are checkpoints and
                none of them is sound.
            FencedError: another process has become the one writer since.
        """
        damaged: list[DamagedStateError] = []
        for registered in self.store.checkpoints.sound():
            try:
                manifest = self.manifest(registered)
                check_files(self._place, manifest)
            except DamagedStateError as damage:
                damaged.append(damage)
                self.reject(registered.number, damage)
            else:
                return Restored(manifest, tuple(damaged))
        if rejected := self.store.checkpoints.all():
            raise RefusedStateError(self.url, _none_left(rejected))
        return Restored(None)

    def reject(self, number: int, damage: DamagedStateError) -> None:
        """Note that a checkpoint is damaged, as when a shard could not read its part: `restore` passes it over then."""
        self.store.checkpoints.mark_damaged(number, str(damage), fence=self.fence)
        self._manifests.pop(number, None)

    def manifest(self, registered: RegisteredCheckpoint) -> Manifest:
        """What a checkpoint consists of.

        Raises:
            DamagedStateError: the manifest is missing, or not what was written.
            StateError: it cannot be read for the moment.
            RefusedStateError: it is of a version that this program cannot go on from.
        """
        if registered.number not in self._manifests:
            self._manifests[registered.number] = read_manifest(self._place, registered)
        return self._manifests[registered.number]

    def clean(self) -> Cleaned:
        """Forget old checkpoints and the epochs before them, and delete files that no checkpoint needs.

        To be called between checkpoints, not while one is being written.

        Raises:
            StateError: files cannot be listed or deleted for the moment; the next call does it.
            FencedError: another process has become the one writer since.
        """
        for registered in self.store.checkpoints.sound():
            try:
                self.manifest(registered)
            except DamagedStateError as damage:
                self.reject(registered.number, damage)
        cleaned = clean(self._place, self.store, self.fence, self.kept, self.manifest)
        for number in cleaned.checkpoints:
            self._manifests.pop(number, None)
        return cleaned


def read_manifest(place: Place, registered: RegisteredCheckpoint) -> Manifest:
    """The manifest of a checkpoint that counts. Raises as `Checkpoints.manifest`."""
    path = f"{registered.folder}/{MANIFEST}"
    return decode_manifest(place.read(path), registered.digest, place.name(path))


def _total(manifest: Manifest) -> int:
    return sum({(chunk.file, chunk.offset): chunk.length for chunk in manifest.chunks()}.values())


def _none_left(rejected: Sequence[RegisteredCheckpoint]) -> str:
    told = "; ".join(f"checkpoint {one.number}: {one.damage}" for one in rejected)
    return (
        f"no checkpoint can be restored ({told}): put its files back from a copy, or begin anew with"
        " `guardray state reset`, which keeps findings and forgets what is known of the past"
    )
