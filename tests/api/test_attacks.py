"""Attacks on every operation over HTTP: all are refused in the form of AWS, none slowly, and nothing changes."""

from __future__ import annotations

import json
import socket
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest
from api.attacking import INJECTIONS, SLOW_S, Sent, Signer, Wire, example, string_members, wire_request, with_string
from api.serving import ACCOUNT, MANAGEMENT, OTHER, THIRD, serving
from api.test_contract import DESTINATION, World
from api.test_other_operations import CATALOGUE

from guardray.access.identity import Role
from guardray.access.permissions import allows
from guardray.api.activation import ListKeeper
from guardray.api.call import Settings
from guardray.api.core import Api
from guardray.api.model import operations
from guardray.custom.library import read_folders
from guardray.custom.settings import RuleFolder
from guardray.detectors.loader import load_detectors
from guardray.intel.upkeep import Library
from guardray.store.database import Database

OPERATIONS = sorted(operations())
MARK = "of-the-victim"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One server for all tests: none of them changes what another looks at."""
    folder = tmp_path_factory.mktemp("attacked")
    database = Database(str(folder / "findings.db"))
    rules, _ = read_folders([RuleFolder(CATALOGUE)])
    settings = Settings(
        management_account=MANAGEMENT, list_folder=folder / "lists", detectors=load_detectors(), rules=tuple(rules)
    )
    keeper = ListKeeper(database, Library(folder / "data"), folder / "lists")
    with serving(Api(database, settings), database, keeper) as served:
        yield served
    database.close()


@pytest.fixture(scope="module")
def victim(served):
    """An account that administers an organisation, with one of everything, and things that have its mark."""
    world = World(served)
    made = world.client.create_publishing_destination(**world.of, **DESTINATION)
    world.ids["DestinationId"] = made["DestinationId"]
    world.client.tag_resource(ResourceArn=world.arn, Tags={"note": MARK})
    world.client.update_filter(**world.of, FilterName="mine", Description=MARK)
    return world


@pytest.fixture(scope="module")
def attackers_detector(served, victim):
    return served.client(THIRD).create_detector(Enable=True)["DetectorId"]


@pytest.fixture(scope="module")
def wire(served):
    wire = Wire(served.url)
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def signer(served, wire):
    """Signs as an account and role."""

    def of(account=THIRD, role=Role.ADMIN):
        key = served.key(account, role)
        return Signer(key.record.id, key.secret, wire.netloc)

    return of


def is_refusal(got, *, statuses=(400, 403, 404)):
    """Whether it is an error as AWS's clients read it, and came soon."""
    assert got.status in statuses, (got.status, got.body[:300])
    assert got.code, got.headers
    assert got.json["__type"]
    assert got.json["message"]
    assert got.headers["x-amzn-RequestId"]
    assert got.took_s < SLOW_S
    return True


def known_of(victim, detector_id=None):
    """Names of what the victim has, by the members that ask for them."""
    return {
        "DetectorId": detector_id or victim.detector_id,
        **victim.ids,
        **victim.association,
        "FilterName": "mine",
        "FindingIds": victim.findings,
        "ResourceArn": victim.arn,
        "AccountIds": [ACCOUNT, OTHER],
        "AdministratorId": ACCOUNT,
        "MasterId": ACCOUNT,
        "AdminAccountId": THIRD,
    }


def reads_of(client, victim):
    """All that the victim has and can read, as text."""
    of, ids = victim.of, victim.ids
    answers = [
        client.get_detector(**of),
        client.list_detectors(),
        client.list_findings(**of),
        client.get_findings(**of, FindingIds=victim.findings),
        client.list_filters(**of),
        client.get_filter(**of, FilterName="mine"),
        client.get_ip_set(**of, IpSetId=ids["IpSetId"]),
        client.get_threat_intel_set(**of, ThreatIntelSetId=ids["ThreatIntelSetId"]),
        client.get_trusted_entity_set(**of, TrustedEntitySetId=ids["TrustedEntitySetId"]),
        client.get_threat_entity_set(**of, ThreatEntitySetId=ids["ThreatEntitySetId"]),
        client.list_publishing_destinations(**of),
        client.list_members(**of, OnlyAssociated="false"),
        client.list_tags_for_resource(ResourceArn=victim.arn),
        client.list_organization_admin_accounts(),
        client.describe_organization_configuration(**of),
        client.list_custom_detection_rule_associations(),
    ]
    for answer in answers:
        del answer["ResponseMetadata"]
        for destination in answer.get("Destinations", ()):
            destination.pop("Status")  # a bucket that is not there is found out about meanwhile
    return json.dumps(answers, default=str, sort_keys=True)


