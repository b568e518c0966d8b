"""Writes every generated file whose content has changed, and the picture of the demo anew."""

from __future__ import annotations

from guardray_docs.demo import picture
from guardray_docs.pages import DOCS, generated

for path, content in {**generated(), DOCS / "demo.svg": picture()}.items():
    if not path.is_file() or path.read_text(encoding="utf-8") != content:
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
