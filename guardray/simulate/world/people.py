"""Who calls APIs in an account: people with habits, and the roles of workloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from guardray.simulate.addresses import public_address
from guardray.simulate.networks import AWS, Network, address_in
from guardray.simulate.randomness import KEY_LETTERS, pick, stream, token

Duty = Literal["administrator", "developer", "operator", "analyst"]

FIRST_NAMES = (
    "adaeze", "bjorn", "camila", "darius", "elif", "farid", "greta", "hana", "ines", "jakub", "kavya", "lars", "mina",
    "nadia", "oskar", "priya", "quentin", "rosa", "sven", "tomas", "uma", "viktor", "wanda", "ximena", "yusuf", "zora",
)  # fmt: skip
LAST_NAMES = (
    "abara", "becker", "costa", "dahl", "eriksen", "fontaine", "garcia", "haddad", "ivanov", "jansen", "kalinowski",
    "lindqvist", "moreau", "novak", "okafor", "parrotta", "qureshi", "rossi", "santos", "tanaka", "urban", "varga",
    "weber", "yilmaz", "zhou",
)  # fmt: skip

CLI_AGENTS = (
    "aws-cli/2.27.41 md/awscrt#0.26.1 ua/2.1 os/macos#24.5.0 md/arch#arm64 lang/python#3.13.4 md/pyimpl#CPython "
    "cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#{command}",
    "aws-cli/2.15.30 Python/3.11.8 Linux/6.8.0-60-generic exe/x86_64.ubuntu.22 prompt/off command/{command}",
    "aws-cli/2.22.7 md/awscrt#0.23.4 ua/2.0 os/windows#10 md/arch#amd64 lang/python#3.12.6 md/pyimpl#CPython "
    "cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#{command}",
)
SDK_AGENTS = (
    "Boto3/1.38.36 md/Botocore#1.38.36 ua/2.1 os/linux#6.8.0-60-generic md/arch#x86_64 lang/python#3.12.3 "
    "md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.38.36",
    "aws-sdk-js/3.826.0 ua/2.1 os/darwin#24.5.0 lang/js md/nodejs#22.16.0 api/s3#3.826.0",
    "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.24.3 md/GOOS#linux md/GOARCH#amd64 app/kaliber-reports",
)
BROWSERS = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
)
TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.12.2 (+https://www.terraform.io) terraform-provider-aws/5.100.0 "
    "(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.36.4 ua/2.1 os/linux lang/go#1.24.4 "
    "md/GOOS#linux md/GOARCH#amd64"
)

DUTIES: tuple[Duty, ...] = ("administrator", "developer", "developer", "operator", "analyst")


@dataclass(frozen=True)
class Person:
    """Someone who works with the account, as an IAM user or through a role of the identity provider."""

    name: str
    duty: Duty
    role: str  # empty for an IAM user
    principal_id: str
    access_key: str
    office_ip: int
    home_ip: int
    utc_offset_h: int
    cli: str  # user agent with a place for the command
    sdk: str
    browser: str
    uses_console: bool

    def arn(self, account: str) -> str:
        """What `userIdentity.arn` says."""
        if self.role:
            return f"arn:aws:sts::{account}:assumed-role/{self.role}/{self.name}"
        return f"arn:aws:iam::{account}:user/{self.name}"


@dataclass(frozen=True)
class Workload:
    """A role that programs use: of a Lambda function, of instances, of deployments."""

    role: str
    role_id: str
    service: Literal["lambda", "ec2", "deployment", "audit"]
    session: str  # empty where the session is named after the instance
    address: int
    agent: str

    def arn(self, account: str, session: str = "") -> str:
        """What `userIdentity.arn` says."""
        return f"arn:aws:sts::{account}:assumed-role/{self.role}/{session or self.session}"


def build_people(
    seed: int, account: str, count: int, access: tuple[Network, ...], offices: list[int], offset_h: int
) -> tuple[Person, ...]:
    """People of two offices, at home in networks of the same country; about half are IAM users."""
    rng = stream(seed, account, "people")
    firsts, lasts = rng.permutation(len(FIRST_NAMES)), rng.permutation(len(LAST_NAMES))
    roles = {
        duty: (f"AWSReservedSSO_{duty.title()}Access_{token(rng, 16)}", f"AROA{token(rng, 17, KEY_LETTERS)}")
        for duty in dict.fromkeys(DUTIES)
    }
    names = [
        f"{FIRST_NAMES[firsts[i % len(firsts)]]}.{LAST_NAMES[lasts[(i * 7 + i // len(lasts)) % len(lasts)]]}"
        for i in range(count)
    ]
    return tuple(_person(rng, index, name, roles, access, offices, offset_h) for index, name in enumerate(names))


def _person(
    rng: np.random.Generator,
    index: int,
    name: str,
    roles: dict[Duty, tuple[str, str]],
    access: tuple[Network, ...],
    offices: list[int],
    offset_h: int,
) -> Person:
    duty = DUTIES[index % len(DUTIES)]
    role, role_id = roles[duty]
    is_user = index % 2 == 0
    return Person(
        name=name,
        duty=duty,
        role="" if is_user else role,
        principal_id=f"AIDA{token(rng, 17, KEY_LETTERS)}" if is_user else f"{role_id}:{name}",
        access_key=f"AKIA{token(rng, 16, KEY_LETTERS)}",
        office_ip=pick(rng, offices),
        home_ip=address_in(rng, *access),
        utc_offset_h=offset_h + int(rng.integers(0, 2)),
        cli=pick(rng, CLI_AGENTS),
        sdk=pick(rng, SDK_AGENTS),
        browser=pick(rng, BROWSERS),
        uses_console=bool(rng.random() < 0.6),
    )


def build_workloads(seed: int, account: str, region: str, functions: int, nat_ip: int) -> tuple[Workload, ...]:
    """The roles of functions, of instances, of the deployment pipeline and of a daily audit from elsewhere."""
    rng, aws = stream(seed, account, "workloads"), AWS[region]
    names = [f"{pick(rng, _FUNCTIONS)}-{pick(rng, _STAGES)}-{index}" for index in range(functions)]
    lambdas = [
        Workload(
            f"{name}-role", f"AROA{token(rng, 17, KEY_LETTERS)}", "lambda", name, address_in(rng, aws), _LAMBDA_AGENT
        )
        for name in names
    ]
    fixed = (
        ("web-instance-role", "ec2", "", nat_ip, _INSTANCE_AGENT),
        ("worker-instance-role", "ec2", "", nat_ip, _INSTANCE_AGENT),
        ("terraform-deploy", "deployment", "deploy-pipeline", public_address(rng), TERRAFORM),
        ("nightly-backup", "lambda", "nightly-backup", address_in(rng, aws), _LAMBDA_AGENT),
        ("posture-audit", "audit", "posture-scan", public_address(rng), SDK_AGENTS[0]),
    )
    return (*lambdas, *(Workload(role, f"AROA{token(rng, 17, KEY_LETTERS)}", *rest) for role, *rest in fixed))  # type: ignore[arg-type]


_FUNCTIONS = ("resize-images", "ingest-orders", "send-invoices", "sync-catalogue", "score-leads", "rotate-reports")
_STAGES = ("prod", "prod", "staging")
_LAMBDA_AGENT = (
    "Boto3/1.38.36 md/Botocore#1.38.36 ua/2.1 os/linux#5.10.237-246.974.amzn2.x86_64 md/arch#x86_64 "
    "lang/python#3.12.10 md/pyimpl#CPython exec-env/AWS_Lambda_python3.12 cfg/retry-mode#legacy Botocore/1.38.36"
)
_INSTANCE_AGENT = (
    "Boto3/1.38.36 md/Botocore#1.38.36 ua/2.1 os/linux#6.1.140-154.222.amzn2023.x86_64 md/arch#x86_64 "
    "lang/python#3.11.12 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.38.36"
)
