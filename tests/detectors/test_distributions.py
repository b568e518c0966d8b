"""User agents, as AWS clients write them, and the distribution they tell of."""

from __future__ import annotations

import polars as pl
import pytest

from guardray.detectors.distributions import DISTRIBUTIONS, runs

TELLING = [
    (
        "kali",
        "aws-cli/2.23.6 md/awscrt#1.0.0.dev0 ua/2.0 os/linux#6.12.13-cloud-amd64 md/distrib#kali.2025 md/prompt#off",
    ),
    ("kali", "[aws-cli/2.36.17 ua/2.1 os/linux#6.19.14+kali-amd64 md/arch#x86_64 md/installer#exe]"),
    ("kali", "Boto3/1.9.89 Python/3.8.1 Linux/5.10.0-kali3-amd64 Botocore/1.12.189"),
    ("kali", "aws-cli/1.18.69 Python/3.9.1+ Linux/5.9.0-kali5-amd64 botocore/1.19.0"),
    (
        "kali",
        "aws-cli/2.1.29 Python/3.9.2 Linux/5.10.13 source/x86_64.kali.2021 prompt/off command/sts.get-caller-identity",
    ),
    ("kali", "aws-sdk-java/1.11.1030 LINUX/5.10.0-KALI9-AMD64 OpenJDK_64-Bit_Server_VM/25.302-b08"),
    ("parrot", "Boto3/1.26.0 Python/3.9.2 Linux/6.5.0-13parrot1-amd64 Botocore/1.29.0"),
    ("parrot", "aws-cli/2.15.0 os/linux#6.5.0 md/distrib#parrot.6"),
    ("pentoo", "aws-cli/1.22.34 Python/3.9.9 Linux/5.15.12-pentoo botocore/1.23.34"),
]

SILENT = [
    "aws-cli/2.31.3 md/distrib#ubuntu.22 exec-env/kali-runner",
    "aws-cli/2.31.3 os/linux#6.12.1-alkaline md/distrib#amzn.2",
    "aws-cli/2.31.3 os/linux#6.12.1-kalix md/distrib#kalix.1",
    "Boto3/1.26.0 app/parrot Linux/5.10.0-aws",
    "kali",
    "s3://kali/linux-6.1-images",
    "S3Console/0.4, aws-internal/3 aws-sdk-java/1.11.1002 Linux/5.4.129-72.229.amzn2int.x86_64",
    "",
]


@pytest.mark.parametrize(("distribution", "agent"), TELLING)
def test_a_client_is_told_by_its_distribution(distribution, agent):
    frame = pl.DataFrame({"http_request_user_agent": [agent]})
    assert [name for name in DISTRIBUTIONS.values() if frame.select(runs(name)).item()] == [distribution]


@pytest.mark.parametrize("agent", SILENT)
def test_a_client_is_not_told_when_the_name_stands_elsewhere(agent):
    frame = pl.DataFrame({"http_request_user_agent": [agent]})
    assert not any(frame.select(runs(name)).item() for name in DISTRIBUTIONS.values())
