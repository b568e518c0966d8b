"""A cluster of this machine whose nodes come and go by Ray's own autoscaler.

`ray.cluster_utils.AutoscalingCluster` is the same, but ends every process of Ray on the machine when it starts and
stops, and needs a file that Ray's wheel lacks. This one ends what it started, and nothing else.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from ray.autoscaler._private.fake_multi_node.node_provider import FAKE_HEAD_NODE_ID

from tests.chaos.tree import free_port

_RAY = Path(sys.executable).with_name("ray")
_MARK = "ELASTIC_CLUSTER"
"""Each process inherits the variable, by which it is found when it is to end."""


@contextmanager
def autoscaling(folder: Path, most: int, idle_minutes: float = 0.25) -> Iterator[str]:
    """The address of a cluster with a core on each node: the head, and up to so many in all.

    Args:
        folder: where its configuration and its sessions are; a short path, since names of sockets may not be long.
        idle_minutes: a node on which nothing was asked for so long is let go.
    """
    address, mark = f"127.0.0.1:{free_port()}", uuid4().hex
    config = folder / "autoscaler.json"
    config.write_text(json.dumps(_config(address, most, idle_minutes)))
    host, _, port = address.partition(":")
    command = [_RAY, "start", "--head", f"--node-ip-address={host}", f"--port={port}", "--num-cpus=1"]
    command += ["--include-dashboard=false", f"--temp-dir={folder}", f"--autoscaling-config={config}"]
    try:
        subprocess.run(command, check=True, env=os.environ | _variables() | {_MARK: mark}, stdout=subprocess.DEVNULL)
        yield address
    finally:
        _end(mark)


def _variables() -> dict[str, str]:
    return {
        "AUTOSCALER_UPDATE_INTERVAL_S": "1",
        "RAY_FAKE_CLUSTER": "1",
        "RAY_raylet_start_wait_time_s": "180",
        "RAY_enable_autoscaler_v2": "1",
        "RAY_CLOUD_INSTANCE_ID": FAKE_HEAD_NODE_ID,
        "RAY_OVERRIDE_NODE_ID_FOR_TESTING": FAKE_HEAD_NODE_ID,
    }


def _config(address: str, most: int, idle_minutes: float) -> dict[str, Any]:
    node = {"resources": {"CPU": 1}, "node_config": {}}
    provider = {
        "type": "external",  # by Ray's own name for it, it would look for a file that its wheel lacks
        "module": "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider",
        "gcs_address": address,
        "head_node_id": FAKE_HEAD_NODE_ID,
        "launch_multiple": True,
        "use_node_id_as_ip": True,
        "disable_node_updaters": True,
        "disable_launch_config_check": True,
    }
    nothing: dict[str, Any] = {
        name: []
        for name in (
            "initialization_commands",
            "setup_commands",
            "head_setup_commands",
            "worker_setup_commands",
            "head_start_ray_commands",
            "worker_start_ray_commands",
            "cluster_synced_files",
            "rsync_exclude",
            "rsync_filter",
        )
    }
    return nothing | {
        "cluster_name": "elastic",
        "max_workers": most - 1,
        "provider": provider,
        "available_node_types": {
            "ray.head.default": node | {"max_workers": 0},
            "worker": node | {"min_workers": 0, "max_workers": most - 1},
        },
        "head_node_type": "ray.head.default",
        "upscaling_speed": 1.0,
        "idle_timeout_minutes": idle_minutes,
        "auth": {},
        "docker": {},
        "file_mounts": {},
        "file_mounts_sync_continuously": False,
    }


def _end(mark: str) -> None:
    for process in psutil.process_iter():
        try:
            if process.environ().get(_MARK) == mark:
                process.send_signal(signal.SIGKILL)
        except psutil.Error:  # it is gone, or somebody else's
            continue
