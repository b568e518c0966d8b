"""`guardray inventory export` where it cannot do what it is asked for; what it does is tested beside `documents`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from guardray.cli.app import app
from guardray.errors import UsageError


@pytest.mark.parametrize(
    ("out", "options", "message"),
    [
        (".", (), "out .*: is a folder"),
        ("no/such/folder.json", (), "out .*folder.json: No such file"),
        ("out.json", ("--region", ""), "--region ''"),
    ],
)
def test_what_cannot_be_is_refused_before_aws_is_asked(tmp_path: Path, out: str, options: tuple, message: str):
    with pytest.raises(UsageError, match=message):
        CliRunner().invoke(app, ["inventory", "export", str(tmp_path / out), *options], catch_exceptions=False)
