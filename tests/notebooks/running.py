"""Runs notebooks as a reader would, and stores what they show."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

CELL_TIMEOUT_S = 3600
"""Only for what would never end: on a loaded machine a trial takes many times its share."""


def notebooks() -> list[Path]:
    """All of them, in the order of their numbers."""
    return sorted(NOTEBOOKS.glob("*.ipynb"))


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def run(path: Path, environment: Mapping[str, str]) -> nbformat.NotebookNode:
    """A notebook with what its cells show.

    Args:
        environment: variables that its first cell reads, beside those of this process.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    book = read(path)
    client = NotebookClient(book, timeout=CELL_TIMEOUT_S, kernel_name="python3", record_timing=False)
    client.execute(cwd=str(path.parent), env={**os.environ, **environment})
    return book


def stored(book: nbformat.NotebookNode) -> str:
    """A notebook as it is kept: with its outputs, and with nothing of where and when it ran."""
    book.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(book.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata = {}
    return nbformat.writes(book) + "\n"


def shown(book: nbformat.NotebookNode) -> list[str]:
    """The texts of all outputs: streams, and each form of what was displayed but pictures."""
    texts = []
    for output in (output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs):
        texts.append(output.get("text", ""))
        texts += [value for kind, value in output.get("data", {}).items() if not kind.startswith("image/")]
    return texts


def notebook(number: str) -> Path:
    """The one of that number."""
    (found,) = NOTEBOOKS.glob(f"{number}-*.ipynb")
    return found
