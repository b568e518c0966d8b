"""Writes every generated file whose content has changed."""

from __future__ import annotations

from guardray_docs.pages import generated

for path, content in generated().items():
    if not path.is_file() or path.read_text(encoding="utf-8") != content:
        path.write_text(content, encoding="utf-8")
