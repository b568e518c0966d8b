"""`/v1` against its own description: schemathesis makes requests from the document, and checks every answer by it."""

from __future__ import annotations

import pytest
import schemathesis
from api.conftest import Clock
from api.service_serving import ACCOUNT, serving_service, tell
from api.serving import MANAGEMENT
from api.test_query_api import NOW, stored_findings
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from service_examples import RUNNING

from guardray.access.identity import Role
from guardray.api.activation import ListKeeper
from guardray.api.call import Settings
from guardray.api.core import Api
from guardray.api.openapi import document
from guardray.api.service_routes import ServiceRouteSettings
from guardray.detectors.loader import load_detectors
from guardray.intel.upkeep import Library
from guardray.store.database import Database
from guardray.store.findings import write_findings

NOT_PROMISED = [positive_data_acceptance]
"""A cursor is a text, and not every text is a cursor; the same goes for criteria."""

SCHEMA = schemathesis.openapi.from_dict(document())

fuzzing = settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """With findings, and a status, so that there is something to answer."""
    folder = tmp_path_factory.mktemp("described")
    database = Database(str(folder / "findings.db"))
    with database.writing() as connection:
        write_findings(connection, stored_findings(), NOW)
    tell(database, RUNNING)
    api = Api(database, Settings(management_account=MANAGEMENT, detectors=load_detectors()), clock=Clock())
    keeper = ListKeeper(database, Library(folder / "data"), None)
    with serving_service(api, database, keeper, ServiceRouteSettings()) as served:
        yield served
    database.close()


@SCHEMA.parametrize()
@fuzzing
def test_every_answer_is_as_the_document_says(service, case):
    headers = {"Authorization": f"Bearer {service.tokens[ACCOUNT, Role.READER]}"}
    case.call_and_validate(
        base_url=f"http://127.0.0.1:{service.port}", headers=headers, timeout=20, excluded_checks=NOT_PROMISED
    )
