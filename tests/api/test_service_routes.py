"""Health, metrics and the status of the service over HTTP, from the real application on the loopback."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from api.service_serving import MEMBER, serving_service, tell
from models.test_registry import SPEC, put
from prometheus_client.parser import text_string_to_metric_families
from service_examples import RUNNING, STARTING, stopped

from guardray.api import status_reader
from guardray.api.metrics import MetricsAccess
from guardray.api.service_routes import ServiceRouteSettings
from guardray.models.registry import Registry
from guardray.service.status import FRESH

OLD_S = FRESH.total_seconds() + 1


@pytest.fixture
def routes():
    return ServiceRouteSettings()


@pytest.fixture
def service(api, database, keeper, routes, monkeypatch):
    monkeypatch.setattr(status_reader, "KEPT_S", 0)  # tests change the status faster than it is read
    with serving_service(api, database, keeper, routes) as served:
        yield served


@pytest.fixture
def told(database):
    tell(database, RUNNING)


def samples(answer):
    families = text_string_to_metric_families(answer.body.decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


class TestHealth:
    def test_the_process_is_alive_whatever_the_service_does(self, service):
        answer = service.ask("/healthz")
        assert (answer.status, answer.json) == (200, {"alive": True})
        assert answer.headers["x-amzn-requestid"]
        assert answer.headers["cache-control"] == "no-store"

    def test_it_is_ready_while_it_runs_and_says_so(self, service, told):
        assert service.ask("/readyz").json == {"ready": True}
        assert service.ask("/readyz", method="HEAD").status == 200

    @pytest.mark.parametrize(
        ("status", "age_s", "reason"),
        [
            (None, 0, "no service has run on this store"),
            (STARTING, 0, "the service is starting"),
            (stopped(), 0, "the service has stopped"),
            (RUNNING, OLD_S, "nothing was heard of the service for 16 s"),
        ],
    )
    def test_it_is_not_ready_otherwise_and_says_why(self, service, database, status, age_s, reason):
        if status is not None:
            tell(database, status, age_s)
        answer = service.ask("/readyz")
        assert (answer.status, answer.json) == (503, {"ready": False, "reason": reason})

    def test_it_is_not_ready_without_its_store_and_tells_nobody_where_that_is(self, service, database, told, tmp_path):
        with database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE service_status")
        answer = service.ask("/readyz")
        assert (answer.status, answer.json["reason"]) == (503, "the store does not answer")
        assert str(tmp_path) not in answer.body.decode()
        assert service.ask("/healthz").status == 200

    def test_other_paths_are_the_apis_to_refuse(self, service):
        assert service.ask("/healthz/x").status == 403

    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/findings", "/v1/status"])
    def test_another_method_is_refused_with_those_that_there_are(self, service, path):
        answer = service.ask(path, method="DELETE")
        assert (answer.status, answer.json["type"]) == (405, "MethodNotAllowedException")
        assert "GET" in answer.headers["allow"]


class TestNowhere:
    @pytest.mark.parametrize("path", ["/v1/", "/v1/nothing", "/v1/findings/a/b", "/v1/status/", "/v1/a%0Ab"])
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
    def test_a_path_of_the_plain_api_that_leads_nowhere_is_not_found(self, service, path, method):
        answer = service.ask(path, method=method, role="reader")
        assert (answer.status, answer.json["type"]) == (404, "ResourceNotFoundException")
        assert path[:20] in answer.json["message"]
        assert answer.headers["x-amzn-requestid"]

    def test_nobody_is_told_so_without_a_token_or_a_role_that_looks(self, service):
        answer = service.ask("/v1/nothing")
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert service.ask("/v1/nothing", role="ingest").status == 403


class TestStatus:
    def test_it_tells_how_the_service_stands(self, service, told):
        answer = service.ask("/v1/status", role="reader")
        assert answer.status == 200
        assert (answer.json["ready"], answer.json["reason"]) == (True, None)
        assert answer.json["status"]["checkpoint"]["number"] == 96
        assert answer.json["status"]["counts"]["rows"] == {"cloudtrail": 1_000_000, "vpc-flow": 2_500_000}

    def test_it_tells_of_what_was_long_ago_that_it_was(self, service, database):
        tell(database, RUNNING, OLD_S)
        answer = service.ask("/v1/status", role="reader").json
        assert (answer["ready"], answer["reason"]) == (False, "nothing was heard of the service for 16 s")

    def test_sources_have_their_lag(self, service, told):
        first, _ = service.ask("/v1/sources", role="reader").json["sources"]
        assert (first["backlog"], first["oldest_s"], first["problems"]) == (31, 4.5, 2)

    def test_pools_are_told_of_by_their_names(self, service, told):
        (pool,) = service.ask("/v1/pools", role="reader").json["pools"]
        assert pool == {"name": "behaviour", "replicas": 1, "wanted": 2, "waiting": 5}

    @pytest.mark.parametrize("path", ["/v1/status", "/v1/sources", "/v1/pools", "/v1/models"])
    def test_nothing_is_told_without_a_token_or_to_a_sender_of_logs(self, path, service, told):
        assert service.ask(path).status == 401
        assert service.ask(path, headers={"Authorization": "Bearer GR.wrong"}).status == 401
        refused = service.ask(path, role="ingest")
        assert (refused.status, refused.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")

    def test_there_is_none_before_a_service_has_run(self, service):
        answer = service.ask("/v1/status", role="reader")
        assert (answer.status, answer.json["__type"]) == (404, "ResourceNotFoundException")

    @pytest.mark.parametrize("routes", [ServiceRouteSettings(management_account="111122223333")])
    def test_members_of_an_organisation_do_not_see_it(self, service, told):
        assert service.ask("/v1/status", role="admin", account=MEMBER).status == 403
        assert service.ask("/metrics", role="admin", account=MEMBER).status == 403
        assert service.ask("/v1/status", role="reader").status == 200


class TestModels:
    def test_there_are_none_where_none_was_trained(self, service):
        assert service.ask("/v1/models", role="reader").json == {"models": [], "problems": []}

    def test_versions_are_told_of_by_their_cards_and_which_is_in_force(self, api, database, keeper, tmp_path):
        registry = Registry(tmp_path / "models")
        put(registry, "2026-11-01-a", "2026-11-02-b")
        registry.promote(SPEC.name, "2026-11-01-a", at=datetime(2026, 11, 3, tzinfo=UTC), by="tests")
        damaged = registry.root / SPEC.name / "2026-11-03-c" / "card.json"
        damaged.parent.mkdir()
        damaged.write_text("{")
        with serving_service(api, database, keeper, ServiceRouteSettings(models=registry.root)) as service:
            answer = service.ask("/v1/models", role="reader")
        told = [(one["card"]["version"], one["in_force"]) for one in answer.json["models"]]
        assert told == [("2026-11-01-a", True), ("2026-11-02-b", False)]
        (problem,) = answer.json["problems"]
        assert problem.startswith(f"{SPEC.name}/2026-11-03-c/card.json")
        assert str(tmp_path) not in answer.body.decode()


class TestMetrics:
    def test_they_are_the_figures_of_the_status(self, service, told):
        answer = service.ask("/metrics", role="reader")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        found = samples(answer)
        assert (found["guardray_ready",], found["guardray_store_up",]) == (1, 1)
        assert found["guardray_rows_total", "cloudtrail"] == 1_000_000
        assert 0 <= found["guardray_status_age_seconds",] < 5

    def test_without_a_service_they_say_so(self, service):
        assert samples(service.ask("/metrics", role="reader")) == {("guardray_store_up",): 1, ("guardray_ready",): 0}

    def test_without_a_store_they_say_so_and_keep_what_was_known(self, service, database, told):
        service.ask("/metrics", role="reader")
        with database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE service_status")
        found = samples(service.ask("/metrics", role="reader"))
        assert (found["guardray_store_up",], found["guardray_ready",]) == (0, 0)
        assert found["guardray_checkpoint",] == 96

    def test_they_are_for_operators_alone(self, service, told):
        assert service.ask("/metrics").status == 401
        assert service.ask("/metrics", role="reader").status == 200

    @pytest.mark.parametrize("routes", [ServiceRouteSettings(metrics=MetricsAccess.OPEN)])
    def test_they_can_be_for_all(self, service, told):
        assert service.ask("/metrics").status == 200


def test_bodies_are_not_taken_where_there_is_no_spool(service):
    assert service.ask("/v1/ingest/x", method="POST", role="ingest", body=b"{}").status == 403
