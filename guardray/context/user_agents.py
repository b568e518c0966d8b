"""Families of programs that call AWS, told from their user agent.

Only the family is told: versions and systems change with every update, the program that somebody uses seldom does.
"""

from __future__ import annotations

import polars as pl

OTHER = "other"

FAMILIES: tuple[tuple[str, str], ...] = (
    ("console", r"^console\.|^signin\.|awsconsole|console\.aws\.amazon|^s3console/|aws-internal/3 aws-sdk-java"),
    ("AWS service", r"^aws internal|^[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|aws\.internal)$|^aws-internal/"),
    ("Terraform", r"terraform"),
    ("Pulumi", r"pulumi"),
    ("CloudFormation", r"cloudformation"),
    ("AWS CDK", r"aws-cdk|cdk-"),
    ("Ansible", r"ansible"),
    ("Pacu", r"\bpacu\b"),
    ("ScoutSuite", r"scout ?suite"),
    ("Prowler", r"\bprowler\b"),
    ("aws-cli", r"^aws-cli/"),
    ("PowerShell", r"powershell"),
    ("Boto3", r"^boto3/|^botocore/|^boto/"),
    ("s3fs", r"s3fs|goofys"),
    ("rclone", r"^rclone/"),
    ("aws-sdk-go", r"aws-sdk-go"),
    ("aws-sdk-java", r"aws-sdk-java"),
    ("aws-sdk-js", r"aws-sdk-js|aws-sdk-nodejs"),
    ("aws-sdk-ruby", r"aws-sdk-ruby"),
    ("aws-sdk-php", r"aws-sdk-php"),
    ("aws-sdk-dotnet", r"aws-sdk-dotnet|aws-sdk-net|aws-sdk-windows"),
    ("aws-sdk-rust", r"aws-sdk-rust"),
    ("aws-sdk-cpp", r"aws-sdk-cpp"),
    ("amazon-ssm-agent", r"amazon-ssm-agent|ssm-agent"),
    ("Edge", r"^mozilla/.* edg(e|a|ios)?/"),
    ("Opera", r"^mozilla/.* opr/"),
    ("Firefox", r"^mozilla/.* (firefox|fxios)/"),
    ("Chrome", r"^mozilla/.* (chrome|crios|chromium)/"),
    ("Safari", r"^mozilla/.* safari/"),
    ("browser", r"^mozilla/"),
    ("curl", r"^curl/"),
    ("Python", r"^python-|^python/"),
    ("Go", r"^go-http-client/"),
    ("Java", r"^java/|apache-httpclient|okhttp"),
)
"""Name and pattern in lower case; the first that fits counts: tools come before the libraries they call with."""

FAMILY_NAMES = pl.Enum([*(name for name, _ in FAMILIES), OTHER])


def user_agent_families(texts: pl.Series) -> pl.Series:
    """The family of each user agent, found once a distinct text: String or Categorical [n] to Enum [n]."""
    distinct = texts.unique().drop_nulls()
    families = distinct.cast(pl.String).to_frame("text").select(_family(pl.col("text"))).to_series()
    return texts.replace_strict(distinct, families, default=None, return_dtype=FAMILY_NAMES)


def _family(text: pl.Expr) -> pl.Expr:
    # CloudTrail writes some user agents in brackets.
    plain = text.str.to_lowercase().str.strip_chars("[] ")
    family: pl.Expr = pl.lit(OTHER, FAMILY_NAMES)
    for name, pattern in reversed(FAMILIES):
        family = pl.when(plain.str.contains(pattern)).then(pl.lit(name, FAMILY_NAMES)).otherwise(family)
    return family
