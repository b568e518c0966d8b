"""What figures were measured on."""

from __future__ import annotations

import platform
import re
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


def processor_name(cpuinfo: Path = CPUINFO) -> str:
    """The processor's model; where the system does not tell, its architecture."""
    try:
        model = re.search(r"^model name\s*:\s*(\S.*)", cpuinfo.read_text(encoding="utf-8"), flags=re.MULTILINE)
    except OSError:
        model = None
    return model[1].strip() if model else platform.machine()
