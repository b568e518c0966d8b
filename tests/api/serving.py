"""The API as clients meet it: uvicorn on the loopback, and boto3 clients of any account and Region."""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager

import boto3
import uvicorn
from botocore.config import Config

from guardray.access.identity import Identity, Role
from guardray.access.refusals import unsigned
from guardray.api.app import build_app

ACCOUNT, OTHER = "111122223333", "444455556666"
REGION = "eu-west-1"

_SCOPE = re.compile(r"Credential=AKIA(\d{12})([A-Z]*)/\d{8}/([a-z0-9-]+)/guardduty/")


class NamedByKey:
    """Takes the account and the role from the key id, and checks no signature: that is another package's part."""

    def admit(self, request):
        found = _SCOPE.search(request.header("authorization") or "")
        if found is None:
            raise unsigned()
        account, role, region = found.groups()
        return Identity(account, region, Role(role.lower() or "admin"), f"AKIA{account}")


@contextmanager
def serving(api):
    """The URL of the API while it is served."""
    config = uvicorn.Config(build_app(api, NamedByKey()), host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


def client_of(url, account=ACCOUNT, region=REGION, role=""):
    """A boto3 client that calls as this account; it retries nothing."""
    return boto3.client(
        "guardduty",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=f"AKIA{account}{role.upper()}",
        aws_secret_access_key="secret",
        config=Config(retries={"max_attempts": 0, "mode": "standard"}, connect_timeout=5, read_timeout=30),
    )


def refused(exception) -> tuple[str, str]:
    """The code and the message of a ClientError."""
    error = exception.value.response["Error"]
    return error["Code"], error["Message"]