@pytest.fixture
def unharmed(served, victim):
    """Whatever the test did: the victim has what it had."""
    before = reads_of(served.client(ACCOUNT), victim)
    yield
    assert reads_of(served.client(ACCOUNT), victim) == before


class TestCredentials:
    def test_no_operation_is_there_without_a_signature(self, wire, victim, unharmed):
        for operation in OPERATIONS:
            got = wire.send(with_host(wire, wire_request(operation, example(operation, known_of(victim)))))
            assert is_refusal(got, statuses=(403,)), operation
            assert got.code == "MissingAuthenticationTokenException"
            assert MARK not in got.body.decode()

    def test_no_operation_takes_the_secret_of_another_key(self, served, wire, victim, signer, unharmed):
        wrong = Signer(served.key(ACCOUNT).record.id, served.key(THIRD).secret, wire.netloc)
        for operation in OPERATIONS:
            got = wire.send(wrong.signed(wire_request(operation, example(operation, known_of(victim)))))
            assert is_refusal(got, statuses=(403,)), operation
            assert got.code == "InvalidSignatureException"

    def test_no_operation_takes_a_request_that_was_altered_or_comes_again(self, wire, victim, signer, unharmed):
        for operation in OPERATIONS:
            sent = signer(ACCOUNT, Role.READER).signed(wire_request(operation, example(operation)))
            altered = (
                replace(sent, target=f"{sent.target}{'&' if '?' in sent.target else '?'}x=1"),
                replace(sent, target=sent.target.replace("/", "/%2e/", 1)),
                replace(sent, body=sent.body + b" "),
                replace(sent, method="GET" if sent.method == "PUT" else "PUT"),
                replace(sent, headers=(*sent.headers, ("X-Amz-Note", "more"))),
                replace(sent, headers=tuple(as_of(sent.headers, "X-Amz-Date", "20200101T000000Z"))),
            )
            for one in altered:
                got = wire.send(one)
                assert is_refusal(got), operation
                assert got.code == "InvalidSignatureException", operation
            wire.send(sent)
            again = wire.send(sent)
            assert is_refusal(again, statuses=(400, 403)), operation
            assert again.code == "InvalidSignatureException"

    def test_header_and_query_signatures_are_not_mixed(self, wire, signer):
        bare = wire_request("ListDetectors", {})
        in_header, in_query = signer().signed(bare), signer().signed(bare, presigned=True)
        for mixed in (
            replace(in_query, headers=in_header.headers),
            replace(in_header, target=in_query.target),
            replace(in_header, target=f"{bare.target}?X-Amz-Signature={'0' * 64}"),
            replace(in_header, target=f"{bare.target}?X-Amz-Algorithm=AWS4-HMAC-SHA256"),
        ):
            assert is_refusal(wire.send(mixed), statuses=(403,))
        assert wire.send(in_query).status == 200


def with_host(wire, sent):
    return replace(sent, headers=(("host", wire.netloc),))


def as_of(headers, name, value):
    """The headers with another value of one."""
    return ((one, value if one.lower() == name.lower() else old) for one, old in headers)


@pytest.mark.parametrize("role", list(Role))
def test_every_operation_asks_for_its_role(wire, signer, role):
    """Of an account that has nothing, so that what is allowed changes nothing of the others."""
    who = signer(OTHER, role)
    for operation in OPERATIONS:
        known = {"DetectorId": "0" * 32, "AdminAccountId": "000000000000", "Enable": False}
        got = wire.send(who.signed(wire_request(operation, example(operation, known))))
        is_denied = got.code == "AccessDeniedException" and "because the role" in got.json["message"]
        assert is_denied == (not allows(role, operation)), (operation, got.body)
        assert got.status < 500, (operation, got.body)
        assert got.took_s < SLOW_S


class TestOtherAccounts:
    """What an administrator of one account tries with the ids of another."""

    def test_no_operation_works_in_the_detector_of_another_account(self, wire, victim, signer, unharmed):
        for operation in OPERATIONS:
            shape = operations()[operation].input_shape
            if shape is not None and "DetectorId" in shape.members:
                got = wire.send(signer().signed(wire_request(operation, example(operation, known_of(victim)))))
                assert is_refusal(got), operation
                assert MARK not in got.body.decode()

    def test_no_operation_reaches_from_ones_own_detector_to_what_another_has(
        self, wire, victim, signer, attackers_detector, unharmed
    ):
        for operation in OPERATIONS:
            if operation == "DeleteDetector":
                continue
            known = known_of(victim, attackers_detector)
            got = wire.send(signer().signed(wire_request(operation, example(operation, known))))
            assert got.status in (200, 204, 400, 403, 404), (operation, got.body)
            told = got.body.decode()
            assert MARK not in told, operation
            assert victim.detector_id not in told, (operation, told)
            assert got.took_s < SLOW_S

    def test_a_region_that_one_names_is_ones_own(self, wire, victim, signer, unharmed):
        elsewhere = signer(ACCOUNT, Role.READER).signed(wire_request("ListDetectors", {}), region="us-east-1")
        assert wire.send(elsewhere).json["detectorIds"] == []


