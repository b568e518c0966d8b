"""The gate as a whole: roles, Regions, tokens, rates, what it writes down, and how soon it knows."""

from __future__ import annotations

import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import botocore.session
import pytest
from access.conftest import ACCOUNT, credentials
from access.signing import REGION, signed, with_header
from sqlalchemy import create_engine, text

from guardray.access.gate import Gate
from guardray.access.identity import Holder, Identity, Role
from guardray.access.issue import revoke
from guardray.access.permissions import INGEST, QUERY, allows, is_change
from guardray.access.rate import Rate
from guardray.access.request import Request
from guardray.access.seal import Seal, new_key
from guardray.errors import AccessRefusedError

OPERATIONS = sorted(botocore.session.get_session().get_service_model("guardduty").operation_names)


def bearing(token: str) -> Request:
    return Request("GET", "/v1/findings", "", (("host", "localhost"), ("authorization", f"Bearer {token}")), b"")


def code_of(call, *arguments) -> str:
    with pytest.raises(AccessRefusedError) as caught:
        call(*arguments)
    return caught.value.code


class TestRoles:
    @pytest.mark.parametrize("role", Role)
    def test_each_operation_is_let_in_for_the_roles_that_have_it(self, gate, new, clock, role):
        key = credentials(new(role))
        for number, operation in enumerate(OPERATIONS):
            request = signed(key, clock.now, target=f"/{number}")
            if allows(role, operation):
                assert gate.admit(request, operation) == Identity(ACCOUNT, REGION, role, key[0])
            else:
                assert code_of(gate.admit, request, operation) == "AccessDeniedException"

    def test_a_role_that_is_too_low_is_told_what_it_may_not(self, gate, new, clock):
        issued = new("reader")
        with pytest.raises(AccessRefusedError) as caught:
            gate.admit(signed(credentials(issued), clock.now), "CreateFilter")
        assert caught.value.message == (
            f"User: {issued.record.id} is not authorized to perform: guardduty:CreateFilter because the role reader "
            "does not allow it"
        )

    def test_a_refused_change_is_in_the_audit_log_and_a_refused_read_is_not(self, gate, new, clock, audit):
        reader, ingest = new("reader"), new("ingest")
        code_of(gate.admit, signed(credentials(reader), clock.now, target="/detector/d/filter"), "CreateFilter")
        code_of(gate.admit, signed(credentials(ingest), clock.now), "ListDetectors")
        entry = audit.entries()[0]
        assert (entry.actor, entry.operation, entry.outcome) == (
            reader.record.id,
            "CreateFilter",
            "AccessDeniedException",
        )
        assert (entry.account_id, entry.region, entry.request_id) == (ACCOUNT, REGION, "r-1")
        assert json.loads(entry.parameters) == {"path": "/detector/d/filter"}
        assert [entry.operation for entry in audit.entries()] == ["CreateFilter", "CreateKey", "CreateKey"]

    def test_a_path_that_leads_nowhere_is_told_of_to_those_who_have_a_key_only(self, gate, new, clock):
        assert gate.admit(signed(credentials(new("ingest")), clock.now), None).role is Role.INGEST
        assert code_of(gate.admit, signed(("GRAKNOBODY", "x"), clock.now), None) == "UnrecognizedClientException"


class TestAccountAndRegion:
    def test_both_come_from_the_key_and_the_signature_and_nothing_else(self, gate, new, clock):
        key = credentials(new(account_id="999988887777"))
        forged = {"X-Amz-Account-Id": ACCOUNT, "X-Forwarded-For": "10.0.0.1"}
        request = signed(key, clock.now, region="sa-east-1", target=f"/detector?accountId={ACCOUNT}", headers=forged)
        identity = gate.admit(request, "ListDetectors")
        assert (identity.account_id, identity.region) == ("999988887777", "sa-east-1")

    def test_a_key_of_some_regions_is_refused_in_others(self, gate, new, clock, audit):
        key = credentials(new(regions=["eu-west-1", "us-east-1"]))
        for region in ("eu-west-1", "us-east-1"):
            assert gate.admit(signed(key, clock.now, region=region), "ListDetectors").region == region
        assert (
            code_of(gate.admit, signed(key, clock.now, region="eu-west-2"), "ListDetectors") == "AccessDeniedException"
        )
        other = signed(key, clock.now, region="eu-west-3")
        assert code_of(gate.admit, other, "DeleteDetector") == "AccessDeniedException"
        assert (audit.entries()[0].operation, audit.entries()[0].region) == ("DeleteDetector", "eu-west-3")


