"""Sign-ins too far apart, and how far countries are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.detectors.iam import console_login_success as logins
from guardray.geo.centroids import CENTROIDS, REACHES_KM, apart_km
from guardray.geo.geography import COUNTRIES
from guardray.testing import findings_from, frame_of

codes = st.sampled_from(sorted(CENTROIDS))


def found(*rows):
    return findings_from(logins.DETECTOR, frame_of(logins.DETECTOR.schema, rows), places=logins.PLACES)


def sign_in(address, hours=0.0, **changes):
    changes |= {"src_endpoint_ip": address, "time": logins.MORNING + timedelta(hours=hours)}
    return logins.SIGN_IN | changes


class TestDistances:
    """Between countries."""

    @given(one=codes, other=codes)
    def test_a_distance_is_the_same_both_ways_and_on_the_globe(self, one, other):
        assert 0 <= apart_km(one, other) == apart_km(other, one) <= 20_100

    @pytest.mark.parametrize(("one", "other"), [("DE", "FR"), ("US", "CA"), ("US", "MX"), ("CN", "RU"), ("IN", "PK")])
    def test_neighbours_may_touch(self, one, other):
        assert apart_km(one, other) == 0

    @pytest.mark.parametrize(("one", "other", "least"), [("GB", "AU", 10_000), ("DE", "BR", 6000), ("US", "IN", 8000)])
    def test_continents_are_apart(self, one, other, least):
        assert apart_km(one, other) > least

    def test_nothing_is_said_of_a_country_that_is_not_known(self):
        assert apart_km("DE", "UM") == apart_km("??", "DE") == 0

    def test_only_countries_are_in_the_tables(self):
        assert set(CENTROIDS) <= set(COUNTRIES.categories.to_list())
        assert set(REACHES_KM) <= set(CENTROIDS)


def test_the_finding_tells_both_places():
    (finding,) = found(sign_in(logins.BERLIN), sign_in(logins.RIO, 0.5))
    assert finding.action.remote_ip == logins.RIO
    assert finding.additional_info["unusual"]["previousIpAddress"] == logins.BERLIN
    assert "(BR, AS 64510) 30 minutes after signing in from 198.51.100.7 (DE, AS 64500)" in finding.description


@pytest.mark.parametrize(("hours", "fires"), [(0.02, True), (6.0, True), (7.9, True), (8.1, False), (9.0, False)])
def test_the_time_between_must_be_too_short_to_fly(hours, fires):
    """Germany and Brazil are at least 6463 km apart by the table: eight hours with all that belongs to a flight."""
    assert bool(found(sign_in(logins.BERLIN), sign_in(logins.RIO, hours))) is fires


def test_a_place_in_between_does_not_hide_the_pair():
    rows = [sign_in(logins.BERLIN), sign_in(logins.HAMBURG, 0.2), sign_in(logins.RIO, 0.4)]
    assert found(*rows)


def test_a_user_at_home_in_one_place_only_is_told_of():
    at_home = [sign_in(logins.BERLIN, -24 * day) for day in range(1, 6)]
    assert found(*at_home, sign_in(logins.BERLIN), sign_in(logins.RIO, 1))


def test_days_count_once_however_many_sign_ins_they_have():
    """Two days, with three sign-ins each, are no habit."""
    often = [sign_in(logins.RIO, -24 * day + hour) for day in (4, 2) for hour in (0, 1, 2)]
    at_home = [sign_in(logins.BERLIN, -24 * day) for day in (7, 6, 5)]
    assert found(*at_home, *often, sign_in(logins.BERLIN), sign_in(logins.RIO, 1))


def test_only_so_many_places_are_remembered():
    state = None
    for network in range(logins.PLACES_KEPT + 10):
        row = sign_in(logins.BERLIN, network) | {
            "src_endpoint_location_country": "DE",
            "src_endpoint_autonomous_system_number": network,
        }
        state = logins.judge(row, state).state
    assert len(state["places"]) == logins.PLACES_KEPT
    assert "DE/0" not in state["places"]
