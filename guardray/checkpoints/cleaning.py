"""Retention: which checkpoints are forgotten, and which files nobody needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from guardray.checkpoints.manifest import MANIFEST, Manifest
from guardray.checkpoints.place import Place, StoredFile
from guardray.store.checkpoint_register import RegisteredCheckpoint
from guardray.store.service import ServiceStore

_FOLDER = re.compile(r"(\d+)-(\d+)/")
"""Fence and number of the checkpoint that a file was written for."""


@dataclass(frozen=True)
class Cleaned:
    """What was taken away.

    Attributes:
        checkpoints: numbers of those that count no more.
        epochs: how many are not in the log any more.
        files: how many were deleted.
        bytes: of these files.
        until: epochs up to this one are never processed again.
    """

    checkpoints: tuple[int, ...] = ()
    epochs: int = 0
    files: int = 0
    bytes: int = 0
    until: int = 0


def clean(
    place: Place,
    store: ServiceStore,
    fence: int,
    kept: int,
    manifest_of: Callable[[RegisteredCheckpoint], Manifest],
) -> Cleaned:
    """See `Checkpoints.clean`. The order matters: what is deleted counts no more, and is named by nothing that does."""
    registered = store.checkpoints.all()
    newest = [one for one in registered if one.damage is None][:kept]
    forgotten = tuple(
        one.number for one in registered if newest and one not in newest and one.number < newest[0].number
    )
    store.checkpoints.forget(forgotten, fence=fence)  # also where there are none: this is where the fence is checked
    epochs = store.epochs.prune(newest[-1].epoch, fence=fence) if newest else 0
    counting = [one for one in registered if one.number not in forgotten]
    files = list(_needless(place, counting, fence, manifest_of))
    place.delete(file.path for file in files)
    until = newest[-1].epoch if newest else 0
    return Cleaned(forgotten, epochs, len(files), sum(file.length for file in files), until)


def delete_all(place: Place) -> int:
    """Delete the files of all checkpoints, and nothing else that lies there. Returns how many they were.

    Raises:
        StateError: they cannot be listed or deleted for the moment.
    """
    files = [file.path for file in place.files() if _FOLDER.match(file.path)]
    place.delete(files)
    return len(files)


def _needless(
    place: Place,
    counting: Sequence[RegisteredCheckpoint],
    fence: int,
    manifest_of: Callable[[RegisteredCheckpoint], Manifest],
) -> Iterator[StoredFile]:
    """Files of checkpoints that failed or were forgotten, unless one that counts refers to them.

    Files of a later fence are another writer's, and those of a later number may be being written. Earlier ones that no
    checkpoint names when we are known to be the one writer can never be named any more.
    """
    needed = {file for one in counting for file in _files_of(one, manifest_of)}
    damaged = {one.folder for one in counting if one.damage is not None}
    ours = (fence, max((one.number for one in counting), default=0))
    for file in place.files():
        folder = _FOLDER.match(file.path)
        if folder is None or file.path in needed or file.path.partition("/")[0] in damaged:
            continue
        if (int(folder[1]), int(folder[2])) <= ours:
            yield file


def _files_of(registered: RegisteredCheckpoint, manifest_of: Callable[[RegisteredCheckpoint], Manifest]) -> set[str]:
    manifest = f"{registered.folder}/{MANIFEST}"
    if registered.damage is not None:
        return {manifest}
    return {manifest, *manifest_of(registered).files()}
