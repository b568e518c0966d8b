"""What a start of the service has on this machine is its own, and what a start that crashed left is cleared away."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from guardray.service.own_ray import PROXY, SOCKETS, own_folder

HOLDING = (
    "import sys; from pathlib import Path; from guardray.service.own_ray import own_folder\n"
    "with own_folder(Path(sys.argv[1])) as folder: print(folder, flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def proxy(tmp_path: Path) -> str:
    """A program that only waits, and is called as the proxy is."""
    return shutil.copy(shutil.which("tail") or "", tmp_path / PROXY)


def other_start(below: Path) -> tuple[subprocess.Popen[str], Path]:
    """Another process that has a folder of its own there."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDING, below], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    return other, Path(other.stdout.readline().strip())


def waits(proxy: str, folder: Path) -> subprocess.Popen[bytes]:
    """A proxy with its configuration in a folder."""
    configuration = folder / "proxy.cfg"
    configuration.touch()
    return subprocess.Popen([proxy, "-f", configuration])


def test_a_start_that_crashed_leaves_no_folder_and_no_proxy_to_the_next(tmp_path, proxy):
    crashed, folder = other_start(tmp_path / "ray")
    sockets = (folder / SOCKETS).resolve()
    left = waits(proxy, folder)
    crashed.kill()
    crashed.communicate()
    assert sockets.is_dir()
    with own_folder(tmp_path / "ray"):
        assert left.wait(10) == -signal.SIGKILL
        assert not folder.exists()
        assert not sockets.exists()


def test_a_start_that_runs_keeps_its_folder_and_its_proxy(tmp_path, proxy):
    other, folder = other_start(tmp_path / "ray")
    running = waits(proxy, folder)
    with own_folder(tmp_path / "ray") as own:
        assert own != folder
    assert running.poll() is None
    assert (folder / SOCKETS).is_dir()
    other.communicate("")
    assert running.wait(10) == -signal.SIGKILL
    assert not folder.exists()


def test_nobody_else_may_control_the_proxy(tmp_path):
    with own_folder(tmp_path / "ray") as own:
        sockets = (own / SOCKETS).resolve()
        assert (own.stat().st_mode & 0o077, sockets.stat().st_mode & 0o077) == (0, 0)
        assert len(str(sockets / ("0" * 56) / "admin.sock")) < 100
