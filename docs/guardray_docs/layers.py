"""Which package may import which: the table that the tests enforce and the picture shows."""

from __future__ import annotations

from guardray_docs.imports import Graph

LAYERS: tuple[tuple[str, ...], ...] = (
    ("cli",),
    ("bench", "tuning"),
    ("runtime",),
    ("api",),
    ("service",),
    ("rulebook",),
    ("testing", "evaluation"),
    ("dataflow",),
    ("checkpoints",),
    ("shards", "custom", "models"),
    ("detectors",),
    ("access", "connectors", "context", "publish"),
    ("intel", "geo", "inventory", "names", "sources", "store", "simulate"),
    ("schema", "findings", "stats", "client"),
    ("errors", "types", "hosts"),
)
"""From top to bottom. A package imports from lower rows only: never upwards, never from its own row."""


def row_of(package: str) -> int:
    """The row of a package, 0 at the top. Raises KeyError for a package that the table lacks."""
    for row, packages in enumerate(LAYERS):
        if package in packages:
            return row
    raise KeyError(f"package {package!r} has no row in guardray_docs.layers.LAYERS: give it one")


def violations(packages: Graph) -> list[str]:
    """Each import between packages that does not point down, as a sentence."""
    return [
        f"{package} imports {imported}, which is not below it"
        for package, imports in sorted(packages.items())
        for imported in sorted(imports)
        if row_of(imported) <= row_of(package)
    ]
