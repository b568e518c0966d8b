"""Files are the old ones or the new ones, never half of one."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from guardray.intel.files import replace_file


def test_a_file_is_made_and_replaced(tmp_path):
    path = tmp_path / "new" / "file"
    replace_file(path, b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def test_a_file_that_cannot_be_replaced_is_what_it_was(tmp_path):
    (tmp_path / "file" / "is a folder").mkdir(parents=True)
    with pytest.raises(OSError, match="file"):
        replace_file(tmp_path / "file", b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_process_that_is_killed_leaves_a_whole_file(tmp_path):
    """At any moment: it writes megabytes of one digit after another."""
    program = (
        "import sys; from pathlib import Path; from guardray.intel.files import replace_file\n"
        "for n in range(10**6): replace_file(Path(sys.argv[1]), str(n % 10).encode() * 2**22)"
    )
    path = tmp_path / "file"
    for round_ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", program, path])
        while not path.exists():
            time.sleep(0.01)
        time.sleep(0.05 + 0.013 * round_)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        content = path.read_bytes()
        assert content == content[:1] * 2**22
