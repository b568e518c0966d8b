"""The API as clients meet it: uvicorn on the loopback, and boto3 clients of any account and Region."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import boto3
import uvicorn
from botocore.config import Config

from guardray.access.gate import Gate, utc_now
from guardray.access.identity import Role
from guardray.access.issue import issue
from guardray.access.rate import Rate
from guardray.access.seal import Seal
from guardray.api.app import build_app
from guardray.store.access_audit import AuditLog
from guardray.store.access_keys import AccessKeys

ACCOUNT, OTHER = "111122223333", "444455556666"
REGION = "eu-west-1"


class Served:
    """An API that is being served, behind the gate that guards it in earnest.

    Attributes:
        url: of its root.
    """

    def __init__(self, url, keys, seal):
        self.url, self._keys, self._seal = url, keys, seal

    def client(self, account=ACCOUNT, region=REGION, role=Role.ADMIN):
        """A boto3 client with a key of this account; it retries nothing."""
        issued = issue(
            self._keys,
            self._seal,
            kind="signing",
            account_id=account,
            role=role,
            regions=None,
            actor="tests",
            now=utc_now(),
        )
        return boto3.client(
            "guardduty",
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=issued.record.id,
            aws_secret_access_key=issued.secret,
            config=Config(retries={"max_attempts": 0, "mode": "standard"}, connect_timeout=5, read_timeout=30),
        )


@contextmanager
def serving(api, database):
    """The API while it is served."""
    seal = Seal(bytes(32))
    keys = AccessKeys(database)
    gate = Gate(keys, AuditLog(database), seal, rate=Rate(per_s=10_000, burst=10_000))
    config = uvicorn.Config(build_app(api, gate), host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield Served(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", keys, seal)
    finally:
        server.should_exit = True
        thread.join(10)


def refused(exception) -> tuple[str, str]:
    """The code and the message of a ClientError."""
    error = exception.value.response["Error"]
    return error["Code"], error["Message"]
