"""The import graph of the package, read from its source: every import counts, at the top or inside a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

Graph = Mapping[str, frozenset[str]]
"""A name to the names that it imports."""


@dataclass(frozen=True)
class Module:
    """A module of the package: its dotted name and its source."""

    name: str
    path: Path

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), filename=str(self.path))


def modules(root: Path) -> dict[str, Module]:
    """The modules below the package folder `root` by dotted name, sorted; `__main__` is run, not imported."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        if path.stem == "__main__":
            continue
        parts = path.relative_to(root.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path)
    return found


def imported_names(tree: ast.Module) -> Iterator[str]:
    """Dotted names that a module imports; `from a import b` gives `a.b`, which may be a module or a name in one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph(found: Mapping[str, Module]) -> dict[str, frozenset[str]]:
    """Each module to the modules of `found` that it imports."""
    return {
        name: frozenset(
            target for imported in imported_names(module.tree) if (target := _module_of(imported, found)) is not None
        )
        - {name}
        for name, module in found.items()
    }


def _module_of(imported: str, found: Mapping[str, Module]) -> str | None:
    if imported in found:
        return imported
    parent = imported.rpartition(".")[0]
    return parent if parent in found else None


def package_of(module: str) -> str:
    """The part of the architecture that a module belongs to: `guardray.findings.wire.members` is of `findings`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def by_package(graph: Graph) -> dict[str, frozenset[str]]:
    """The import graph of packages, without the root that every module belongs to."""
    packages: dict[str, set[str]] = {}
    for module, imported in graph.items():
        package = package_of(module)
        packages.setdefault(package, set()).update(package_of(name) for name in imported)
    root = {module.split(".")[0] for module in graph}
    return {name: frozenset(imported - root - {name}) for name, imported in packages.items() if name not in root}


def cycle(graph: Graph) -> list[str]:
    """A cycle, each name imported by the next, the first again at the end; empty when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def without_implied(graph: Graph) -> dict[str, frozenset[str]]:
    """The graph less each edge that a longer path implies. It must have no cycle.

    Source: Aho, Garey and Ullman 1972, The transitive reduction of a directed graph.
    """
    reachable: dict[str, frozenset[str]] = {}
    for name in TopologicalSorter(graph).static_order():
        direct = graph.get(name, frozenset())
        reachable[name] = direct.union(*(reachable[imported] for imported in direct))
    return {
        name: frozenset(t for t in imported if not any(t in reachable[other] for other in imported - {t}))
        for name, imported in graph.items()
    }
