"""Ctrl-C, and errors that nobody expected."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from guardray.cli import main
from guardray.cli.interrupts import told_in_one_line

GUARDRAY = [sys.executable, "-m", "guardray"]


def started(*arguments: str, **how) -> subprocess.Popen[str]:
    return subprocess.Popen([*GUARDRAY, *arguments], text=True, stderr=subprocess.PIPE, **how)


def test_an_interrupt_of_a_scan_is_one_line_and_writes_no_output(tmp_path: Path):
    """The scan waits for a pipe that nobody writes to, as it may wait for a network."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    scan = started("scan", str(pipe), "--output", str(tmp_path / "findings.jsonl"), cwd=tmp_path)
    held = os.open(pipe, os.O_WRONLY)  # returns when the scan has begun to read
    time.sleep(0.2)
    scan.send_signal(signal.SIGINT)
    time.sleep(0.2)
    os.close(held)
    assert scan.communicate(timeout=60)[1] == "guardray: interrupted\n"
    assert scan.returncode == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pipe"]


def test_an_interrupt_while_the_command_is_being_loaded_is_one_line_too():
    """Python tells of each module that it has loaded, so that the moment is sure."""
    load = [sys.executable, "-X", "importtime", "-m", "guardray", "detectors", "list"]
    with subprocess.Popen(load, text=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as command:
        next(line for line in command.stderr if line.split()[-1] == "typer")
        command.send_signal(signal.SIGINT)
        told = [line for line in command.stderr if not line.startswith("import time:")]
    assert (command.returncode, told) == (130, ["guardray: interrupted\n"])


def test_a_second_interrupt_is_the_systems_own(capsys: pytest.CaptureFixture[str]):
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit, match="130"), told_in_one_line():
            raise KeyboardInterrupt
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == "guardray: interrupted\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ZeroDivisionError("division\nby zero"), "guardray: unexpected ZeroDivisionError: division by zero; --verbose"),
        (PermissionError(13, "Permission denied", "/secret"), "guardray: /secret: Permission denied"),
    ],
)
def test_an_error_that_nobody_expected_is_one_line_and_not_the_status_of_a_finding(
    error: Exception, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("guardray.cli.scan.locate", fails)
    for options in ((), ("--verbose",)):
        monkeypatch.setattr("sys.argv", ["guardray", "scan", "anything", *options])
        with pytest.raises(SystemExit, match="2"):
            main()
        shown = capsys.readouterr().err.splitlines()
        assert shown[-1].startswith(told)
        assert (len(shown) > 1) is bool(options)
