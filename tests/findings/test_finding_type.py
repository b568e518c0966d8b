"""Finding type names, taken apart and put together."""

from __future__ import annotations

import pytest

from guardray.findings.finding_type import FindingType


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("UnauthorizedAccess:EC2/SSHBruteForce", FindingType("UnauthorizedAccess", "EC2", "SSHBruteForce")),
        ("Backdoor:EC2/C&CActivity.B!DNS", FindingType("Backdoor", "EC2", "C&CActivity", "B", "DNS")),
        ("Impact:S3/AnomalousBehavior.Delete", FindingType("Impact", "S3", "AnomalousBehavior", "Delete")),
        ("Trojan:EC2/DropPoint!DNS", FindingType("Trojan", "EC2", "DropPoint", None, "DNS")),
    ],
)
def test_a_name_is_taken_apart_and_put_together(name, parts):
    assert FindingType.parse(name) == parts
    assert str(parts) == name


@pytest.mark.parametrize("name", ["", "SSHBruteForce", "A:B", "A:B/", "A:B/C.", "A:B/C!", "A:B/C/D", "A:B/C\n", ":B/C"])
def test_a_name_of_another_syntax_is_refused(name):
    with pytest.raises(ValueError, match="is not a finding type"):
        FindingType.parse(name)
