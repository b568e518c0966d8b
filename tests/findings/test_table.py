"""The table for people."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from finding_examples import c2_domain, one_of_each, ssh_brute_force
from rich.console import Console

from guardray.findings.table import FindingsTable
from guardray.findings.writers import write_findings


def rendered(findings, width=120, **options) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, **options).print(FindingsTable(findings))
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_every_finding_is_whole_at_every_width(width):
    text = rendered(one_of_each(), width)
    assert max(len(line) for line in text.splitlines()) <= width
    for finding in one_of_each():
        where, what = finding.type.split("/")
        assert f"{where}/" in text
        assert what in text
    assert "← 198.51.100.7" in text
    assert "→ c2.example.net" in text


def test_a_narrow_table_puts_both_ends_under_the_type():
    lines = rendered([ssh_brute_force()], 80).splitlines()
    row = next(index for index, line in enumerate(lines) if "SSHBruteForce" in line)
    assert "i-0123456789abcdef0 ← 198.51.100.7" in lines[row + 1]


@pytest.mark.parametrize("width", [120, 160])
def test_an_instance_id_and_an_address_are_not_broken_where_ends_have_columns(width):
    long = replace(ssh_brute_force(), type="UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS")
    text = rendered([ssh_brute_force(), long], width)
    assert text.count("i-0123456789abcdef0  ") == text.count("← 198.51.100.7  ") == 2


def test_a_type_that_does_not_fit_is_broken_at_its_slash():
    long = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
    assert "InstanceCredentialExfiltration.OutsideAWS" in rendered([replace(ssh_brute_force(), type=long)], 80)


def test_a_wide_table_says_what_happened():
    assert c2_domain().title in rendered([c2_domain()], 200)


def test_the_most_severe_comes_first_and_bands_are_counted():
    text = rendered([ssh_brute_force(), c2_domain()])
    assert text.startswith("2 findings: 1 critical, 1 low")
    assert text.index("CRITICAL") < text.index("LOW")


def test_the_day_is_told_twice_only_where_it_changes():
    assert "2024-05-01 11:50 \u2013 12:03" in rendered([ssh_brute_force()], 200)
    later = replace(ssh_brute_force(), event_last_seen=ssh_brute_force().event_last_seen + timedelta(days=1))
    assert "2024-05-01 11:50 \u2013 2024-05-02 12:03" in rendered([later], 200)


def test_nothing_found_is_said():
    assert rendered([]) == "No findings.\n"


def test_text_from_logs_cannot_steer_the_terminal():
    evil = replace(c2_domain().action, domain="[red]\x1b[2J\u202eevil.example")
    text = rendered([replace(c2_domain(), action=evil)], force_terminal=False)
    assert "[red]�[2J�evil.example" in text


def test_a_pipe_gets_plain_text_that_is_not_cut():
    stream = io.StringIO()
    write_findings(one_of_each(), stream, "table")
    assert "\x1b" not in stream.getvalue()
    assert "i-0123456789abcdef0" in stream.getvalue()


def test_a_terminal_without_unicode_gets_ascii():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    foreign = replace(c2_domain().action, domain="bücher.example")
    Console(file=stream, width=100).print(FindingsTable([ssh_brute_force(), replace(c2_domain(), action=foreign)]))
    stream.flush()
    text = stream.buffer.getvalue().decode("ascii")
    assert "<- 198.51.100.7" in text
    assert "-> b?cher.example" in text
