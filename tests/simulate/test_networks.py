"""Simulated addresses have the countries and holders that the data on addresses gives them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from guardray.geo.geography import Geography
from guardray.simulate.networks import ACCESS, AWS, COUNTRIES, HOSTING, address_in


@pytest.fixture(scope="module")
def geography() -> Geography:
    return Geography.load()


def places(geography: Geography, *networks: tuple[str, int]) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    drawn = pl.Series([address_in(rng, *networks) for _ in range(200)], dtype=pl.UInt32)
    return geography.columns(drawn)


@pytest.mark.parametrize("region", AWS)
def test_addresses_of_instances_are_of_aws(geography: Geography, region: str) -> None:
    assert places(geography, AWS[region])["is_aws"].all()


@pytest.mark.parametrize("country", ACCESS)
def test_homes_are_where_they_should_be(geography: Geography, country: str) -> None:
    found = places(geography, *ACCESS[country])
    assert (found["country_code"] == country).mean() > 0.95
    assert found["is_aws"].sum() <= 2


def test_every_data_centre_has_a_holder_of_its_own(geography: Geography) -> None:
    holders = [places(geography, one)["asn"].mode()[0] for one in HOSTING]
    assert len(set(holders)) == len(HOSTING)
    assert not any(places(geography, one)["is_aws"].any() for one in HOSTING)


def test_every_region_has_people_somewhere() -> None:
    assert set(COUNTRIES) == set(AWS)
    assert set(COUNTRIES.values()) <= set(ACCESS)
