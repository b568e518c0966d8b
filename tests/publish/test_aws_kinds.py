"""EventBridge, S3, SNS, SQS and Lambda over HTTP, as their own clients see what arrives."""

from __future__ import annotations

import gzip
import io
import json
import re
import socket
import urllib.request
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from finding_examples import c2_domain, folded, one_of_each, sighting, ssh_brute_force
from publish.conftest import delivery_of, send

from guardray.errors import UsageError
from guardray.findings.wire import to_json
from guardray.publish.kinds import event_bus, queue, topic
from guardray.publish.messages import event, message_id

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
ACCOUNT = "123456789012"


@pytest.fixture
def destination(config, aws):
    def of(settings: str):
        (one,) = config(f"name: d, {settings}, endpoint_url: '{aws.url}'")
        return one

    return of


@pytest.fixture
def a_queue(aws):
    url = aws("sqs").create_queue(QueueName=aws.new_name())["QueueUrl"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def received(aws, url, **options):
    """All messages of a queue."""
    messages = []
    while answer := aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, **options).get("Messages"):
        messages += answer
        for message in answer:
            aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return messages


def by_id(findings):
    return {finding.id: to_json(finding) for finding in findings}


def many(number):
    return folded([sighting("Recon:EC2/Portscan", f"entity {n}", digest=n) for n in range(number)])


class TestEventBridge:
    def test_a_rule_on_findings_gets_each_one_as_guarddutys_event(self, aws, destination, a_queue, deliveries):
        url, arn = a_queue
        bus = aws.new_name()
        aws("events").create_event_bus(Name=bus)
        pattern = {"source": ["guardray"], "detail-type": ["GuardDuty Finding"], "detail": {"severity": [8, 9]}}
        aws("events").put_rule(Name=bus, EventBusName=bus, EventPattern=json.dumps(pattern))
        aws("events").put_targets(Rule=bus, EventBusName=bus, Targets=[{"Id": "q", "Arn": arn}])
        findings = one_of_each()
        assert send(destination(f"kind: eventbridge, bus: {bus}"), deliveries(*findings), NOW) == [None] * 4
        events = [json.loads(message["Body"]) for message in received(aws, url)]
        assert {e["detail"]["id"]: e["detail"] for e in events} == by_id(f for f in findings if f.severity > 7)
        assert {(e["source"], e["detail-type"]) for e in events} == {("guardray", "GuardDuty Finding")}

    def test_more_than_a_request_takes_go_in_several(self, aws, destination, a_queue, deliveries):
        url, arn = a_queue
        bus = aws.new_name()
        aws("events").create_event_bus(Name=bus)
        aws("events").put_rule(Name=bus, EventBusName=bus, EventPattern=json.dumps({"source": ["ours"]}))
        aws("events").put_targets(Rule=bus, EventBusName=bus, Targets=[{"Id": "q", "Arn": arn}])
        findings = many(23)
        outcomes = send(destination(f"kind: eventbridge, bus: {bus}, source: ours"), deliveries(*findings), NOW)
        assert outcomes == [None] * 23
        assert {json.loads(m["Body"])["detail"]["id"] for m in received(aws, url)} == by_id(findings).keys()

    def test_a_finding_that_is_too_large_is_given_up_and_the_others_go(self, destination, deliveries):
        large = replace(ssh_brute_force(), description="x" * event_bus.MOST_BYTES)
        first, second = send(destination("kind: eventbridge"), deliveries(large, c2_domain()), NOW)
        assert first.is_final
        assert "and 1,000,000 are accepted" in first.reason
        assert second is None

    def test_an_answer_that_refuses_one_entry_fails_that_one(self, destination, deliveries):
        """The server refuses a detail that is no JSON, which is how one entry of several can fail."""
        broken, whole = deliveries(ssh_brute_force(), c2_domain())
        outcomes = send(destination("kind: eventbridge"), [replace(broken, json='{"no'), whole], NOW)
        assert outcomes[0].reason.startswith("MalformedDetail")
        assert outcomes[1] is None


