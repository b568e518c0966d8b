"""Folders of rules: every file read, whatever its kind, and what is wrong with any of them told beside the others."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from guardray.custom.python_files import read_python
from guardray.custom.rule_form import RuleForm
from guardray.custom.rules import read_rule
from guardray.custom.settings import RuleFolder
from guardray.custom.sigma.rules import is_sigma, read_sigma
from guardray.custom.yaml_text import read_documents
from guardray.detectors.declare import Detector, activities_of
from guardray.errors import UsageError

Kind = Literal["python", "sql", "sigma"]

SUFFIXES = (".py", ".yaml", ".yml")
"""What is read of a folder and the folders in it. Names that begin with `.` or `_` are passed over."""


@dataclass(frozen=True, kw_only=True)
class OwnRule:
    """A rule that could be read.

    Attributes:
        kind: what it is written in.
        about: what its author says of it, as Markdown.
        reasons: why tunables are what they are.
    """

    path: Path
    kind: Kind
    detector: Detector
    about: str
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A file or a rule that cannot be used. The reason names file and line; `error` is there where code failed."""

    path: Path
    reason: str
    finding_type: str | None = None
    error: BaseException | None = None


def read_folders(folders: Iterable[RuleFolder]) -> tuple[list[OwnRule], list[Refused]]:
    """All rules of folders, in the order of folders and names.

    Raises:
        UsageError: there is no such folder.
    """
    rules: list[OwnRule] = []
    refused: list[Refused] = []
    for folder in folders:
        for path in rule_files(folder.path):
            for read in read_file(path):
                if isinstance(read, Refused):
                    refused.append(read)
                else:
                    rules.append(_placed(read, folder))
    return rules, refused


def rule_files(path: Path) -> list[Path]:
    """The files with rules in a folder, by name; a file is the only one of itself.

    Raises:
        UsageError: there is nothing of that name.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UsageError(f"{path}: there is no such file or folder of detections")
    return sorted(
        found
        for found in path.rglob("*")
        if found.suffix in SUFFIXES
        and found.is_file()
        and not any(part.startswith((".", "_")) for part in found.relative_to(path).parts)
    )


def read_file(path: Path) -> Iterator[OwnRule | Refused]:
    """What is in a file, of whatever kind."""
    try:
        yield from _python_rules(path) if path.suffix == ".py" else _yaml_rules(path)
    except UsageError as error:
        yield Refused(path=path, reason=str(error), error=error.__cause__)


def _python_rules(path: Path) -> Iterator[OwnRule]:
    module, detectors = read_python(path)
    for detector in detectors:
        yield OwnRule(path=path, kind="python", detector=detector, about=inspect.getdoc(module) or "")


def _yaml_rules(path: Path) -> Iterator[OwnRule | Refused]:
    """Sigma has files with several rules; one that is wrong leaves the others."""
    documents = read_documents(path)
    if not documents:
        raise UsageError(f"{path}: is empty")
    for document in documents:
        try:
            if is_sigma(document):
                sigma, about = read_sigma(document)
                yield OwnRule(path=path, kind="sigma", detector=sigma, about=about)
            else:
                detector, form = read_rule(document)
                yield OwnRule(path=path, kind="sql", detector=detector, about=_about(form), reasons=_reasons(form))
        except UsageError as error:
            yield Refused(path=path, reason=str(error), finding_type=_type_of(document.value))


def _about(form: RuleForm) -> str:
    references = ["References: " + ", ".join(form.references)] if form.references else []
    return "\n\n".join([form.about.strip(), *references])


def _reasons(form: RuleForm) -> dict[str, str]:
    return {name: tunable.reason for name, tunable in form.tunables.items()}


def _type_of(value: object) -> str | None:
    named = value.get("finding_type") if isinstance(value, dict) else None
    return named if isinstance(named, str) else None


def _placed(rule: OwnRule, folder: RuleFolder) -> OwnRule:
    """The rule in the mode of its folder, with what tells this version of its file."""
    revision = hashlib.sha256(rule.path.read_bytes()).hexdigest()
    mode = folder.mode or rule.detector.mode
    return replace(rule, detector=replace(rule.detector, mode=mode, revision=revision))


def without_duplicates(rules: Sequence[OwnRule], taken: Iterable[Detector]) -> tuple[list[OwnRule], list[Refused]]:
    """The rules whose finding types and activities nobody named so before them, and the others.

    Args:
        rules: in order; the first of a type is kept.
        taken: guardray's own detectors.
    """
    ours = tuple(taken)
    owners = dict.fromkeys((detector.finding_type for detector in ours), "guardray itself")
    kept: list[OwnRule] = []
    refused = []
    for rule in rules:
        name = rule.detector.finding_type
        clash = f"the finding type {name} is taken by {owners[name]}" if name in owners else None
        try:
            activities_of((*ours, *(one.detector for one in kept), rule.detector))
        except ValueError as error:
            clash = clash or f"{name}: {error}"
        if clash:
            refused.append(Refused(path=rule.path, reason=f"{rule.path}: {clash}", finding_type=name))
        else:
            owners[name] = str(rule.path)
            kept.append(rule)
    return kept, refused
