"""The examples of docs/writing-detectors.md, as a newcomer would copy them."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from guardray.cli.app import app
from guardray.custom.sql import connection

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "writing-detectors.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`(my-rules/[\w.]+)`:\n\n```\w+\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE))


def test_every_file_of_the_page_can_be_copied_and_its_examples_pass(tmp_path):
    assert {Path(name).suffix for name in FILES} == {".yaml", ".py", ".yml"}
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    result = CliRunner().invoke(app, ["detectors", "check", str(tmp_path / "my-rules")])
    assert result.exit_code == 0, result.stdout
    assert "3 detections, 8 examples passed, 0 failed, 0 not loaded" in result.stdout


def test_every_function_that_the_page_names_is_there():
    (table,) = re.findall(r"\| Function \| Gives \|\n.*?\n\n", PAGE, flags=re.DOTALL)
    made = {name for (name,) in connection().execute("SELECT function_name FROM duckdb_functions()").fetchall()}
    named = set(re.findall(r"`(\w+)\(", table))
    assert named - made == {"request", "response", "additional", "request_list"}  # written out when a rule is read


def test_columns_of_every_log_are_listed_with_what_they_hold():
    for log in ("cloudtrail", "vpc-flow", "dns"):
        result = CliRunner().invoke(app, ["detectors", "columns", log])
        assert result.exit_code == 0
        assert "is_trusted" in result.stdout
    assert "who acts, whatever the session" in CliRunner().invoke(app, ["detectors", "columns", "cloudtrail"]).stdout
