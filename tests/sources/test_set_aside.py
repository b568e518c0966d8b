"""Rows set aside under the state folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from guardray.sources import set_aside
from guardray.sources.decoder import BadRow
from guardray.sources.set_aside import CONTENT_BYTES, SetAside, SetAsideFolder

NOW = datetime(2024, 5, 1, 10, 30, tzinfo=UTC)


def test_a_row_is_kept_with_its_place_and_reason_and_content(tmp_path):
    folder = SetAsideFolder(tmp_path, NOW)
    rows = [
        SetAside("a.json", 12, "not JSON", b'{"caf\xc3\xa9"'),
        SetAside("b.json", 0, "not UTF-8", b"caf\xe9"),
        SetAside("c.gz", 99, "truncated"),
        SetAside("d.bin", None, "no known log format"),
    ]
    for row in rows:
        folder.add(row, NOW)
    assert list(SetAsideFolder(tmp_path).entries()) == rows


def test_a_line_of_the_file_can_be_read_by_any_program(tmp_path):
    folder = SetAsideFolder(tmp_path, NOW)
    folder.add(SetAside("a.json", 12, "not JSON", b"{"), NOW)
    [path] = (tmp_path / "set-aside").iterdir()
    assert str(folder) == str(path)
    assert json.loads(path.read_text()) == {
        "time": "2024-05-01T10:30:00Z",
        "url": "a.json",
        "reason": "not JSON",
        "position": 12,
        "content": "{",
    }


def test_runs_have_files_of_their_own_and_none_without_a_row(tmp_path):
    SetAsideFolder(tmp_path)
    assert not (tmp_path / "set-aside").exists()
    for day in (2, 1):
        SetAsideFolder(tmp_path, NOW + timedelta(days=day)).add(SetAside(f"day {day}", None, "?"), NOW)
    assert [row.url for row in SetAsideFolder(tmp_path).entries()] == ["day 1", "day 2"]


def test_of_a_long_row_the_beginning_is_kept():
    row = SetAside.row("a", BadRow(position=1, reason="?", content=b"x" * (CONTENT_BYTES + 1)))
    assert row.content == b"x" * CONTENT_BYTES


def test_after_so_many_bytes_only_places_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(set_aside, "_FOLDER_BYTES", 10)
    folder = SetAsideFolder(tmp_path)
    for position in range(4):
        folder.add(SetAside("a", position, "?", b"12345"))
    assert [row.content for row in folder.entries()] == [b"12345", b"12345", None, None]


def test_the_last_one_written_down_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(set_aside, "_MOST_ENTRIES", 2)
    folder = SetAsideFolder(tmp_path)
    for position in range(4):
        folder.add(SetAside("a", position, "?", b"12345"))
    assert [row.reason for row in folder.entries()] == ["?", "? (the last one that is written down)"]


def test_it_reads_as_one_line_naming_object_offset_and_reason():
    assert str(SetAside("a.json", 12, "not JSON", b"{")) == "a.json, offset 12: not JSON"
    assert str(SetAside("a.json", None, "no such file")) == "a.json: no such file"


def test_an_object_whose_name_is_not_utf8_is_written_down_readably(tmp_path):
    folder = SetAsideFolder(tmp_path)
    folder.add(SetAside("logs/caf\udce9.gz", None, "truncated"))
    assert [row.url for row in folder.entries()] == ["logs/caf\\xe9.gz"]
