"""A publisher that is killed again and again, at the worst moments too: every finding arrives, none is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from finding_examples import folded, sighting
from publish.conftest import environment
from publish.hook_server import answer

from guardray.publish.publisher import utc_now
from guardray.store.findings import FindingStore
from guardray.store.outbox import Outbox
from guardray.store.outbox_register import Subscription

KILLS = 5
EPOCHS = 40
FINDINGS = 6
BATCH = 10


class Victim:
    """A publisher's process that is started again whenever it was killed."""

    def __init__(self, *arguments: str) -> None:
        self._command = [sys.executable, str(Path(__file__).parent / "publishing.py"), *arguments]
        self.kills = 0
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, env=environment())

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.kills += 1

    def revive(self) -> None:
        if self.process.poll() is not None:
            assert self.process.returncode == -signal.SIGKILL
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def kill_at_random_times(victim: Victim, hooks, chance: random.Random) -> None:
    """Kills it soon after it has done something, as often as it is to be."""
    while victim.kills < KILLS:
        seen = len(hooks.requests)
        while len(hooks.requests) < seen + 2:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.3))
        victim.kill()
        victim.process.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("store_url", "moment"),
    [
        ("sqlite", "before the answer"),
        ("postgresql", "after the answer"),
        ("sqlite", "at any time"),
        ("postgresql", "at any time"),
    ],
    indirect=["store_url"],
)
def test_every_finding_arrives_however_often_the_publisher_is_killed(moment, store_url, hooks, config, tmp_path):
    destinations = config(
        f"name: w, kind: webhook, url: '{hooks.url()}', secret: {{env: HOOK_SECRET}}, allow_http: true, "
        "allow_private_addresses: true",
        "name: f, kind: file, folder: out",
    )
    chance = random.Random(moment)
    fatal = set(chance.sample(range(5, EPOCHS * FINDINGS // 2), KILLS)) if moment != "at any time" else set()
    pace_s = 0.02 if moment == "at any time" else 0.0
    answered = Counter[str]()

    def behave(handler, number):
        dies = number in fatal
        if dies and moment == "before the answer":
            victim.kill()
            return
        answered[handler.headers["webhook-id"]] += 1
        time.sleep(pace_s)
        answer(handler, 204)
        if dies:
            victim.kill()

    hooks.behave = behave
    with (
        FindingStore.open(store_url) as store,
        Outbox.open(store_url) as outbox,
        Victim(store_url, str(tmp_path / "publish.yaml")) as victim,
    ):
        outbox.register([one.subscription() for one in destinations], utc_now())
        committing = threading.Thread(target=commit_all, args=[store])
        committing.start()
        if moment == "at any time":
            threading.Thread(target=kill_at_random_times, args=[victim, hooks, chance], daemon=True).start()
        deadline = time.monotonic() + 150
        while any(status.sent < EPOCHS * FINDINGS for status in outbox.status(utc_now())):
            assert time.monotonic() < deadline, outbox.status(utc_now())
            victim.revive()
            time.sleep(0.02)
        committing.join()
        assert victim.kills == KILLS
        expected = {finding.id for finding in store.findings()}
        assert [(one.due, one.later, one.dead) for one in outbox.status(utc_now())] == [(0, 0, 0)] * 2
    assert len(expected) == EPOCHS * FINDINGS
    posted = [json.loads(request.body)["detail"]["id"] for request in hooks.requests]
    written = [
        json.loads(line)["id"] for path in (tmp_path / "out").iterdir() for line in path.read_text().splitlines()
    ]
    assert set(posted) == set(written) == expected
    assert len(answered) == len(expected)
    assert len(posted) - len(expected) <= KILLS * BATCH


def commit_all(store: FindingStore) -> None:
    for epoch in range(EPOCHS):
        names = range(epoch * FINDINGS, (epoch + 1) * FINDINGS)
        findings = folded([sighting("Recon:EC2/Portscan", f"entity {name}", digest=name) for name in names])
        store.commit(findings, epoch=f"epoch {epoch}", now=utc_now())
        time.sleep(0.05)


def test_a_finding_and_its_place_in_the_outbox_are_written_together_or_not_at_all(store_url):
    """A process that is killed while it commits leaves no finding that nobody is told of, and none twice."""
    with FindingStore.open(store_url) as store, Outbox.open(store_url) as outbox:
        outbox.register([Subscription(name="w", update_every=utc_now() - utc_now())], utc_now())
        for _ in range(4):
            child = subprocess.Popen([sys.executable, "-c", COMMITTING, store_url], stdout=subprocess.PIPE)
            child.stdout.readline()
            time.sleep(random.uniform(0.05, 0.4))
            child.kill()
            child.wait()
            child.stdout.close()
        (status,) = outbox.status(utc_now())
        assert status.due == len(store.findings()) > 0


COMMITTING = f"""
import sys, os
sys.path[:0] = [{str(Path(__file__).parents[1])!r}]
from finding_examples import folded, sighting
from guardray.publish.publisher import utc_now
from guardray.store.findings import FindingStore
store = FindingStore.open(sys.argv[1])
print("ready", flush=True)
n = 0
while True:
    n += 1
    names = [f"entity {{os.getpid()}} {{n}} {{k}}" for k in range(50)]
    findings = folded([sighting("Recon:EC2/Portscan", name, digest=n) for name in names])
    store.commit(findings, epoch=f"{{os.getpid()}} {{n}}", now=utc_now())
"""
