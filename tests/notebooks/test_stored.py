"""The notebooks as they are kept: small, with what they show, and without anything of the machine that ran them."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.running import NOTEBOOKS, notebooks, read, shown, stored

LOCAL = re.compile(r"(?:^|[\s'\"(=])(?:/[\w.-]+){2,}|[A-Z]:\\|ipykernel_\d|<ipython-input")
"""Paths that begin at the root, and names of the kernel's own files."""

MOST_BYTES = 400_000

every = pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)


@every
def test_a_notebook_is_valid_and_stored_in_one_form(path: Path) -> None:
    book = read(path)
    nbformat.validate(book)
    assert path.read_text(encoding="utf-8") == stored(book)


@every
def test_a_notebook_is_stored_as_it_was_run_to_its_end_without_failures_or_warnings_or_not_run_at_all(
    path: Path,
) -> None:
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    run = [cell.execution_count for cell in cells]
    assert run in ([None] * len(cells), list(range(1, len(cells) + 1)))
    outputs = [output for cell in cells for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []


@every
def test_no_output_names_a_place_on_the_machine_that_ran_it(path: Path) -> None:
    texts = shown(read(path))
    assert [found.group() for text in texts for found in LOCAL.finditer(re.sub(r"</?\w[^>]*>", " ", text))] == []
    assert not any(str(Path.home()) in text or str(NOTEBOOKS.parent) in text for text in texts)


@every
def test_a_notebook_is_small(path: Path) -> None:
    assert path.stat().st_size < MOST_BYTES


def test_a_local_path_in_an_output_would_be_found() -> None:
    assert LOCAL.search("written to /somewhere/else")
    assert LOCAL.search("('/srv/x/y')")
    assert not LOCAL.search("arn:aws:sts::622010379938:assumed-role/posture/uma and kms/Decrypt/x")