class TestS3:
    def bucket(self, aws):
        name = aws.new_name()
        aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        return name

    def objects(self, aws, bucket):
        return {
            found["Key"]: gzip.decompress(aws("s3").get_object(Bucket=bucket, Key=found["Key"])["Body"].read()).decode()
            for found in aws("s3").list_objects_v2(Bucket=bucket).get("Contents", ())
        }

    def test_findings_lie_as_guardduty_exports_them(self, aws, destination, deliveries):
        bucket = self.bucket(aws)
        other = folded([sighting("Recon:EC2/Portscan", account="444455556666", region="us-east-1")])
        findings = [*one_of_each(), *other]
        export = destination(f"kind: s3, bucket: {bucket}, prefix: guard/")
        assert send(export, deliveries(*findings), NOW) == [None] * 5
        first, second = sorted(self.objects(aws, bucket).items())
        uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.jsonl\.gz"
        assert re.fullmatch(rf"guard/AWSLogs/111122223333/GuardDuty/eu-west-1/2026/03/01/{uuid}", first[0])
        assert second[0].startswith("guard/AWSLogs/444455556666/GuardDuty/us-east-1/2026/03/01/")
        lines = [json.loads(line) for line in (first[1] + second[1]).splitlines()]
        assert {line["id"]: line for line in lines} == by_id(findings)

    def test_a_repeated_attempt_overwrites_its_object(self, aws, destination, deliveries):
        bucket = self.bucket(aws)
        for _ in range(2):
            send(destination(f"kind: s3, bucket: {bucket}"), deliveries(*one_of_each()), NOW)
        assert len(self.objects(aws, bucket)) == 1

    def test_a_key_and_an_owner_go_along(self, aws, destination, deliveries):
        bucket = self.bucket(aws)
        key = aws("kms").create_key()["KeyMetadata"]["Arn"]
        export = f"kind: s3, bucket: {bucket}, kms_key_arn: '{key}', expected_bucket_owner: '{ACCOUNT}'"
        assert send(destination(export), deliveries(c2_domain()), NOW) == [None]
        (name,) = self.objects(aws, bucket)
        head = aws("s3").head_object(Bucket=bucket, Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)

    def test_a_bucket_that_is_not_there_fails_all(self, aws, destination, deliveries):
        outcomes = send(destination(f"kind: s3, bucket: {aws.new_name()}"), deliveries(*one_of_each()), NOW)
        assert {failure.reason.partition(":")[0] for failure in outcomes} == {"NoSuchBucket"}


