"""What comes out of logs, file names and object keys is shown, and does nothing to the terminal that shows it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from scanning import ROOT_CALL, scan

from guardray.cli.messages import say
from guardray.cli.simulate import scan_command

ESCAPES = "\x1b[31m\x1b]0;title\x07\r\u202e"


def said(text: str, width: int = 80) -> str:
    stream = io.StringIO()
    say(Console(file=stream, width=width, force_terminal=True), text)
    return stream.getvalue()


@pytest.mark.parametrize("text", ["[bold]x[/]", "[/]", "a\\[b", "[link=file:///etc/passwd]x[/link]"])
def test_markup_is_shown_as_it_is(text: str):
    assert said(text) == f"{text}\n"


def test_a_long_line_stays_one_line_so_that_paths_and_commands_can_be_copied():
    assert said("x" * 200, width=40) == "x" * 200 + "\n"


def test_control_characters_are_replaced_and_line_ends_stay():
    assert said(f"a{ESCAPES}\nb") == "a�[31m�]0;title���\nb\n"


def test_names_of_files_that_are_set_aside_control_no_terminal(tmp_path: Path):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / f"{ESCAPES}[bold].log").write_text("garbage")
    result = scan(folder, state=tmp_path / "state")
    assert result.exit_code == 3
    assert "\x1b" not in result.stderr
    assert "[bold].log: no known log format" in result.stderr


def test_an_error_about_a_name_controls_no_terminal(tmp_path: Path):
    command = [sys.executable, "-m", "guardray", "scan", f"gone{ESCAPES}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (2, "guardray: gone�[31m�]0;title���: no such file or folder\n")


def test_what_a_log_says_controls_no_terminal_and_breaks_no_line_of_json(tmp_path: Path):
    evil = f"{ESCAPES}\n{{}}\u2028[bold]"
    event = ROOT_CALL | {"eventName": evil, "sourceIPAddress": evil, "awsRegion": evil, "recipientAccountId": evil}
    trail = tmp_path / "trail.json"
    trail.write_text(json.dumps({"Records": [event]}))
    assert not set(scan(trail, "--quiet", state=tmp_path).stdout) & set("\x1b\x07\r\u202e\u2028")
    for format_ in ("jsonl", "ocsf", "asff"):
        text = scan(trail, "--quiet", "--format", format_, state=tmp_path).stdout
        (line, after) = text.split("\n")
        assert json.loads(line)
        assert after == ""


@pytest.mark.parametrize(
    ("called", "shown"),
    [
        ("/opt/guard ray/bin/guardray", "'/opt/guard ray/bin/guardray' scan"),
        ("/lib/guardray/__main__.py", "python -m guardray scan"),
    ],
)
def test_what_is_shown_to_be_typed_begins_as_the_program_was_called(
    monkeypatch: pytest.MonkeyPatch, called: str, shown: str
):
    monkeypatch.setattr(sys, "argv", [called])
    assert scan_command(Path("out")).startswith(shown)
