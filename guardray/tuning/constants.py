"""Detectors with other numbers: the constants of their module, changed before it is run anew."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING

import polars as pl

from guardray.detectors.declare import Detector
from guardray.detectors.loader import declaring_modules
from guardray.errors import UsageError
from guardray.rulebook.entries import constant_reasons

if TYPE_CHECKING:
    import pandas as pd


def constants(finding_type: str) -> pd.DataFrame:
    """The numbers that the module of a detector gives names, `value` and `reason`, by name.

    Raises:
        UsageError: there is no such type.
    """
    module = _module(finding_type)
    reasons = constant_reasons(module)
    rows = [(name, float(getattr(module, name)), reasons.get(name, "")) for name in _numbers(module)]
    schema = {"constant": pl.String, "value": pl.Float64, "reason": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").to_pandas().set_index("constant")


def with_constants(finding_type: str, values: Mapping[str, float]) -> Detector:
    """The detector of a type as it would be if its module said so. What other modules share stays as it is.

    Args:
        values: by name, as `constants` has them.

    Raises:
        UsageError: there is no such type, or no such constant, or the module does not work with it.
    """
    module = _module(finding_type)
    known = list(_numbers(module))
    if unknown := sorted(set(values) - set(known)):
        raise UsageError(f"{finding_type}: {', '.join(unknown)} is no constant of its module; there are {_told(known)}")
    tree = _changed(ast.parse(inspect.getsource(module)), values)
    # By the module's own name, so that classes in it find theirs; what is not the same object travels by value.
    namespace: dict[str, object] = {"__name__": module.__name__, "__file__": module.__file__}
    try:
        exec(compile(tree, str(module.__file__), "exec"), namespace)
    except ValueError as error:
        raise UsageError(f"{finding_type}: does not work with {dict(values)}: {error}") from error
    found = namespace.get("DETECTORS") or (namespace["DETECTOR"],)
    (detector,) = (one for one in found if one.finding_type == finding_type)  # type: ignore[attr-defined]
    assert isinstance(detector, Detector)
    return detector


def _module(finding_type: str) -> ModuleType:
    modules = declaring_modules()
    if finding_type not in modules:
        raise UsageError(f"no detector for finding type {finding_type!r}; `guardray detectors list` shows all")
    return modules[finding_type]


def _numbers(module: ModuleType) -> Iterator[str]:
    """Names in capitals that the module itself gives a number."""
    for statement in ast.parse(inspect.getsource(module)).body:
        for name in _assigned(statement):
            value = getattr(module, name, None)  # the file may be newer than what is in memory
            if name.isupper() and isinstance(value, int | float) and not isinstance(value, bool):
                yield name


def _assigned(statement: ast.stmt) -> Iterator[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    for target in targets:
        for one in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(one, ast.Name):
                yield one.id


def _changed(tree: ast.Module, values: Mapping[str, float]) -> ast.Module:
    """The module with each constant set anew right behind where it is set."""
    body: list[ast.stmt] = []
    for statement in tree.body:
        body.append(statement)
        body += [
            ast.Assign([ast.Name(name, ast.Store())], ast.Constant(_plain(values[name])))
            for name in _assigned(statement)
            if name in values
        ]
    return ast.fix_missing_locations(ast.Module(body, tree.type_ignores))


def _plain(value: float) -> float:
    """The number as Python writes it, whole ones without a point: some constants count."""
    return int(value) if float(value).is_integer() else float(value)


def _told(names: list[str]) -> str:
    return ", ".join(names) or "none"