class TestTokens:
    def test_a_token_says_who_holds_it(self, gate, new):
        token = new("analyst", kind="token", regions=["eu-west-1"])
        assert gate.plain(bearing(token.secret), QUERY) == Holder(
            ACCOUNT, frozenset({"eu-west-1"}), Role.ANALYST, token.record.id
        )

    def test_a_token_may_come_any_number_of_times(self, gate, new):
        token = new("reader", kind="token").secret
        for _ in range(3):
            gate.plain(bearing(token), QUERY)

    def test_a_signed_request_holds_the_region_that_it_was_signed_for(self, gate, new, clock):
        request = signed(credentials(new("reader")), clock.now, target="/v1/findings")
        assert gate.plain(request, QUERY).regions == frozenset({REGION})

    @pytest.mark.parametrize(
        "altered", ["", ".", "x", "{id}", "{id}.", "{id}.wrong", "{id}.{secret}x", "x{id}.{secret}"]
    )
    def test_any_other_token_is_refused(self, gate, new, altered):
        key_id, _, secret = new(kind="token").secret.partition(".")
        token = altered.format(id=key_id, secret=secret)
        assert code_of(gate.plain, bearing(token), QUERY) == "UnrecognizedClientException"

    def test_the_secret_of_a_key_is_no_token(self, gate, new):
        key_id, secret = credentials(new())
        assert code_of(gate.plain, bearing(f"{key_id}.{secret}"), QUERY) == "UnrecognizedClientException"

    def test_a_token_does_not_open_the_signed_api(self, gate, new):
        token = new(kind="token").secret
        assert code_of(gate.admit, bearing(token), "ListDetectors") == "IncompleteSignatureException"

    def test_no_credentials_are_asked_for(self, gate):
        with pytest.raises(AccessRefusedError) as caught:
            gate.plain(Request("GET", "/v1/findings", "", (), b""), QUERY)
        assert (caught.value.status, caught.value.code) == (401, "MissingAuthenticationTokenException")

    def test_roles_hold_for_tokens(self, gate, new):
        reader, ingest = new("reader", kind="token").secret, new("ingest", kind="token").secret
        assert gate.plain(bearing(ingest), INGEST).role is Role.INGEST
        assert code_of(gate.plain, bearing(ingest), QUERY) == "AccessDeniedException"
        assert code_of(gate.plain, bearing(reader), INGEST) == "AccessDeniedException"

    def test_a_token_that_is_there_twice_is_refused(self, gate, new):
        request = bearing(new(kind="token").secret)
        twice = Request(request.method, request.path, "", (*request.headers, request.headers[-1]), b"")
        assert code_of(gate.plain, twice, QUERY) == "MalformedHttpRequestException"


class TestTime:
    def test_a_new_key_is_known_and_a_revoked_one_refused_within_a_second(self, gate, new, keys, clock):
        gate.admit(signed(credentials(new()), clock.now), "ListDetectors")
        late = credentials(new())
        clock.move(seconds=1)
        gate.admit(signed(late, clock.now), "ListDetectors")
        revoke(keys, late[0], actor="local:test", now=clock.now)
        clock.move(seconds=1)
        assert code_of(gate.admit, signed(late, clock.now), "ListDetectors") == "UnrecognizedClientException"

    def test_a_clock_that_is_set_back_does_not_keep_a_revoked_key(self, gate, new, keys, clock):
        key = credentials(new())
        gate.admit(signed(key, clock.now), "ListDetectors")
        revoke(keys, key[0], actor="local:test", now=clock.now)
        clock.move(hours=-3)
        assert code_of(gate.admit, signed(key, clock.now), "ListDetectors") == "UnrecognizedClientException"

    def test_when_a_key_was_used_is_kept_to_the_hour(self, gate, new, keys, clock):
        key, start = credentials(new()), clock.now
        for _ in range(3):
            gate.admit(signed(key, clock.now), "ListDetectors")
            clock.move(minutes=25)
        assert keys.records()[0].last_used_at is None
        gate.save_use()
        assert keys.records()[0].last_used_at == start
        gate.admit(signed(key, clock.now), "ListDetectors")
        gate.save_use()
        assert keys.records()[0].last_used_at == start + timedelta(minutes=75)

    def test_a_refused_request_is_no_use_of_a_key(self, gate, new, keys, clock):
        key_id, _ = credentials(new())
        code_of(gate.admit, signed((key_id, "wrong"), clock.now), "ListDetectors")
        gate.save_use()
        assert keys.records()[0].last_used_at is None


