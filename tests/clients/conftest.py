"""One `guardray serve` over a simulated account, keys of three accounts, and moto for all other services of AWS."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.aws_server import CREDENTIALS, aws_server
from tests.chaos.tree import COMMAND, START_S, Tree
from tests.service.conftest import account

__all__ = ["account"]

MANAGEMENT, GUEST = "999900001111", "444455556666"
REGION = "eu-west-1"


@dataclass(frozen=True)
class Service:
    """A service, and the environment that points a client of AWS at it.

    Attributes:
        account_id: whose logs it reads.
        lists: the folder that its lists may lie in.
    """

    url: str
    account_id: str
    lists: Path
    other_services: str
    data: Path

    def environ(self, account_id: str, role: str = "admin") -> dict[str, str]:
        """Of a client with a new key: the two lines of the README, and moto for what is not GuardDuty."""
        made = subprocess.run(
            [
                COMMAND,
                "keys",
                "create",
                "--data",
                self.data,
                "--account",
                account_id,
                "--role",
                role,
                "--format",
                "json",
            ],
            check=True,
            capture_output=True,
        )
        key = json.loads(made.stdout)
        time.sleep(1.5)  # a service knows a new key within a second
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return inherited | {
            **CREDENTIALS,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL_GUARDDUTY": self.url,
            "AWS_ENDPOINT_URL": self.other_services,
            "AWS_PAGER": "",
        }


@pytest.fixture(scope="session")
def account_id(account: Path) -> str:
    """Whose logs were simulated."""
    (found,) = (account / "AWSLogs").iterdir()
    return found.name


@pytest.fixture(scope="session")
def service(account: Path, account_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """While it runs; it has read nothing yet when a test begins."""
    home = tmp_path_factory.mktemp("clients")
    tree = Tree(home, {"sources": [str(account / "AWSLogs")]})
    tree.config["api"]["management_account"] = MANAGEMENT
    (home / "guardray.yaml").write_text(json.dumps(tree.config))  # JSON is YAML
    url = f"http://127.0.0.1:{tree.config['api']['port']}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_ACCOUNT_ID", account_id)
        with aws_server(home / "moto.log") as others:
            made = Service(url, account_id, home / "data" / "lists", others, home / "data")
            made.environ(account_id)  # without a key there is no sealing key either
            tree.start()
            try:
                tree.wait(lambda _: True, 3 * START_S)
                yield made
            finally:
                tree.kill()
