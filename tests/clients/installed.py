"""Clients that are no dependency of ours, each in an environment of its own below `.cache/clients`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_HOME = Path(__file__).resolve().parents[2] / ".cache" / "clients"


def environment(package: str) -> Path:
    """The `bin` folder of an environment that has the package: made at its first use, which takes minutes."""
    home = _HOME / package
    ready = home / ".ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, package], check=True)
        ready.touch()
    return home / "bin"
