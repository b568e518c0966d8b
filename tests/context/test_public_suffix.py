"""The domain that somebody registered."""

from __future__ import annotations

import polars as pl
import pytest

from guardray.context.public_suffix import registered_domain, registered_domains


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("www.bbc.co.uk", "bbc.co.uk"),
        ("bbc.co.uk", "bbc.co.uk"),
        ("co.uk", None),
        ("FOO.Example.COM.", "example.com"),
        ("photos.s3.amazonaws.com", "photos.s3.amazonaws.com"),
        ("mine.dyndns.org", "mine.dyndns.org"),
        ("_dmarc.example.com", "example.com"),
        ("localhost", None),
        ("10.0.0.1", None),
        ("", None),
    ],
)
def test_the_registered_part_of_a_name_ends_in_a_public_suffix(name, domain):
    assert registered_domain(name) == domain


@pytest.mark.parametrize("sign", ["/", "@", ":", "?", "#", "[", " ", chr(92)])
def test_signs_that_end_a_host_in_a_url_end_none_in_a_name(sign):
    assert registered_domain(f"a{sign}b.example.com") == "example.com"
    assert registered_domain(f"a{sign}b.com") is None


def test_a_column_keeps_its_rows_and_nulls():
    names = pl.Series(["a.example.com", None, "b.example.com", "a.example.com"])
    expected = ["example.com", None, "example.com", "example.com"]
    assert registered_domains(names).to_list() == expected
    assert registered_domains(names.cast(pl.Categorical)).to_list() == expected