def test_no_string_of_any_operation_is_taken_for_anything_else(wire, victim, signer, attackers_detector, unharmed):
    """SQL, paths, templates, control characters: each string member of each operation gets some of them."""
    turn = 0
    for operation in OPERATIONS:
        if operation == "DeleteDetector":
            continue
        for way in string_members(operation):
            for text in injections(turn):
                sent = wire_request(operation, with_string(operation, way, text, {"DetectorId": attackers_detector}))
                got = wire.send(signer().signed(sent))
                assert got.status < 500, (operation, way, text, got.body)
                assert got.status < 300 or is_refusal(got), (operation, way, text)
                assert got.headers["X-Injected"] is None
                told = got.body.decode()
                assert "root:" not in told, (operation, way, text)
                assert MARK not in told, (operation, way, text)
                assert got.took_s < SLOW_S
            turn += 1
    assert turn > 300


def injections(turn):
    """Some of them: after a few members all had their turn."""
    return [INJECTIONS[(turn * 3 + k) % len(INJECTIONS)] for k in range(3)]


BODIES = {
    "more than a megabyte": b'{"a": "' + b"x" * (1 << 20) + b'"}',
    "lists in lists": b"[" * 200_000 + b"]" * 200_000,
    "objects in objects": b'{"findingCriteria":' * 40_000 + b"1" + b"}" * 40_000,
    "criteria that are deep": b'{"findingCriteria":{"criterion":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_002,
    "a huge number": b'{"maxResults": ' + b"9" * 100_000 + b"}",
    "no number": b'{"maxResults": NaN}',
    "a number without end": b'{"maxResults": 1e999}',
    "half a character": b'{"nextToken": "\xc3"}',
    "half a pair": b'{"nextToken": "\\ud800"}',
    "another encoding": '{"maxResults": 5}'.encode("utf-16"),
    "zeros": b"\0" * 1000,
    "XML": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "what pickle makes": b"cos\nsystem\n(S'true'\ntR.",
    "a list": b"[]",
    "null": b"null",
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_no_client_sends(wire, signer, attackers_detector, kind):
    sent = Sent("POST", f"/detector/{attackers_detector}/findings", BODIES[kind])
    assert is_refusal(wire.send(signer().signed(sent)), statuses=(400, 413))


def test_a_body_whose_members_come_twice_or_are_none(wire, signer, attackers_detector):
    twice = b'{"maxResults": 99, "maxResults": 5, "__proto__": {"a": 1}, "constructor": []}'
    assert wire.send(signer().signed(Sent("POST", f"/detector/{attackers_detector}/findings", twice))).status == 200


PATHS = (
    "/detector%2F{id}",
    "/%64etector/{id}",
    "/detector/{id}%00",
    "/detector/{id}%0d%0aX-Injected:%20yes",
    "/detector/{id}/",
    "/detector//{id}",
    "/./detector/{id}",
    "/x/../detector/{id}",
    "/detector/%2e%2e/detector/{id}",
    "/detector/{id}/findings/..",
    "/detector/%252e%252e/{id}",
    "/detector/%c0%ae%c0%ae/{id}",
    "/detector/%ff{id}",
    "/detector/{id};admin=1",
    "/DETECTOR/{id}",
    "/detector\\{id}",
    "/detector/{id}%E2%80%8B",
    "/detector/%EF%BC%8E%EF%BC%8E/{id}",
    "/v1/../detector/{id}",
    "/tags/arn%3Aaws%3Aguardduty%3Aeu-west-1%3A" + ACCOUNT + "%3Adetector%2F{id}",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_pretends_to_be_another(wire, victim, signer, path):
    """Signed by an account that has nothing of what the path names, in whatever way it is read."""
    got = wire.send(signer().signed(Sent("GET", path.format(id=victim.detector_id), b"")))
    assert is_refusal(got)
    assert got.headers["X-Injected"] is None
    assert MARK not in got.body.decode()


@pytest.mark.parametrize("target", ["http://127.0.0.1:9/detector?a=1", "//127.0.0.1:9/detector", "*", "detector"])
def test_a_target_that_is_no_path(wire, signer, target):
    got = wire.send(replace(signer().signed(Sent("GET", "/detector", b"")), target=target))
    assert got.status in (400, 403, 404)
    assert got.took_s < SLOW_S


@pytest.mark.parametrize(
    "query",
    [
        "maxResults=1&maxResults=50",
        "maxResults=50&MaxResults=1&maxresults=2",
        "nextToken=&nextToken=abc",
        "maxResults[]=1",
        "maxResults=0x10",
        "maxResults=%EF%BC%95",
        "maxResults=1%00",
        "&".join(f"a{n}=1" for n in range(1500)),
        "nextToken=" + "A" * 8000,
        "=&=&&",
    ],
)
def test_parameters_that_come_twice_or_are_none_are_refused_or_mean_one_thing(wire, signer, query):
    got = wire.send(signer().signed(Sent("GET", f"/detector?{query}", b"")))
    assert got.status == 200 or is_refusal(got)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "CONNECT", "PROPFIND", "get"])
