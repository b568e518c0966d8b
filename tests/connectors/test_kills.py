"""A reader that is killed at random steps loses nothing and reads nothing twice, whatever source it reads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from connectors.test_notifications import s3_message

from guardray.connectors.notifications import ObjectCreated
from guardray.connectors.spool import Spool, SpoolConfig

CONSUMER = Path(__file__).with_name("consumer.py")
ROOT = Path(__file__).parents[2]
KILLS = 8
OBJECTS = 61


@dataclass
class Fed:
    """A source that the test feeds.

    Args:
        url: to read.
        put: adds the object with a number; its text is `object-NUMBER`.
        is_empty: whether nothing is left that the source should have deleted.
        options: of the source.
        idle_s: for how long nothing has to arrive before it is certain that nothing will.
    """

    url: str
    put: Callable[[int], None]
    is_empty: Callable[[], bool] = lambda: True
    options: dict[str, Any] = field(default_factory=dict)
    idle_s: float = 1.0


def name_of(number: int) -> str:
    return f"object-{number:03}"


def folder(tmp_path: Path, **_: Any) -> Fed:
    """Whole files by turns with lines that are appended to one."""
    path = tmp_path / "logs"
    path.mkdir()

    def put(number: int) -> None:
        with (path / ("growing.log" if number % 2 else f"{number}.log")).open("a") as file:
            file.write(name_of(number) + "\n")

    return Fed(str(path), put, options={"still": 0.2}, idle_s=1.5)


def spool(tmp_path: Path, **_: Any) -> Fed:
    path = tmp_path / "spool"
    path.mkdir()

    def put(number: int) -> None:
        # As the spool itself writes, without a log around what is to be counted.
        partial = path / f".{number}"
        partial.write_text(name_of(number))
        partial.rename(path / f"{number:05}-x.log")

    return Fed(f"spool:{path}", put, is_empty=lambda: not any(path.iterdir()))


def listing(bucket: str, client: Callable[..., Any], aws: str, **_: Any) -> Fed:
    s3 = client("s3")

    def put(number: int) -> None:
        # Not in the order of keys: half of them are late.
        key = f"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/{20 + number % 3}/{number * 37 % 100:02}.json"
        s3.put_object(Bucket=bucket, Key=key, Body=name_of(number).encode())

    return Fed(f"s3://{bucket}/", put, options={"endpoint": aws})


def queue(bucket: str, client: Callable[..., Any], aws: str, **_: Any) -> Fed:
    """Messages of one, two and three objects."""
    s3, sqs = client("s3"), client("sqs")
    url = sqs.create_queue(QueueName=f"kills-{uuid4().hex[:12]}")["QueueUrl"]
    told: list[str] = []

    def put(number: int) -> None:
        s3.put_object(Bucket=bucket, Key=name_of(number), Body=name_of(number).encode())
        told.append(name_of(number))
        if len(told) > number % 3:
            created = (ObjectCreated(bucket=bucket, key=key) for key in told)
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(s3_message(*created)))
            told.clear()

    def is_empty() -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return not told and sum(map(int, left.values())) == 0

    options = {"region": "eu-west-1", "endpoint": aws, "visibility": 3, "wait_s": 0, "max_receives": 1_000}
    return Fed(url, put, is_empty, options, idle_s=5)


def run(fed: Fed, checkpoint: Path, endpoint: str | None, *, seed: int, likely: float) -> int:
    settings = {
        "url": fed.url,
        "options": fed.options,
        "endpoint": endpoint,
        "checkpoint": str(checkpoint),
        "seed": seed,
        "likely": likely,
        "idle_s": fed.idle_s,
    }
    command = [sys.executable, str(CONSUMER), json.dumps(settings)]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=120).returncode


@pytest.mark.slow
@pytest.mark.parametrize("source", [folder, spool, listing, queue], ids=lambda make: make.__name__)
def test_nothing_is_lost_and_nothing_read_twice_when_the_reader_is_killed(source, tmp_path, request):
    needs = {name: request.getfixturevalue(name) for name in ("aws", "client", "bucket") if source in (listing, queue)}
    fed = source(tmp_path=tmp_path, **needs)
    checkpoint = tmp_path / "checkpoint.json"
    share = OBJECTS // (KILLS + 2)
    put = 0
    killed = 0
    for seed in range(KILLS):
        for number in range(put, put + share):
            fed.put(number)
        put += share
        code = run(fed, checkpoint, needs.get("aws"), seed=seed, likely=0.1)
        assert code in (0, -signal.SIGKILL)
        killed += code != 0
    for number in range(put, OBJECTS):
        fed.put(number)
    assert run(fed, checkpoint, needs.get("aws"), seed=99, likely=0) == 0
    read = json.loads(checkpoint.read_text())["read"]
    assert sorted(read) == [name_of(number) for number in range(OBJECTS)]
    assert fed.is_empty()
    assert killed >= KILLS // 2


@pytest.mark.slow
def test_a_spool_that_is_killed_while_it_takes_bodies_has_all_that_it_said_it_has(tmp_path):
    path, told = tmp_path / "spool", tmp_path / "told"
    program = (
        "import sys; from pathlib import Path; from guardray.connectors.spool import Spool, SpoolConfig\n"
        "spool = Spool(SpoolConfig(path=Path(sys.argv[1]), max_objects=10**9, max_bytes=10**12))\n"
        "with open(sys.argv[2], 'a') as told:\n"
        "    while True:\n"
        "        name = spool.accept('sender', [b'{\"Records\": [', b' ' * 100_000, b']}']).name\n"
        "        told.write(name + '\\n'); told.flush()\n"
    )
    for delay in (0.6, 0.8, 1.0, 1.3):
        writer = subprocess.Popen([sys.executable, "-c", program, str(path), str(told)], cwd=ROOT)
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(delay + 1)
        writer.kill()
        writer.wait()
    names = told.read_text().split()
    assert names
    assert all((path / name).stat().st_size == 100_000 + len('{"Records": [') + len("]}") for name in names)
    assert Spool(SpoolConfig(path=path)).usage().objects >= len(names)