class TestSqs:
    def test_each_finding_is_a_message_with_what_can_be_filtered_by(self, aws, destination, a_queue, deliveries):
        url, _ = a_queue
        findings = many(13)
        assert send(destination(f"kind: sqs, queue_url: '{url}'"), deliveries(*findings), NOW) == [None] * 13
        messages = received(aws, url, MessageAttributeNames=["All"])
        assert {(e := json.loads(m["Body"]))["detail"]["id"]: e["detail"] for m in messages} == by_id(findings)
        attributes = {name: value["StringValue"] for name, value in messages[0]["MessageAttributes"].items()}
        assert attributes["type"] == "Recon:EC2/Portscan"
        assert 1 <= float(attributes["severity"]) <= 10

    def test_a_fifo_queue_drops_repetitions_and_keeps_changes(self, aws, destination, deliveries):
        url = aws("sqs").create_queue(QueueName=f"{aws.new_name()}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        fifo = destination(f"kind: sqs, queue_url: '{url}'")
        for finding in (ssh_brute_force(), ssh_brute_force(), ssh_brute_force(count=2)):
            assert send(fifo, deliveries(finding), NOW) == [None]
        assert [json.loads(m["Body"])["detail"]["service"]["count"] for m in received(aws, url)] == [1, 2]

    def test_characters_that_sqs_refuses_do_not_keep_a_finding_back(self, aws, destination, a_queue, deliveries):
        url, _ = a_queue
        hostile = replace(c2_domain(), description="a\x00b\ufffec\uffffd\x1b\x7f\U0001f600")
        assert send(destination(f"kind: sqs, queue_url: '{url}'"), deliveries(hostile), NOW) == [None]
        (message,) = received(aws, url)
        assert json.loads(message["Body"])["detail"]["description"] == hostile.description

    def test_no_character_goes_out_that_sqs_refuses(self):
        """Its API reference names those that it takes; a server for tests may be more patient."""
        hostile = replace(c2_domain(), description="".join(map(chr, [*range(0x20), 0xFFFE, 0xFFFF, 0x10FFFF])))
        text = event(delivery_of(hostile), "guardray").decode()
        assert not {c for c in text if ord(c) < 0x20 or 0xD800 <= ord(c) <= 0xDFFF or c in "\ufffe\uffff"}

    def test_a_queue_that_is_not_there_is_told(self, aws, destination, deliveries):
        (failure,) = send(destination(f"kind: sqs, queue_url: '{aws.url}/1/none'"), deliveries(c2_domain()), NOW)
        assert "NonExistentQueue" in failure.reason

    def test_no_request_is_larger_than_sqs_takes(self, aws, destination, a_queue, deliveries):
        url, _ = a_queue
        heavy = [replace(finding, description="x" * 300_000) for finding in many(7)]
        assert queue.MOST_BYTES < 7 * 300_000
        assert send(destination(f"kind: sqs, queue_url: '{url}'"), deliveries(*heavy), NOW) == [None] * 7


class TestSns:
    def test_a_subscribed_queue_gets_what_its_filter_asks_for(self, aws, destination, a_queue, deliveries):
        url, arn = a_queue
        topic_arn = aws("sns").create_topic(Name=aws.new_name())["TopicArn"]
        attributes = {"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"severity": [{"numeric": [">=", 7]}]})}
        aws("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        findings = one_of_each()
        assert send(destination(f"kind: sns, topic_arn: '{topic_arn}'"), deliveries(*findings), NOW) == [None] * 4
        events = [json.loads(message["Body"]) for message in received(aws, url)]
        assert {e["detail"]["id"]: e["detail"] for e in events} == by_id(f for f in findings if f.severity >= 7)
        assert {e["id"] for e in events} == {str(message_id(delivery_of(f))) for f in findings if f.severity >= 7}

    def test_a_topic_that_is_not_there_fails_all(self, destination, deliveries):
        missing = destination(f"kind: sns, topic_arn: 'arn:aws:sns:eu-west-1:{ACCOUNT}:none'")
        outcomes = send(missing, deliveries(*many(12)), NOW)
        assert {failure.reason.partition(":")[0] for failure in outcomes} == {"NotFound"}

    def test_a_finding_that_is_too_large_is_given_up(self, destination, deliveries):
        large = replace(c2_domain(), description="x" * topic.MOST_BYTES)
        (failure,) = send(
            destination(f"kind: sns, topic_arn: 'arn:aws:sns:eu-west-1:{ACCOUNT}:t'"), deliveries(large), NOW
        )
        assert failure.is_final


def run_code(aws, run: bool) -> None:
    """Whether the server runs the code of functions, for which it needs Docker; without, it only checks the call."""
    setting = json.dumps({"lambda": {"use_docker": run}}).encode()
    urllib.request.urlopen(f"{aws.url}/moto-api/config", data=setting).close()


@pytest.fixture
def function(aws):
    run_code(aws, False)
    role = aws("iam").create_role(RoleName=aws.new_name(), AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("respond.py", "def handler(event, context): return event")
    name = aws.new_name()
    aws("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role,
        Handler="respond.handler",
        Code={"ZipFile": code.getvalue()},
    )
    yield name
    run_code(aws, True)


class TestLambda:
    def test_a_function_takes_each_finding(self, destination, function, deliveries):
        assert send(destination(f"kind: lambda, function: {function}"), deliveries(*one_of_each()), NOW) == [None] * 4

    def test_a_function_that_is_not_there_is_told(self, destination, deliveries):
        (failure,) = send(destination("kind: lambda, function: none"), deliveries(c2_domain()), NOW)
        assert failure.reason.startswith("ResourceNotFoundException")

    def test_the_call_is_asynchronous_and_carries_the_event(self, hooks, config, deliveries, aws):
        (function,) = config(f"name: d, kind: lambda, function: respond, endpoint_url: '{hooks.url('')}'")
        assert send(function, deliveries(c2_domain()), NOW) == [None]
        (request,) = hooks.requests
        assert request.path == "/2015-03-31/functions/respond/invocations"
        assert request.headers["x-amz-invocation-type"] == "Event"
        assert json.loads(request.body)["detail"] == to_json(c2_domain())


class TestTrouble:
    def test_a_server_that_is_not_there_is_told(self, config, deliveries, aws):
        with socket.create_server(("127.0.0.1", 0)) as free:
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
        (gone,) = config(f"name: d, kind: eventbridge, endpoint_url: '{url}'")
        (failure,) = send(gone, deliveries(c2_domain()), NOW)
        assert failure.reason.startswith("Could not connect to the endpoint URL")

    def test_a_region_that_is_missing_is_told_at_the_start(self, config, monkeypatch, tmp_path):
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        (bus,) = config("name: d, kind: eventbridge")
        with pytest.raises(UsageError, match="destination d: You must specify a region"):
            bus.sender(tmp_path)

    def test_the_region_of_an_arn_is_taken(self, config, tmp_path, monkeypatch):
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        (one,) = config("name: d, kind: sns, topic_arn: 'arn:aws:sns:ap-south-2:111122223333:x'")
        sender = one.sender(tmp_path)
        assert sender._client.meta.region_name == "ap-south-2"
        sender.close()
