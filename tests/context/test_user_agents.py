"""The program that called, told from its user agent."""

from __future__ import annotations

import polars as pl
import pytest

from guardray.context.user_agents import user_agent_families


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64 prompt/off command/s3.ls", "aws-cli"),
        ("[aws-cli/1.16 Python/2.7]", "aws-cli"),
        ("Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux", "Boto3"),
        ("APN/1.0 HashiCorp/1.0 Terraform/1.6.0 aws-sdk-go/1.44", "Terraform"),
        ("aws-sdk-go-v2/1.21.0 os/linux lang/go#1.21", "aws-sdk-go"),
        ("aws-sdk-java/2.20.1 Linux/5.10", "aws-sdk-java"),
        ("console.amazonaws.com", "console"),
        ("cloudformation.amazonaws.com", "AWS service"),
        ("AWS Internal", "AWS service"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36", "Chrome"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:120.0) Gecko/20100101 Firefox/120.0", "Firefox"),
        ("something of our own", "other"),
    ],
)
def test_a_family_is_told_from_the_text(text, family):
    assert user_agent_families(pl.Series([text])).to_list() == [family]


def test_a_column_keeps_its_rows_and_nulls():
    texts = pl.Series(["aws-cli/2", None, "x", "aws-cli/2"])
    assert user_agent_families(texts).to_list() == ["aws-cli", None, "other", "aws-cli"]
    assert user_agent_families(texts.cast(pl.Categorical)).to_list() == ["aws-cli", None, "other", "aws-cli"]
