"""The file of destinations."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import yaml

from guardray.errors import UsageError
from guardray.publish.destination import Destination
from guardray.publish.kinds.event_bus import EventBus
from guardray.publish.kinds.export import S3Export
from guardray.publish.kinds.file import Folder
from guardray.publish.kinds.function import Function
from guardray.publish.kinds.queue import Queue
from guardray.publish.kinds.topic import Topic
from guardray.publish.kinds.webhook import Webhook

_PLACE = re.compile(r"(?s)(.*) - at `\$(.*?)`")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


class _DestinationsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    destinations: tuple[EventBus | S3Export | Folder | Function | Queue | Topic | Webhook, ...]


def read_destinations(path: Path) -> tuple[Destination, ...]:
    """The destinations that a YAML file declares.

    Raises:
        UsageError: with file, line and reason, where the file cannot be read, is not YAML, or breaks the format.
    """
    text = _text(path)
    try:
        tree = yaml.compose(text, yaml.SafeLoader)
        declared = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{path}:{line}: {error.problem or error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: {' '.join(str(error).split())}") from error
    try:
        destinations = msgspec.convert(declared, _DestinationsFile).destinations
        _refuse_repeats(destinations)
    except (msgspec.ValidationError, ValueError) as error:
        found = _PLACE.fullmatch(str(error))
        reason, steps = found.groups() if found else (str(error), "")
        raise UsageError(f"{path}:{_line(tree, steps)}: {reason}{f' ({steps[1:]})' if steps else ''}") from error
    return destinations


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not text in UTF-8: {error.reason} at byte {error.start}") from error


def _refuse_repeats(destinations: tuple[Destination, ...]) -> None:
    names = [destination.name for destination in destinations]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ValueError(f"{name!r} is the name of two destinations - at `$.destinations[{number}].name`")


def _line(node: yaml.Node | None, steps: str) -> int:
    """The line of what a path such as `.destinations[1].url` leads to, or of the last part of it that is there."""
    line = 1
    for key, number in _STEP.findall(steps):
        if isinstance(node, yaml.MappingNode) and key:
            node = next((value for name, value in node.value if name.value == key), None)
        elif isinstance(node, yaml.SequenceNode) and number:
            node = node.value[int(number)]
        else:
            node = None
        if node is None:
            break
        line = node.start_mark.line + 1
    return line
