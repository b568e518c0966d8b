"""`make notebooks`: runs all notebooks on simulated accounts and stores them with what they show."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.notebooks.running import notebooks, run, stored

with TemporaryDirectory(prefix="guardray-notebooks-") as folder:
    for path in notebooks():
        if not sys.argv[1:] or any(path.name.startswith(number) for number in sys.argv[1:]):
            print(path.name, flush=True)
            path.write_text(stored(run(path, {"GUARDRAY_SIMULATED": str(Path(folder))})), encoding="utf-8")
