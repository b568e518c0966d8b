"""The import graph is the architecture: what may import what, and what may not be loaded without need."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from guardray_docs.imports import (
    Module,
    by_package,
    cycle,
    import_graph,
    imported_names,
    modules,
    package_of,
    without_implied,
)
from guardray_docs.layers import LAYERS, row_of, violations

import guardray

PACKAGE = Path(guardray.__file__).parent
MODULES = modules(PACKAGE)
GRAPH = import_graph(MODULES)

HEAVY = (
    "ray",
    "boto3",
    "sqlalchemy",
    "numba",
    "pandas",
    "sklearn",
    "scipy",
    "pyod",
    "skops",
    "moto",
    "duckdb",
    "sigma",
)
"""Each costs a large part of a second or more to import."""


def test_no_module_imports_itself_through_others():
    assert cycle(GRAPH) == []


def test_imports_between_packages_point_down():
    assert violations(by_package(GRAPH)) == []


def test_every_package_has_a_row_and_every_row_a_package():
    assert {name for row in LAYERS for name in row} == set(by_package(GRAPH))


def test_ray_is_imported_in_the_runtime_only():
    importers = {
        name
        for name, module in MODULES.items()
        if any(imported.split(".")[0] == "ray" for imported in imported_names(module.tree))
    }
    assert {package_of(name) for name in importers} <= {"runtime"}


def test_every_package_that_is_imported_is_declared():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    extras = (of for name, of in project["optional-dependencies"].items() if name != "dev")
    required = [*project["dependencies"], *(one for of in extras for one in of)]
    declared = {re.match(r"[\w-]+", requirement).group().lower() for requirement in required}
    imported = {name.split(".")[0] for module in MODULES.values() for name in imported_names(module.tree)}
    distributions = metadata.packages_distributions()
    others = imported - sys.stdlib_module_names - {PACKAGE.name}
    assert {name for name in others if not declared & {d.lower() for d in distributions.get(name, ())}} == set()


@pytest.mark.parametrize("arguments", [["--help"], ["detectors", "list"], ["scan", "--help"]], ids=" ".join)
def test_heavy_packages_are_not_loaded_when_a_command_does_not_need_them(arguments):
    program = (
        "import sys; from typer.testing import CliRunner; from guardray.cli.app import app\n"
        f"result = CliRunner().invoke(app, {arguments!r})\n"
        f"print(result.exit_code, sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert done.stdout.strip() == "0 []", done.stderr


class TestImports:
    """The reader of imports sees what Python would import."""

    @pytest.fixture
    def graph(self, tmp_path):
        def of(**sources: str):
            root = tmp_path / "app"
            for name, source in {"__init__": "", **sources}.items():
                path = root / f"{name.replace('__', '/') if name != '__init__' else name}.py"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(source)
            return import_graph(modules(root))

        return of

    def test_every_form_of_import_is_seen(self, graph):
        found = graph(a="import app.b", b="from app import c", c="from app.d import name", d="")
        assert found["app.a"] == {"app.b"}
        assert found["app.b"] == {"app.c"}
        assert found["app.c"] == {"app.d"}

    def test_imports_inside_functions_make_cycles_too(self, graph):
        found = graph(a="from app.b import x", b="def f():\n    import app.a")
        assert cycle(found)[0] == cycle(found)[-1]
        assert set(cycle(found)) == {"app.a", "app.b"}

    def test_imports_of_other_projects_are_no_edges(self, graph):
        assert graph(a="import os\nfrom pathlib import Path")["app.a"] == frozenset()

    def test_a_package_is_one_node_whatever_its_depth(self):
        graph = {"app.x.y.z": frozenset({"app.b", "app.x.w"}), "app.b": frozenset({"app"}), "app": frozenset()}
        assert by_package(graph) == {"x": {"b"}, "b": frozenset()}

    def test_implied_edges_are_left_out(self):
        graph = {"a": frozenset("bcd"), "b": frozenset("c"), "c": frozenset("d"), "d": frozenset()}
        assert without_implied(graph) == {"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": frozenset()}

    def test_modules_are_named_as_python_names_them(self, tmp_path):
        root = tmp_path / "app"
        (root / "sub").mkdir(parents=True)
        for path in ("__init__.py", "__main__.py", "one.py", "sub/__init__.py", "sub/two.py"):
            (root / path).touch()
        assert list(modules(root)) == ["app", "app.one", "app.sub", "app.sub.two"]
        assert modules(root)["app.one"] == Module("app.one", root / "one.py")


class TestLayers:
    def test_an_upward_import_is_named(self):
        assert violations({"schema": frozenset({"cli"})}) == ["schema imports cli, which is not below it"]

    def test_a_sideways_import_is_named(self):
        assert violations({"schema": frozenset({"findings"})}) == ["schema imports findings, which is not below it"]

    def test_a_package_without_a_row_is_refused(self):
        with pytest.raises(KeyError, match="newcomer"):
            row_of("newcomer")
