"""UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B: a user signed in to the console from two places, too soon apart.

Nobody can have travelled from one country to the other in the time between. One password is used by two, and one of
them may have stolen it. Only places are known, not who is there: a VPN or a proxy moves people in no time. So pairs do
not count where both ends are in one network, where one is AWS, or where the user has long been signing in from both.
Within a country, and between countries that may be near, it cannot see anything. Users of an identity provider do not
sign in here.

Source: GuardDuty user guide, IAM finding types; no distance or time is published, those here are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from guardray.detectors.calls import SUCCEEDED, called, caller_of, credentials, origin_of
from guardray.detectors.declare import ChangeDetector, Judgement, fires, quiet
from guardray.findings.actions import AwsApiCall
from guardray.findings.details import Details
from guardray.geo.centroids import apart_km
from guardray.schema import api_activity
from guardray.types import Row

TOGETHER_S = timedelta(hours=8).total_seconds()
"""Sign-ins are compared over so many seconds: within a working day, since over night people do fly."""

PLAUSIBLE_KM_H, GROUND_H = 1000.0, 1.5
"""An airliner's speed, and the hours of a journey that nobody spends in the air, at least: at both airports and on the
way to and from them."""

ROAD_KM_H = 150.0
"""Who does not fly comes as far: by car or train, door to door."""

FAMILIAR_DAYS = 3
"""Earlier days with sign-ins from a country and network after which the user is at home there."""

PLACES_KEPT = 50
"""Countries and networks that are remembered of a user; those not used for longest give way."""

State = dict[str, Any]
"""`logins`: those of the last hours, each with `time` (seconds since 1970), `country`, `network` and `address`;
`places`: by country and network, on how many days (`days`) the user signed in from there and the `last` one."""


def judge(row: Row, known: Any) -> Judgement:
    """Compares a sign-in with those of the last hours, and remembers where it came from."""
    state: State = known or {"logins": [], "places": {}}
    login = _login(row)
    recent = [one for one in state["logins"] if login["time"] - one["time"] <= TOGETHER_S]
    other = next((one for one in reversed(recent) if _is_impossible(one, login, state["places"])), None)
    state["logins"] = [*recent, login]
    _remember(login, state["places"])
    return Judgement(state, fires=other is not None, facts={"other": other, "login": login})


def _login(row: Row) -> dict[str, Any]:
    return {
        "time": row["time"].timestamp(),
        "country": row["src_endpoint_location_country"],
        "network": row["src_endpoint_autonomous_system_number"],
        "address": row["src_endpoint_ip"],
    }


def _is_impossible(one: Mapping[str, Any], other: Mapping[str, Any], places: Mapping[str, Any]) -> bool:
    if one["network"] == other["network"] or (_is_familiar(one, places) and _is_familiar(other, places)):
        return False
    hours: float = abs(other["time"] - one["time"]) / 3600
    reach_km = max(PLAUSIBLE_KM_H * (hours - GROUND_H), ROAD_KM_H * max(hours, 1.0))
    return apart_km(one["country"], other["country"]) > reach_km


def _is_familiar(login: Mapping[str, Any], places: Mapping[str, Any]) -> bool:
    place = places.get(_place(login))
    if place is None:
        return False
    earlier_days: int = place["days"] - (place["last"] == _day(login))
    return earlier_days >= FAMILIAR_DAYS


def _remember(login: Mapping[str, Any], places: dict[str, Any]) -> None:
    place = places.pop(_place(login), {"days": 0, "last": None})
    places[_place(login)] = {"days": place["days"] + (place["last"] != _day(login)), "last": _day(login)}
    while len(places) > PLACES_KEPT:
        del places[next(iter(places))]


def _place(login: Mapping[str, Any]) -> str:
    return f"{login['country']}/{login['network']}"


def _day(login: Mapping[str, Any]) -> int:
    return int(login["time"] // 86400)


def details(row: Row) -> Details:
    other, login = row["facts"]["other"], row["facts"]["login"]
    minutes = (login["time"] - other["time"]) / 60
    distance = apart_km(other["country"], login["country"])
    return Details(
        title=f"The console was signed in to by {caller_of(row)} from two distant places.",
        description=f"{caller_of(row)} signed in from {origin_of(row)} ({login['country']}, AS {login['network']}) "
        f"{minutes:.0f} minutes after signing in from {other['address']} ({other['country']}, AS {other['network']}), "
        f"at least {distance:.0f} km away.",
        resource=credentials(row),
        action=AwsApiCall.of(row),
        additional_info={"unusual": {"previousIpAddress": other["address"], "previousCountry": other["country"]}},
    )


MORNING = datetime(2026, 1, 12, 9, tzinfo=UTC)
BERLIN, HAMBURG, RIO, PARIS = "198.51.100.7", "198.51.100.90", "203.0.113.40", "203.0.113.80"
CLOUD = "192.0.2.10"
PLACES = {
    BERLIN: ("DE", 64500),
    HAMBURG: ("DE", 64501),
    PARIS: ("FR", 64502),
    RIO: ("BR", 64510),
    CLOUD: ("BR", 16509),
}

SIGN_IN = {
    "time": MORNING,
    "event_category": "Management",
    "event_type": "AwsConsoleSignIn",
    "api_service_name": "signin.amazonaws.com",
    "api_operation": "ConsoleLogin",
    "api_response_data": '{"ConsoleLogin": "Success"}',
    "actor_user_type": "IAMUser",
    "actor_user_name": "alice",
    "actor_user_uid_alt": "AIDAALICE",
    "src_endpoint_ip": BERLIN,
}


def _sign_in(address: str, hours: float = 1, **changes: str | None) -> dict[str, Any]:
    return SIGN_IN | {"src_endpoint_ip": address, "time": MORNING + timedelta(hours=hours)} | changes


IN_TURN = tuple(_sign_in((BERLIN, RIO)[day % 2], hours=-24 * day) for day in range(2 * FAMILIAR_DAYS, 0, -1))
"""Days in one place and days in the other."""

DETECTOR = ChangeDetector(
    finding_type="UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B",
    severity=5.0,
    source="cloudtrail-management",
    schema=api_activity.SCHEMA,
    role="TARGET",
    entity=("actor_principal",),
    where=SUCCEEDED
    & called("signin.amazonaws.com", "ConsoleLogin")
    & (pl.col("actor_user_type") == "IAMUser")
    & pl.col("api_response_data").str.contains('"Success"', literal=True)
    & pl.col("is_trusted").not_()
    & pl.col("src_endpoint_is_aws").not_()  # unknown as well: without a network there is no place
    & pl.col("src_endpoint_location_country").is_not_null(),
    key=("cloud_account_uid", "actor_principal"),
    judge=judge,
    is_behaviour=True,
    details=details,
    tunables={
        "together_s": TOGETHER_S,
        "plausible_km_h": PLAUSIBLE_KM_H,
        "ground_h": GROUND_H,
        "road_km_h": ROAD_KM_H,
        "familiar_days": FAMILIAR_DAYS,
        "places_kept": PLACES_KEPT,
    },
    examples=(
        fires("a user signs in on two continents within an hour", SIGN_IN, _sign_in(RIO), places=PLACES),
        fires("the second sign-in is the user's own", _sign_in(RIO, -1), SIGN_IN, places=PLACES),
        quiet("both are in one country", SIGN_IN, _sign_in(HAMBURG), places=PLACES),
        quiet("the countries are near", SIGN_IN, _sign_in(PARIS, 0.2), places=PLACES),
        quiet("there is time to fly", SIGN_IN, _sign_in(RIO, 13), places=PLACES),
        quiet("one is in AWS, as a remote desktop is", SIGN_IN, _sign_in(CLOUD), places=PLACES),
        quiet("both have been used for days", *IN_TURN, SIGN_IN, _sign_in(RIO), places=PLACES),
        quiet("they are two users", SIGN_IN, _sign_in(RIO, actor_user_uid_alt="AIDABOB"), places=PLACES),
        quiet(
            "the second fails", SIGN_IN, _sign_in(RIO, api_response_data='{"ConsoleLogin": "Failure"}'), places=PLACES
        ),
        quiet("the places are unknown", SIGN_IN, _sign_in(RIO)),
    ),
)
