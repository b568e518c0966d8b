"""Python files with detectors: run under a name of their own, so that they need no package and disturb none.

The module is not put where Python keeps those that can be imported. So its functions travel to other processes by
value, as Ray does with all that a worker could not import, and workers need no copy of the file.
"""

from __future__ import annotations

import ast
import traceback
from pathlib import Path
from types import ModuleType

from guardray.detectors.declare import Detector
from guardray.errors import UsageError
from guardray.findings.finding_type import FindingType


def read_python(path: Path) -> tuple[ModuleType, tuple[Detector, ...]]:
    """The module that a file is, and the detectors that it offers as `DETECTOR` or `DETECTORS`.

    Raises:
        UsageError: it fails, or offers none; file, line and reason are named.
    """
    module = _run(path)
    own = _assigned(path)
    offered = module.DETECTORS if "DETECTORS" in own else (module.DETECTOR if "DETECTOR" in own else None,)
    if not isinstance(offered, (tuple, list)):
        raise UsageError(f"{path}: DETECTORS is of type {type(offered).__name__}; it must be a tuple of detectors")
    for detector in offered:
        if not isinstance(detector, Detector):
            what = "offers no DETECTOR" if detector is None else f"offers a {type(detector).__name__} as a detector"
            raise UsageError(f"{path}: {what}; see docs/writing-detectors.md")
        _check(path, detector)
    return module, tuple(offered)


def _run(path: Path) -> ModuleType:
    module = ModuleType(f"guardray_detections_{path.stem}")
    module.__file__ = str(path)
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except SyntaxError as error:
        raise UsageError(f"{path}, line {error.lineno}: not Python: {error.msg}") from None
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise UsageError(f"{path}{_line_of(path, error)}: fails when it is loaded: {reason}") from error
    return module


def _assigned(path: Path) -> set[str]:
    """The names that the file itself gives a value: what it imports from elsewhere is not its own."""
    assignments = (node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.Assign | ast.AnnAssign))
    targets = (node.targets if isinstance(node, ast.Assign) else [node.target] for node in assignments)
    return {target.id for each in targets for target in each if isinstance(target, ast.Name)}


def _line_of(path: Path, error: BaseException) -> str:
    """The last line of the file that led to the error."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def _check(path: Path, detector: Detector) -> None:
    try:
        FindingType.parse(detector.finding_type)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None
    if {example.fires for example in detector.examples} != {True, False}:
        reason = "must have an example that fires and one that is quiet"
        raise UsageError(f"{path}: {detector.finding_type} {reason}")
