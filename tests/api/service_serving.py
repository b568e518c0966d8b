"""The whole application with the service's own routes: uvicorn on the loopback, and plain HTTP."""

from __future__ import annotations

import http.client
import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from api.uvicorn_thread import running

from guardray.access.gate import Gate, utc_now
from guardray.access.identity import Role
from guardray.access.issue import issue
from guardray.access.rate import Rate
from guardray.access.seal import Seal
from guardray.api.app import build_app
from guardray.api.service_routes import ServiceRouteSettings, service_router
from guardray.service.status import encoded
from guardray.store.access_audit import AuditLog
from guardray.store.access_keys import AccessKeys
from guardray.store.lease import Lease
from guardray.store.service_status import StatusBoard

ACCOUNT, MEMBER = "111122223333", "444455556666"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class ServedService:
    """The application while it is served; `tokens` by account and role."""

    def __init__(self, port, tokens):
        self.port, self.tokens = port, tokens

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, path, *, method="GET", role=None, account=ACCOUNT, body=None, headers=None):
        """One request, with the token of a role or none."""
        connection = self.connect()
        try:
            connection.request(method, path, body, {**self.bearer(role, account), **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def bearer(self, role, account=ACCOUNT):
        return {} if role is None else {"Authorization": f"Bearer {self.tokens[account, Role(role)]}"}


@contextmanager
def serving_service(api, database, keeper, settings: ServiceRouteSettings):
    """The application while it is served."""
    seal = Seal(bytes(32))
    keys = AccessKeys(database)
    wanted = {"kind": "token", "regions": None, "actor": "tests", "now": utc_now()}
    issued = {
        (account, role): issue(keys, seal, account_id=account, role=role, **wanted)
        for account in (ACCOUNT, MEMBER)
        for role in Role
    }
    gate = Gate(keys, AuditLog(database), seal, rate=Rate(per_s=10_000, burst=10_000))
    app = build_app(api, gate, keeper, service_router(database, gate, settings))
    tokens = {of: one.secret for of, one in issued.items()}
    with running(app) as port:
        yield ServedService(port, tokens)


def tell(database, status, age_s=0.0):
    """Have the service say that it stands so, as long ago."""
    now = datetime.now(UTC) - timedelta(seconds=age_s)
    fence = Lease(database).acquire("tests", now, timedelta(minutes=1), take_over=True)
    StatusBoard(database).save(encoded(replace(status, told_at=now)), now, fence)
