"""The notebook about baselines, run: on simulated accounts, and beside a service."""

from __future__ import annotations

from dataclasses import replace

import pytest
from api.conftest import api, clock, database, database_kind, keeper, library, settings
from api.service_serving import serving_service
from api.test_query_api import NOW, stored_findings

from guardray.access.gate import utc_now
from guardray.access.identity import Role
from guardray.access.issue import issue
from guardray.access.seal import Seal
from guardray.api.service_routes import ServiceRouteSettings
from guardray.store.access_keys import AccessKeys
from guardray.store.findings import write_findings
from tests.notebooks.running import notebook, run, shown

__all__ = ["api", "clock", "database", "database_kind", "keeper", "library", "settings"]

pytestmark = pytest.mark.slow


def test_a_baseline_can_be_explored_on_simulated_accounts(environment):
    texts = "\n".join(shown(run(notebook("01"), environment)))
    for told in ("actor_principal", "aws-cli", "anomaly", "AnomalousBehavior", "seldom above"):
        assert told in texts


def test_findings_are_those_of_a_service_where_its_address_is_given(place, api, database, keeper):
    (account,) = place.archive.accounts(place.specs["management-calls"])
    theirs = [replace(one, account_id=account, title=f"Told by the service: {one.type}") for one in stored_findings()]
    with database.writing() as connection:
        write_findings(connection, theirs[:3], NOW)
    token = issue(
        AccessKeys(database),
        Seal(bytes(32)),
        account_id=account,
        role=Role.READER,
        kind="token",
        regions=None,
        actor="tests",
        now=utc_now(),
    ).secret
    with serving_service(api, database, keeper, ServiceRouteSettings()) as served:
        address = {"GUARDRAY_ADDRESS": f"http://127.0.0.1:{served.port}", "GUARDRAY_TOKEN": token}
        book = run(notebook("01"), {"GUARDRAY_DATA": str(place.data), **address})
    assert "Told by the service" in "\n".join(shown(book))
