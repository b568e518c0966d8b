"""The service as an application of Serve: it becomes ready, and its coordinator comes back when it is gone."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.ray, pytest.mark.slow]

DRIVER = """
import sys
import time
import urllib.error
import urllib.request

import ray
from ray import serve
from ray.serve.config import HTTPOptions

from guardray.runtime.application import Arguments, application
from guardray.runtime.service import COORDINATOR, NAMESPACE

config, port = sys.argv[1:]


def until(question):
    end = time.monotonic() + 90
    while not (found := question()):
        assert time.monotonic() < end, question.__name__
        time.sleep(0.5)
    return found


def ready():
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).status == 200
    except (urllib.error.URLError, TimeoutError):
        return False


def coordinator():
    try:
        return ray.get_actor(COORDINATOR, namespace=NAMESPACE)
    except ValueError:
        return None


ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
serve.start(http_options=HTTPOptions(host="127.0.0.1", port=int(port)))
serve.run(application(Arguments(config=config)), name="guardray", route_prefix="/")
until(ready)
first = coordinator()
ray.get(first.stop.remote(), timeout=60)
ray.kill(first)
second = until(lambda: (found := coordinator()) and found != first and found)
print("phase:", ray.get(second.phase.remote(), timeout=90))
serve.shutdown()
ray.shutdown()
"""
"""In a process of its own: Serve starts once in a cluster, and the tests' own is for others."""


def test_the_service_becomes_ready_and_a_lost_coordinator_is_made_anew(tmp_path):
    (tmp_path / "logs").mkdir()
    config = tmp_path / "guardray.yaml"
    config.write_text("data: state\nsources: [logs]", encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(config), str(port)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"RAY_SERVE_ENABLE_HA_PROXY": "0", "RAY_AUTH_MODE": "disabled"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.search(r"^phase: (starting|restoring|running)$", done.stdout, flags=re.MULTILINE), done.stdout
