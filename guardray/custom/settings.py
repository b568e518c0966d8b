"""Which folders of rules to load: the file of `configs/detections.yaml`'s form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from guardray.custom.yaml_text import Document, read_document
from guardray.detectors.declare import Mode
from guardray.errors import UsageError


@dataclass(frozen=True)
class RuleFolder:
    """A folder of rules, or a single file. `mode` counts before that of the rules in it; None leaves them theirs."""

    path: Path
    mode: Mode | None = None


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry under `detections`. A relative path starts at the file that names it."""

    path: str
    enabled: bool = True
    mode: Mode | None = None


class _Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    detections: tuple[_Entry, ...]


def folders_of(paths: list[Path]) -> list[RuleFolder]:
    """What is to be loaded: each path is a folder of rules, a file with rules, or a file that names such.

    Raises:
        UsageError: a path is not there, or a file that names folders is wrong.
    """
    found = []
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: there is no such file or folder of detections")
        document = _settings_document(path)
        found += [RuleFolder(path)] if document is None else _named(document)
    return found


def _settings_document(path: Path) -> Document | None:
    """The document where the path is a file that names folders."""
    if not path.is_file() or path.suffix not in (".yaml", ".yml"):
        return None
    try:
        document = read_document(path)
    except UsageError:  # whoever reads its rules says what is wrong
        return None
    return document if isinstance(document.value, dict) and "detections" in document.value else None


def _named(document: Document) -> list[RuleFolder]:
    folders = []
    for index, entry in enumerate(document.convert(_Settings).detections):
        path = document.path.parent / Path(entry.path).expanduser()
        if not entry.enabled:
            continue
        if not path.exists():
            raise document.error(f"there is no {path}", f"$.detections[{index}].path")
        folders.append(RuleFolder(path, entry.mode))
    return folders
