"""The documentation: generated parts are current, the picture is sound, and links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from guardray_docs.drawing import draw
from guardray_docs.imports import by_package, import_graph, modules
from guardray_docs.pages import PACKAGE, fill, generated
from guardray_docs.placing import BOX_HEIGHT, BOX_WIDTH, place
from typer.main import get_command

from guardray.cli.app import app
from guardray.intel.feeds import read_feeds

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SVG = "{http://www.w3.org/2000/svg}"

LAYERS = (("top",), ("middle", "side"), ("bottom",))
GRAPH = {"top": frozenset({"middle", "bottom"}), "middle": frozenset({"bottom"}), "side": frozenset()}


@pytest.fixture(scope="module")
def current() -> dict[Path, str]:
    return generated()


PAGES_OF_TYPES = [f"finding-types/{name}.md" for name in ("ec2", "iam", "s3")]


@pytest.mark.parametrize(
    "name", ["imports.svg", "finding-types.md", "features.md", "architecture.md", "scale.md", *PAGES_OF_TYPES]
)
def test_generated_parts_are_current(current, name):
    path = ROOT / "docs" / name
    assert path.read_text(encoding="utf-8") == current[path], "out of date: run `make docs`"


def test_generating_twice_gives_the_same(current):
    assert generated() == current


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_to_files(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_pages_name_exist(page):
    """`make NAME` in a page is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_that_pages_name_exist(page):
    text = re.sub(r"```(?:console|sh)\n.*?```", _own_commands, page.read_text(encoding="utf-8"), flags=re.DOTALL)
    code = re.findall(r"`[^`]+`", text)
    named = {option for block in code for option in re.findall(r"--[a-z][a-z0-9-]+", block)}
    assert named <= options_of(get_command(app)) | {"--help"}


def _own_commands(block: re.Match[str]) -> str:
    """Of what is typed in a terminal, our own commands: those of other programs have options of their own."""
    lines = [line.strip().removeprefix("$ ") for line in block[0].replace("\\\n", " ").splitlines()]
    return f"`{'; '.join(line for line in lines if re.match(r'(.venv/bin/)?guardray ', line))} `"


def options_of(command: Any) -> set[str]:
    """The options of a command and of those below it."""
    options = {name for parameter in command.params for name in parameter.opts}
    return options.union(*(options_of(below) for below in getattr(command, "commands", {}).values()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_in_pages_runs(page, capsys):
    for program in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        exec(compile(program, str(page), "exec"), {})
        assert capsys.readouterr().out


def test_the_feeds_file_that_the_readme_shows_can_be_read(tmp_path):
    (example,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    feeds = tmp_path / "intel.yaml"
    feeds.write_text(example)
    assert [feed.category for feed in read_feeds(feeds)] == ["c2", "crypto"]


def test_the_picture_shows_every_package_once():
    picture = ElementTree.fromstring((ROOT / "docs/imports.svg").read_text(encoding="utf-8"))
    names = [text.text for text in picture.iter(f"{SVG}text") if text.get("class") == "name"]
    assert sorted(names) == sorted(by_package(import_graph(modules(PACKAGE))))


class TestPicture:
    def test_boxes_of_a_row_do_not_overlap_and_rows_go_down(self):
        centres = place(LAYERS, GRAPH).centres
        assert abs(centres["middle"][0] - centres["side"][0]) > BOX_WIDTH
        assert centres["middle"][1] == centres["side"][1]
        assert centres["bottom"][1] - centres["middle"][1] > BOX_HEIGHT
        assert centres["middle"][1] - centres["top"][1] > BOX_HEIGHT

    def test_an_import_that_passes_a_row_keeps_clear_of_its_boxes(self):
        centres = place(LAYERS, GRAPH).centres
        lane = centres["top", "bottom", 1]
        assert all(abs(lane[0] - centres[box][0]) > BOX_WIDTH / 2 for box in LAYERS[1])

    def test_each_import_is_one_curve(self):
        picture = ElementTree.fromstring(draw(LAYERS, GRAPH, dict.fromkeys(("top", "middle", "side", "bottom"), "x")))
        assert sum(path.get("class") == "import" for path in picture.iter(f"{SVG}path")) == 3

    def test_texts_are_escaped(self):
        picture = ElementTree.fromstring(draw((("one",),), {}, {"one": "a < b & c"}))
        assert [text.text for text in picture.iter(f"{SVG}text")] == ["one", "a < b & c"]

    def test_packages_that_are_not_there_are_left_out(self):
        picture = ElementTree.fromstring(draw(LAYERS, {}, {"top": "x"}))
        assert [text.text for text in picture.iter(f"{SVG}text") if text.get("class") == "name"] == ["top"]


class TestBlocks:
    PAGE = "by hand\n<!-- generated: one -->\nold\n<!-- end -->\nby hand too\n"

    def test_a_block_replaces_what_was_there_and_nothing_else(self):
        filled = fill(self.PAGE, {"one": r"new \1"})
        assert filled == "by hand\n<!-- generated: one -->\nnew \\1\n<!-- end -->\nby hand too\n"
        assert fill(filled, {"one": r"new \1"}) == filled

    def test_a_page_without_a_place_for_a_block_is_refused(self):
        with pytest.raises(ValueError, match="'two'"):
            fill(self.PAGE, {"two": "x"})
