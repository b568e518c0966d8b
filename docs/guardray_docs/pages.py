"""The generated parts of the pages: whole files, and blocks between two comments in pages that are written by hand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from guardray_docs import features, finding_types, scale
from guardray_docs.drawing import draw
from guardray_docs.finding_types import table
from guardray_docs.imports import Graph, Module, by_package, import_graph, modules, without_implied
from guardray_docs.layers import LAYERS, violations

DOCS = Path(__file__).resolve().parents[1]
PACKAGE = DOCS.parent / "guardray"


def generated(docs: Path = DOCS, package: Path = PACKAGE) -> dict[Path, str]:
    """Every file with a generated part to what it should hold, from the source as it is now.

    Raises:
        KeyError: a package has no layer.
        ValueError: an import does not point down, or a package does not say what it is for.
    """
    found = modules(package)
    graph = by_package(import_graph(found))
    if upward := violations(graph):
        raise ValueError(f"the layers do not hold: {'; '.join(upward)}")
    purposes = {name: _purpose(found[f"{package.name}.{name}"]) for name in graph}
    architecture = docs / "architecture.md"
    blocks = {"packages": _package_table(purposes), "imports": _import_matrix(graph)}
    return {
        docs / "imports.svg": draw(LAYERS, without_implied(graph), purposes),
        **finding_types.pages(docs),
        docs / "features.md": features.page(),
        architecture: fill(architecture.read_text(encoding="utf-8"), blocks),
        docs / "scale.md": fill((docs / "scale.md").read_text(encoding="utf-8"), scale.blocks()),
    }


def fill(page: str, blocks: Mapping[str, str]) -> str:
    """The page with each block in its place, between `<!-- generated: NAME -->` and `<!-- end -->`.

    Raises:
        ValueError: the page has no place for a block.
    """
    for name, content in blocks.items():
        place = re.search(rf"(?<=<!-- generated: {name} -->\n).*?(?=<!-- end -->)", page, re.DOTALL)
        if place is None:
            raise ValueError(f"the page has no place for the generated block {name!r}")
        page = f"{page[: place.start()]}{content}\n{page[place.end() :]}"
    return page


def _purpose(module: Module) -> str:
    """The first sentence of the module's docstring."""
    documentation = ast.get_docstring(module.tree) or ""
    sentence = re.match(r".+?\.(?=\s|$)", " ".join(documentation.split()))
    if sentence is None:
        raise ValueError(f"{module.path} has no docstring that says what it is for")
    return sentence.group().replace("`", "")


def _package_table(purposes: Mapping[str, str]) -> str:
    rows = [(f"`{package}`", purposes[package]) for package in _top_down(purposes)]
    return table(("Package", "What it is for"), rows)


def _import_matrix(graph: Graph) -> str:
    """Importers down, imported packages across, both from top to bottom of the layers."""
    packages = _top_down(graph)
    imported = [package for package in packages if any(package in names for names in graph.values())]
    rows = [(f"`{one}`", *("●" if other in graph[one] else "" for other in imported)) for one in packages if graph[one]]
    return table(("imports →", *(f"`{package}`" for package in imported)), rows)


def _top_down(packages: Iterable[str]) -> list[str]:
    return [package for row in LAYERS for package in row if package in packages]
