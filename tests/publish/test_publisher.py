"""The publisher with its threads, in real time."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from finding_examples import c2_domain, folded, one_of_each, sighting
from publish.hook_server import answer, hang, running
from sqlalchemy import text

from guardray.errors import StoreError, UsageError
from guardray.publish.publisher import Publisher, utc_now
from guardray.store.database import Database
from guardray.store.findings import FindingStore
from guardray.store.outbox import Outbox

HOOK = "kind: webhook, secret: {env: HOOK_SECRET}, allow_http: true, allow_private_addresses: true, timeout_s: 30"


def many(number):
    return folded([sighting("Recon:EC2/Portscan", f"entity {n}", digest=n) for n in range(number)])


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.01)


@contextmanager
def publishing(*arguments, **options):
    """A publisher that runs in a thread, stopped at the end; gives it and the list of what `run` returned."""
    publisher, busy = Publisher(*arguments, **options), []
    thread = threading.Thread(target=lambda: busy.append(publisher.run()))
    thread.start()
    try:
        yield publisher, busy
    finally:
        publisher.stop()
        thread.join()
        publisher.close()


def findings_in(folder):
    return [json.loads(line)["id"] for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]


def test_a_slow_destination_holds_no_other(config, hooks, store, outbox, tmp_path):
    hooks.behave = hang(3)
    destinations = config(f"name: slow, url: '{hooks.url()}', {HOOK}", "name: quick, kind: file, folder: out")
    with publishing(destinations, outbox, tmp_path):
        store.commit(one_of_each(), epoch="a", now=utc_now())
        until(lambda: len(hooks.requests) == 1)
        store.commit(many(300), epoch="b", now=utc_now())
        until(lambda: len(findings_in(tmp_path / "out")) == 304)
        assert len(hooks.requests) == 1


def test_stopping_finishes_the_request_that_is_under_way(config, hooks, store, outbox, tmp_path):
    def slowly(handler, number):
        time.sleep(0.5)
        answer(handler, 204)

    hooks.behave = slowly
    destinations = config(f"name: w, url: '{hooks.url()}', {HOOK}")
    with publishing(destinations, outbox, tmp_path) as (publisher, busy):
        store.commit(many(8), epoch="a", now=utc_now())
        until(lambda: hooks.requests)
        publisher.stop()
        until(lambda: busy)
    assert busy == [()]
    (status,) = outbox.status(utc_now())
    assert (status.sent, status.due) == (1, 7)
    assert len(outbox.claim("w", limit=10, now=utc_now(), lease=utc_now() - utc_now())) == 7


def test_one_that_hangs_in_spite_of_its_limits_is_left_and_named(config, hooks, store, outbox, tmp_path, monkeypatch):
    monkeypatch.setattr("guardray.publish.publisher.STOP_S", 0.2)
    hooks.behave = hang(3)
    destinations = config(f"name: stuck, url: '{hooks.url()}', {HOOK}", "name: fine, kind: file, folder: out")
    with publishing(destinations, outbox, tmp_path) as (publisher, busy):
        store.commit(one_of_each(), epoch="a", now=utc_now())
        until(lambda: hooks.requests)
        publisher.stop()
        until(lambda: busy)
    assert busy == [("stuck",)]
    until(lambda: outbox.status(utc_now())[1].due + outbox.status(utc_now())[1].later == 4)


def test_two_publishers_send_nothing_twice(config, hooks, store, outbox, tmp_path):
    destinations = config(f"name: w, url: '{hooks.url()}', {HOOK}")
    with publishing(destinations, outbox, tmp_path), publishing(destinations, outbox, tmp_path):
        for epoch in range(5):
            store.commit(many(200)[epoch * 40 : epoch * 40 + 40], epoch=f"{epoch}", now=utc_now())
        until(lambda: outbox.status(utc_now())[0].sent == 200)
    assert len({request.headers["webhook-id"] for request in hooks.requests}) == len(hooks.requests) == 200


def test_a_database_that_comes_back_is_used_again(config, store, outbox, store_path, tmp_path):
    rounds = []
    destinations = config("name: f, kind: file, folder: out")
    with publishing(destinations, outbox, tmp_path, on_round=rounds.append, uniform=lambda low, high: 0.05):
        with closing(Database(store_path)) as database:
            with database.writing() as connection:
                connection.execute(text("ALTER TABLE outbox RENAME TO away"))
            until(lambda: any(one.error and "no such table: outbox" in one.error for one in rounds))
            with database.writing() as connection:
                connection.execute(text("ALTER TABLE away RENAME TO outbox"))
        store.commit(one_of_each(), epoch="a", now=utc_now())
        until(lambda: len(findings_in(tmp_path / "out")) == 4)


def test_once_sends_what_is_due_and_leaves_what_fails(config, hooks, store, outbox, tmp_path):
    hooks.behave = lambda handler, number: answer(handler, 500)
    destinations = config(f"name: w, url: '{hooks.url()}', {HOOK}", "name: f, kind: file, folder: out")
    outbox.register([one.subscription() for one in destinations], utc_now())
    store.commit(many(1100), epoch="a", now=utc_now())
    rounds = []
    publisher = Publisher(destinations, outbox, tmp_path, on_round=rounds.append)
    assert publisher.run_once() == ()
    assert len(findings_in(tmp_path / "out")) == 1100
    assert [(one.failed, one.sent) for one in rounds if one.destination == "w"] == [(10, 0)]
    publisher.close()


def test_a_destination_without_its_secret_stops_the_start(config, outbox, tmp_path, monkeypatch):
    destinations = config("name: f, kind: file, folder: out", f"name: w, url: 'http://x', {HOOK}")
    monkeypatch.delenv("HOOK_SECRET")
    with pytest.raises(UsageError, match="destination w: the environment variable HOOK_SECRET is not set"):
        Publisher(destinations, outbox, tmp_path)
    assert outbox.status(utc_now()) == []


def test_several_destinations_of_every_kind_get_every_finding(config, store, outbox, tmp_path, aws):
    queue = aws("sqs").create_queue(QueueName=aws.new_name())["QueueUrl"]
    bucket = aws.new_name()
    aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    topic = aws("sns").create_topic(Name=aws.new_name())["TopicArn"]
    at = f"endpoint_url: '{aws.url}'"
    with running() as hooks:
        destinations = config(
            f"name: bus, kind: eventbridge, {at}",
            f"name: queue, kind: sqs, queue_url: '{queue}', {at}",
            f"name: topic, kind: sns, topic_arn: '{topic}', {at}",
            f"name: export, kind: s3, bucket: {bucket}, {at}",
            f"name: hook, url: '{hooks.url()}', {HOOK}",
            "name: files, kind: file, folder: out",
        )
        with publishing(destinations, outbox, tmp_path):
            store.commit([*one_of_each(), *many(50)], epoch="a", now=utc_now())
            until(lambda: all(one.sent == 54 for one in outbox.status(utc_now())), seconds=60)
    assert len(hooks.requests) == 54
    depth = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    assert depth["Attributes"]["ApproximateNumberOfMessages"] == "54"
    assert c2_domain().id in findings_in(tmp_path / "out")


def test_an_error_that_nobody_foresaw_ends_the_publisher_and_is_raised(config, outbox, tmp_path, monkeypatch):
    publisher = Publisher(config("name: f, kind: file, folder: out"), outbox, tmp_path)
    monkeypatch.setattr(outbox, "next_due", lambda name, now: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        publisher.run()
    publisher.close()


def test_connections_that_the_database_cuts_lose_nothing(config, postgres, tmp_path):
    """As when PostgreSQL is restarted; whoever commits repeats the epoch that failed."""
    postgres.psql("CREATE DATABASE cut")
    url = postgres.get_uri("cut")
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cut' AND pid <> pg_backend_pid()"
    destinations = config("name: f, kind: file, folder: out")
    with (
        FindingStore.open(url) as store,
        Outbox.open(url) as outbox,
        publishing(destinations, outbox, tmp_path, uniform=lambda low, high: 0.05, lease=timedelta(seconds=3)),
    ):
        for epoch in range(30):
            findings = many(300)[epoch * 10 : epoch * 10 + 10]
            until(lambda findings=findings, epoch=epoch: committed(store, findings, f"{epoch}"))
            if epoch % 5 == 2:
                postgres.psql(cut)
        until(lambda: len(set(findings_in(tmp_path / "out"))) == 300, seconds=60)
    assert len(findings_in(tmp_path / "out")) <= 300 + 6 * 500


def committed(store, findings, epoch):
    try:
        store.commit(findings, epoch=epoch, now=utc_now())
    except StoreError:
        return False
    return True