class TestRate:
    @pytest.fixture
    def slow(self, keys, audit, seal, clock):
        with closing(Gate(keys, audit, seal, clock=clock, rate=Rate(per_s=0.5, burst=2))) as gate:
            yield gate

    def test_a_key_that_is_too_fast_is_told_when_to_come_again(self, slow, new, clock):
        key = credentials(new())
        requests = [signed(key, clock.now, target=f"/{number}") for number in range(3)]
        for request in requests[:2]:
            slow.admit(request, "ListDetectors")
        with pytest.raises(AccessRefusedError) as caught:
            slow.admit(requests[2], "ListDetectors")
        refusal = caught.value
        assert (refusal.code, refusal.status, refusal.retry_after_s) == ("TooManyRequestsException", 429, 2)
        clock.move(seconds=2)
        slow.admit(requests[2], "ListDetectors")

    def test_one_key_does_not_slow_another_down(self, slow, new, clock):
        first, second = credentials(new()), credentials(new())
        for number in range(2):
            slow.admit(signed(first, clock.now, target=f"/{number}"), "ListDetectors")
        slow.admit(signed(second, clock.now), "ListDetectors")

    def test_requests_with_a_wrong_signature_use_nothing_up(self, slow, new, clock):
        key = credentials(new())
        for _ in range(10):
            code_of(slow.admit, signed((key[0], "wrong"), clock.now), "ListDetectors")
        slow.admit(signed(key, clock.now), "ListDetectors")

    def test_replayed_requests_use_nothing_up(self, slow, new, clock):
        key = credentials(new())
        request = signed(key, clock.now)
        slow.admit(request, "ListDetectors")
        for _ in range(10):
            code_of(slow.admit, request, "ListDetectors")
        slow.admit(signed(key, clock.now, target="/other"), "ListDetectors")

    def test_tokens_have_a_rate_too(self, slow, new):
        token = new(kind="token").secret
        for _ in range(2):
            slow.plain(bearing(token), QUERY)
        assert code_of(slow.plain, bearing(token), QUERY) == "TooManyRequestsException"


class TestRepeats:
    def test_another_attempt_at_the_same_read_is_let_in(self, gate, new, clock):
        request = signed(credentials(new()), clock.now)
        for attempt in range(3):
            gate.admit(with_header(request, "amz-sdk-request", f"attempt={attempt}"), "ListDetectors")

    def test_a_change_that_came_to_nothing_may_be_tried_again_as_it_is(self, gate, new, clock):
        request = signed(credentials(new()), clock.now, method="POST", body=b"{}")
        gate.admit(request, "CreateDetector")
        gate.forget(request)
        gate.admit(request, "CreateDetector")

    def test_without_an_operation_what_is_not_a_get_counts_as_a_change(self, gate, new, clock):
        key = credentials(new())
        for method, outcome in (("GET", None), ("POST", "InvalidSignatureException")):
            request = signed(key, clock.now, method=method)
            gate.admit(request)
            again = with_header(request, "amz-sdk-invocation-id", "b")
            assert (code_of(gate.admit, again) if outcome else gate.admit(again) and None) == outcome


def test_of_many_threads_that_send_the_same_change_one_is_let_in(gate, new, clock):
    requests = [signed(credentials(new()), clock.now, target=f"/{number}") for number in range(20)]

    def is_admitted(request: Request) -> bool:
        try:
            gate.admit(request, "DeleteDetector")
        except AccessRefusedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        admitted = list(pool.map(is_admitted, requests * 8))
    assert sum(admitted) == len(requests)


class TestStore:
    def test_a_row_that_was_given_another_role_is_good_for_nothing(self, gate, new, url, clock):
        key, token = credentials(new("reader")), new("reader", kind="token")
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE access_keys SET role = 'admin'"))
        engine.dispose()
        assert code_of(gate.admit, signed(key, clock.now), "ListDetectors") == "UnrecognizedClientException"
        assert code_of(gate.plain, bearing(token.secret), QUERY) == "UnrecognizedClientException"

    def test_keys_of_a_lost_sealing_key_are_unknown(self, keys, audit, new, clock):
        key, token = credentials(new()), new(kind="token")
        other = Gate(keys, audit, Seal(new_key()), clock=clock)
        assert code_of(other.admit, signed(key, clock.now), "ListDetectors") == "UnrecognizedClientException"
        assert code_of(other.plain, bearing(token.secret), QUERY) == "UnrecognizedClientException"

    def test_the_store_holds_no_secret(self, new, tmp_path):
        secrets = [new().secret, new(kind="token").secret.partition(".")[2]]
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert content
        assert not any(secret.encode() in content for secret in secrets)


def test_an_unknown_key_takes_as_long_as_a_known_one_with_a_wrong_secret(gate, new, clock):
    """Medians of interleaved calls, within a factor of a half of each other."""
    known = signed((credentials(new())[0], "wrong"), clock.now)
    unknown = signed(("GRAKAAAAAAAAAAAAAAAA", "wrong"), clock.now)
    taken: dict[str, list[float]] = {"known": [], "unknown": []}
    for _ in range(600):
        for name, request in (("known", known), ("unknown", unknown)):
            start = time.perf_counter()
            code_of(gate.admit, request, "ListDetectors")
            taken[name].append(time.perf_counter() - start)
    ratio = statistics.median(taken["known"]) / statistics.median(taken["unknown"])
    assert 2 / 3 < ratio < 3 / 2


def test_a_request_is_verified_well_within_a_millisecond(gate, new, clock):
    key = credentials(new())
    requests = [signed(key, clock.now, target=f"/detector?nextToken={n}") for n in range(300)]
    taken = []
    for request in requests:
        start = time.perf_counter()
        gate.admit(request, "ListDetectors")
        taken.append(time.perf_counter() - start)
    assert statistics.median(taken) < 0.001


def test_operations_that_change_something_are_known_by_the_gate():
    assert is_change("DeleteDetector")
    assert not is_change("ListFindings")
