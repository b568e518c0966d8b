"""YAML files of rules: read safely, with the line of every value, so that errors say where they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from guardray.errors import UsageError

MOST_BYTES = 256 * 2**10
"""Of a file with rules, which people write by hand."""

MOST_DEPTH = 100
"""Of values within values. PyYAML's reader in C ends the process where there are tens of thousands."""

MOST_VALUES = 20_000
"""In a file, each counted as often as aliases repeat it: a few lines of aliases can stand for millions of values."""

T = TypeVar("T")

_READER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same in C, where PyYAML was built with it: a fifth of the time."""

_PLACE = re.compile(r" - at `(?:key in )?(\$[^`]*)`")
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")


@dataclass(frozen=True)
class Document:
    """A document of a YAML file.

    Attributes:
        value: plain data.
        lines: of each value, by its path: `$`, `$.rules[0].condition`.
        blocks: the paths of texts that begin on the line after the one that is told.
    """

    path: Path
    value: Any
    lines: dict[str, int]
    blocks: frozenset[str]

    def error(self, reason: str, at: str = "$", line_within: int | None = None) -> UsageError:
        """An error that names the file and the line: of the value at a path, or of a line within that text."""
        while at not in self.lines and at != "$":
            at = re.sub(r"(\.[^.\[]*|\[[^\[]*)$", "", at) or "$"
        line = self.lines.get(at, 1)
        if line_within is not None:
            line += line_within - (0 if at in self.blocks else 1)
        return UsageError(f"{self.path}, line {line}: {reason}")

    def convert(self, type_: type[T], key: str | None = None) -> T:
        """The value as a struct, or what stands under one of its keys.

        Raises:
            UsageError: it is not of that form; file, line and reason are named.
        """
        try:
            return msgspec.convert(self.value if key is None else self.value[key], type_)
        except msgspec.ValidationError as error:
            text = str(error)
            place = _PLACE.search(text)
            at = place[1] if place else "$"
            if unknown := _UNKNOWN.search(text):
                at += f".{unknown[1]}"
            inside = at if key is None else at.replace("$", f"$.{key}", 1)
            raise self.error(_PLACE.sub("", text), inside) from None


def read_documents(path: Path) -> list[Document]:
    """The documents of a YAML file; mostly it is one.

    Raises:
        UsageError: the file cannot be read or is no YAML; file, line and reason are named.
    """
    text = _text_of(path)
    try:
        _check_depth(path, text)
        nodes = [node for node in yaml.compose_all(text, Loader=_READER) if node is not None]
        return [_document(path, node) for node in nodes]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{path}, line {line}: not YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        raise UsageError(f"{path}: not YAML: {' '.join(str(error).split())}") from None


def read_document(path: Path) -> Document:
    """The only document of a YAML file.

    Raises:
        UsageError: as `read_documents`, and where there is not just one.
    """
    documents = read_documents(path)
    if len(documents) != 1:
        raise UsageError(f"{path}: has {len(documents)} YAML documents; there must be one")
    return documents[0]


def _check_depth(path: Path, text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_READER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MOST_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise UsageError(f"{path}, line {line}: has more than {MOST_DEPTH} values within each other")


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: has more than {MOST_BYTES:,} bytes, which is too much for rules")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text (byte {error.start})") from None


def _document(path: Path, node: yaml.Node) -> Document:
    _count(path, node, {})
    lines: dict[str, int] = {}
    blocks: set[str] = set()
    _note(path, node, "$", lines, blocks)
    loader = yaml.SafeLoader("")
    try:
        return Document(path, loader.construct_document(node), lines, frozenset(blocks))
    finally:
        loader.dispose()


def _count(path: Path, node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = MOST_VALUES  # a node that holds itself has no end
    children: list[Any] = [] if isinstance(node, yaml.ScalarNode) else node.value
    pairs = [one for child in children for one in (child if isinstance(child, tuple) else (child,))]
    known[id(node)] = total = 1 + sum(_count(path, one, known) for one in pairs)
    if total > MOST_VALUES:
        raise UsageError(f"{path}, line {node.start_mark.line + 1}: stands for more than {MOST_VALUES:,} values")
    return total


def _note(path: Path, node: yaml.Node, at: str, lines: dict[str, int], blocks: set[str]) -> None:
    """Notes where values are, and refuses a key that is there twice, of which YAML would keep the last."""
    lines[at] = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        blocks.add(at)
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _note(path, child, f"{at}[{index}]", lines, blocks)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            if key.value in seen and key.value != "<<":
                raise UsageError(f"{path}, line {key.start_mark.line + 1}: {key.value!r} is there twice")
            seen.add(str(key.value))
            _note(path, child, f"{at}.{key.value}", lines, blocks)
            if not isinstance(child, yaml.ScalarNode):
                lines[f"{at}.{key.value}"] = key.start_mark.line + 1