def test_a_method_that_no_operation_has(wire, signer, method):
    got = wire.send(signer().signed(Sent(method, "/detector", b"")))
    # A HEAD has no body, and what HTTP does not know does not come as far as the API.
    assert got.status in (400, 403, 404), got.body
    assert got.code or method == "get"


LOCATIONS = (
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://127.0.0.1:9/list.txt",
    "http://localhost/list.txt",
    "https://[::1]/list.txt",
    "http://2130706433/list.txt",
    "https://s3.amazonaws.com@127.0.0.1/a/b",
    "https://s3.amazonaws.com.evil.example/a/b",
    "https://bucket.s3.amazonaws.com:8443/b",
    "https://bucket.s3.amazonaws.com/b?x=http://127.0.0.1",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "ftp://127.0.0.1/a",
    "dict://127.0.0.1:11211/stat",
    "file:///etc/passwd",
    "file://lists/../../../../etc/passwd",
    "file:///proc/self/environ",
    "/etc/passwd",
    "s3://",
    "s3://../key",
    "s3://bucket@127.0.0.1/key",
    "s3://bucket:80/key",
    "jar:http://127.0.0.1!/a",
)
LISTS = ("IPSet", "ThreatIntelSet", "TrustedEntitySet", "ThreatEntitySet")


@pytest.mark.parametrize("location", LOCATIONS)
def test_no_list_is_read_from_anywhere_but_s3_and_the_folder_for_lists(wire, signer, attackers_detector, location):
    for kind in LISTS:
        params = {"DetectorId": attackers_detector, "Name": "l", "Format": "TXT", "Location": location}
        sent = wire_request(f"Create{kind}", {**params, "Activate": True})
        assert is_refusal(wire.send(signer().signed(sent)), statuses=(400,))


@pytest.mark.parametrize(
    "arn",
    ["http://127.0.0.1/", "arn:aws:sqs:eu-west-1:111122223333:q", "arn:aws:s3:::../x", "arn:aws:s3:::b@127.0.0.1", ""],
)
def test_no_destination_is_anything_but_a_bucket(wire, signer, attackers_detector, arn):
    properties = {"DestinationArn": arn, "KmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/1"}
    params = {"DetectorId": attackers_detector, "DestinationType": "S3", "DestinationProperties": properties}
    sent = wire_request("CreatePublishingDestination", params)
    assert is_refusal(wire.send(signer().signed(sent)), statuses=(400,))


class TestConnections:
    def test_many_that_send_a_byte_now_and_then_keep_nobody_waiting(self, wire, signer):
        host, port = wire.netloc.split(":")
        with ExitStack() as stack:
            slow = [stack.enter_context(socket.create_connection((host, int(port)), 10)) for _ in range(200)]
            for byte in (b"GET /dete", b"c", b"tor HTTP/1.1\r\nHos"):
                for connection in slow:
                    connection.sendall(byte)
                start = time.monotonic()
                assert wire.send(signer().signed(wire_request("ListDetectors", {}))).status == 200
                assert time.monotonic() - start < SLOW_S

    @pytest.mark.parametrize(
        "raw",
        [
            b"GET /detector HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 2_000_000 + b"\r\n\r\n",
            b"GET /detector HTTP/1.1\r\nHost: x\r\n" + b"A: a\r\n" * 50_000 + b"\r\n",
            b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /detector HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}{}{}",
            b"POST /detector HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /detector HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"POST /detector HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"\0" * 1000,
        ],
        ids=["header", "headers", "target", "lengths", "length", "chunk", "coding", "tls", "zeros"],
    )
    def test_what_is_no_http_is_refused_and_breaks_nothing(self, wire, signer, raw):
        host, port = wire.netloc.split(":")
        start = time.monotonic()
        with socket.create_connection((host, int(port)), 10) as connection:
            try:
                connection.sendall(raw)
                told = connection.recv(65_536)
            except (ConnectionError, TimeoutError):
                told = b""
        assert not told or told.split(b" ")[1] in {b"400", b"403", b"413", b"414", b"431"}, told
        assert time.monotonic() - start < 15
        assert wire.send(signer().signed(wire_request("ListDetectors", {}))).status == 200
