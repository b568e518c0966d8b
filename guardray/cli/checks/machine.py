"""The machine: cores, memory, disk, shared memory, clock, and where compiled code is kept.

In a container the bounds of its control group count, not what the host has.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

import guardray
from guardray.cli.checks.check import Check, fail, ok, warn

CGROUPS = Path("/sys/fs/cgroup")
SHARED_MEMORY = Path("/dev/shm")

GIB = 2**30
MIB = 2**20

MEMORY_WANTED = 2 * GIB
"""A process with polars, numba and pyarrow loaded takes some 150 MB, Ray runs several, and batches come on top."""

DISK_WANTED = GIB
"""What is set aside is bounded to a quarter of this; findings, and what Ray spills, need room as well."""

RAY_SHARE = 0.3
"""Share of the memory that Ray takes for its object store by default."""


def check_cores(cgroups: Path = CGROUPS) -> Check:
    """Cores that this process may use."""
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    quota = cores_of_cgroup(cgroups)
    if quota is not None and quota < allowed:
        return ok("Cores", f"{quota:g} of {os.cpu_count()} (bounded by the container)")
    return ok("Cores", f"{allowed}")


def check_memory(cgroups: Path = CGROUPS) -> Check:
    """Memory that this process may use."""
    total, available = memory_limit(cgroups), psutil.virtual_memory().available
    found = f"{_gib(total)}, of which {_gib(min(total, available))} are free"
    if total < MEMORY_WANTED:
        return warn("Memory", found, f"give it {_gib(MEMORY_WANTED)}, or scan with --engine local")
    return ok("Memory", found)


def memory_limit(cgroups: Path = CGROUPS) -> int:
    """Bytes: those of the machine, or fewer where the control group is bounded."""
    total: int = psutil.virtual_memory().total
    limits = (_number(cgroups / "memory.max"), _number(cgroups / "memory/memory.limit_in_bytes"))
    return min([total, *(limit for limit in limits if limit is not None)])


def cores_of_cgroup(cgroups: Path) -> float | None:
    """Cores that the control group (version 2 or 1) grants; None where it sets no bound."""
    quota, _, period = _text(cgroups / "cpu.max").partition(" ")
    if not period:
        quota, period = _text(cgroups / "cpu/cpu.cfs_quota_us"), _text(cgroups / "cpu/cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


def check_state_folder(folder: Path) -> Check:
    """Whether what is set aside can be written, and whether there is room."""
    subject, nearest = "State folder", _nearest_existing(folder)
    if (refusal := refusal_to_write(nearest)) is not None:
        return fail(subject, f"{folder}: {refusal}", "choose a folder that you may write to: --state FOLDER")
    free = shutil.disk_usage(nearest).free
    found = f"{folder}, {_gib(free)} free"
    return ok(subject, found) if free >= DISK_WANTED else warn(subject, found, "free some space or move it: --state")


def check_shared_memory(folder: Path = SHARED_MEMORY, cgroups: Path = CGROUPS) -> Check:
    """Whether Ray's object store fits; without room in shared memory Ray puts it on disk, which is much slower."""
    subject = "Shared memory"
    if not folder.is_dir():
        return ok(subject, f"no {folder} on this system; Ray takes ordinary memory")
    size, wanted = shutil.disk_usage(folder).total, int(memory_limit(cgroups) * RAY_SHARE)
    if size < wanted:
        mend = f"give the container --shm-size={wanted // MIB}m, or scan with --engine local"
        return warn(subject, f"{_gib(size)} in {folder}, less than Ray's object store wants", mend)
    return ok(subject, f"{_gib(size)} in {folder}")


def check_compiled_code() -> Check:
    """Whether code that numba compiled can be kept; where it cannot, every run spends the seconds again."""
    subject, configured = "Compiled code", os.environ.get("NUMBA_CACHE_DIR")
    package = Path(guardray.__file__).parent
    folders = [Path(configured)] if configured else [package, Path.home() / ".cache"]
    for folder in folders:
        if refusal_to_write(_nearest_existing(folder)) is None:
            return ok(subject, f"kept in {folder}")
    mend = "set NUMBA_CACHE_DIR to a folder that you may write to"
    return warn(subject, f"cannot be kept in {' or '.join(map(str, folders))}", mend)


def check_clock(now: datetime | None = None) -> Check:
    """Whether the clock can be right, and whether time measured here only goes forward."""
    now = now or datetime.now(UTC)
    installed = datetime.fromtimestamp(Path(guardray.__file__).stat().st_mtime, UTC)
    found = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now < installed:
        return fail("Clock", f"{found}, before this program was installed", "set the clock, best by NTP")
    if not time.get_clock_info("monotonic").monotonic:
        return warn("Clock", f"{found}, but the system has no clock that only goes forward", "expect odd timings")
    return ok("Clock", found)


def refusal_to_write(folder: Path) -> str | None:
    """Why no file can be made in the folder; None when one can."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


def _nearest_existing(path: Path) -> Path:
    """The path, or the first folder above it that there is."""
    return next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii").strip() if path.is_file() else ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdecimal() else None


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
