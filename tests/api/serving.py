"""The API as clients meet it: uvicorn on the loopback, and boto3 clients of any account and Region."""

from __future__ import annotations

from contextlib import contextmanager

import boto3
from api.uvicorn_thread import running
from botocore.config import Config

from guardray.access.gate import Gate, utc_now
from guardray.access.identity import Role
from guardray.access.issue import issue
from guardray.access.rate import Rate
from guardray.access.seal import Seal
from guardray.api.app import build_app
from guardray.api.exports import ExportKeeper
from guardray.api.rounds import Keepers
from guardray.store.access_audit import AuditLog
from guardray.store.access_keys import AccessKeys

ACCOUNT, OTHER, THIRD, MANAGEMENT = "111122223333", "444455556666", "777788889999", "999900001111"
REGION = "eu-west-1"


ACCOUNTS = (ACCOUNT, OTHER, THIRD, MANAGEMENT)
KEYS_OF_ADMIN = 3
"""So that a test can make the same change twice in a second. Of other roles there is one each, since it takes time."""


class Served:
    """An API that is being served, behind the gate that guards it in earnest.

    Attributes:
        url: of its root.
    """

    def __init__(self, url, keys):
        self.url, self._keys = url, keys

    def client(self, account=ACCOUNT, region=REGION, role=Role.ADMIN):
        """A boto3 client with a key of this account; it retries nothing."""
        key = self.key(account, role)
        return boto3.client(
            "guardduty",
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=key.record.id,
            aws_secret_access_key=key.secret,
            config=Config(retries={"max_attempts": 0, "mode": "standard"}, connect_timeout=5, read_timeout=30),
        )

    def key(self, account=ACCOUNT, role=Role.ADMIN):
        """A key of this account: another one with each call, as long as there are."""
        of_account = self._keys[account, role]
        key = of_account.pop()
        of_account.insert(0, key)
        return key


def _issued(keys, seal):
    """Keys of all accounts, made before the gate looks: it learns of new ones only after a second."""
    return {
        (account, role): [
            issue(keys, seal, kind="signing", account_id=account, role=role, regions=None, actor="tests", now=utc_now())
            for _ in range(KEYS_OF_ADMIN if role is Role.ADMIN else 1)
        ]
        for account in ACCOUNTS
        for role in Role
    }


@contextmanager
def serving(api, database, keeper):
    """The API while it is served."""
    seal = Seal(bytes(32))
    keys = AccessKeys(database)
    issued = _issued(keys, seal)
    gate = Gate(keys, AuditLog(database), seal, rate=Rate(per_s=10_000, burst=10_000))
    with running(build_app(api, gate, Keepers(keeper, ExportKeeper(database)))) as port:
        yield Served(f"http://127.0.0.1:{port}", issued)


def refused(exception) -> tuple[str, str]:
    """The code and the message of a ClientError."""
    error = exception.value.response["Error"]
    return error["Code"], error["Message"]
