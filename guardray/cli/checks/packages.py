"""Python and the packages that run here, against the versions that the tests pass with."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import guardray
from guardray.cli.checks.check import Check, ok, warn

CONSTRAINTS = Path(guardray.__file__).parents[1] / "constraints.txt"
"""Beside the package in a checkout; an installed package has none, and nothing to compare with."""

NAMED = 5
"""Packages that are named one by one; a longer list says that the environment is another one altogether."""


def check_python() -> Check:
    """The interpreter. The package cannot be installed on one that is too old."""
    return ok("Python", f"{platform.python_version()} ({platform.python_implementation()}, {platform.machine()})")


def check_packages(constraints: Path = CONSTRAINTS) -> Check:
    """Installed versions; packages of the file that are not installed belong to extras that nobody asked for."""
    installed = _installed()
    if not constraints.is_file():
        return ok("Packages", f"{len(installed)} installed; no constraints.txt beside the package to compare with")
    wanted = read_constraints(constraints.read_text(encoding="utf-8"))
    differing = [
        f"{name} {installed[name]} (tested with {version})"
        for name, version in sorted(wanted.items())
        if name in installed and installed[name] != version
    ]
    if not differing:
        return ok("Packages", f"{len(wanted.keys() & installed.keys())} installed in the versions of constraints.txt")
    more = f" and {len(differing) - NAMED} more" if len(differing) > NAMED else ""
    return warn("Packages", ", ".join(differing[:NAMED]) + more, f"pip install -c {constraints} -e .")


def read_constraints(text: str) -> dict[str, str]:
    """Versions by normalised name, from lines of `name==version`."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return {_normalised(name): version for name, _, version in (line.partition("==") for line in lines) if version}


def _installed() -> Mapping[str, str]:
    return {_normalised(found.name): found.version for found in metadata.distributions()}


def _normalised(name: str) -> str:
    """Source: Python packaging user guide, name normalization."""
    return re.sub(r"[-_.]+", "-", name).lower()
