"""Somebody called APIs that they, or anybody in the account, do not call, from places or programs that are new as well.

One finding type for each tactic that the API serves (`guardray.detectors.tactics`): CredentialAccess, DefenseEvasion,
Discovery, Exfiltration, Impact, InitialAccess, Persistence and PrivilegeEscalation, all :IAMUser/AnomalousBehavior.
A day of a principal is one occurrence: the most unusual API first, the others of the tactic behind it.

A deployment that calls a new API from where it always runs, a traveller who does what he always does, and a new
colleague who does what colleagues do are not unusual. A program that goes on with its work in another network is at
most discovery (`guardray.detectors.moves`). A network, country or program that many begin to work with on the same day
is news of the organisation, and counts for nobody. Calls that only look around are found where they are several or
entirely new, since people look around.

Beside points, new operations of a day that serve several ends of an attacker are told of where hardly anybody in the
account calls them, of fewer ends where place or program is strange as well. It cannot see who misuses credentials from
their usual place with their usual programs for one end, nor anything in an account with less than a week of history.

Points decide where nothing was learned; a learned model of the account, where there is one, decides with them: it
quietens what is usual there and raises what few points tell.

Source: GuardDuty user guide, IAM finding types and details of anomalous behaviour; first-seen values, points and
features are our own.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from guardray.detectors.activity import Activity, Hours
from guardray.detectors.behaviour import (
    ACTS_ITSELF,
    AGENT,
    ALERT_POINTS,
    CONSOLES,
    COUNTRY,
    CROWD_OTHERS,
    CROWD_SHARE,
    DENIED_POINTS,
    ERROR,
    FAMILIAR_DAYS,
    HAS_HISTORY,
    HISTORY_DAYS,
    IS_DENIED,
    IS_ELSEWHERE,
    IS_ESTABLISHED,
    KNOWN_ANYHOW_DAYS,
    KNOWN_PLACE_DAYS,
    LABELS,
    NETWORK,
    NEW_PLACE,
    NEW_TO_ACCOUNT,
    NEW_TO_PRINCIPAL,
    OPERATION,
    PLACE_POINTS,
    PRINCIPAL,
    REGION,
    SERVICE,
    TOLD,
    USER_TYPE,
    crowds_of,
    habits_of,
    newness,
    points_if,
)
from guardray.detectors.calls import MANAGEMENT, OWN_CREDENTIALS, credentials
from guardray.detectors.decisions import CLEARLY_USUAL, decided, ranked
from guardray.detectors.declare import ActivityDetector, Example, fires, on_earlier_days, quiet
from guardray.detectors.features import FeatureSpec
from guardray.detectors.moves import DOES_ITS_WORK, MOVED_OPERATIONS, MOVED_SHARE
from guardray.detectors.rarity import (
    BURSTS,
    HOUR,
    LEVELS,
    PLACE,
    RHYTHMS,
    apart,
    ends,
    is_new,
    new_operations,
    novelties,
    rarities,
    sensitivity,
    strange_ends,
    takeover,
)
from guardray.detectors.tactics import Tactic, tactic
from guardray.detectors.unusual_calls import unusual_details
from guardray.findings.details import Details
from guardray.schema import api_activity
from guardray.stats.measures import Count
from guardray.types import Row

CLEAR_POINTS = 6
"""Points from which one call that only looks around is worth a finding of its own."""

LOOKING_POINTS, LOOKING_AROUND = 5, 5
"""Points from which a call that only looks around counts, and how many such operations of one principal and day are
worth a finding together. Whoever has stolen credentials asks for everything; somebody who works from a hotel asks for a
few things that only colleagues ever asked for."""

TAKEN_OVER_ENDS = 3.0
"""Ends of attackers from which on a new operation is told of, whatever its points: three that hardly anybody in the
account serves, or one of them where place and program are strange as well. Whoever is called at night, tidies up or
sets up a new stack serves two or three, from where they always work, with operations that others use."""

PARTS = (OPERATION, NETWORK, COUNTRY, AGENT, USER_TYPE)
PROFILED = (*PARTS, SERVICE, REGION, ERROR)

IS_SIGN_IN = (pl.col("event_type") == "AwsConsoleSignIn").fill_null(False)
"""Anybody can fail to sign in, and no place becomes known by that. Who succeeds goes on to call something."""

CALLS = Activity(
    name="management calls",
    schema=api_activity.SCHEMA,
    where=MANAGEMENT & OWN_CREDENTIALS & ACTS_ITSELF & IS_SIGN_IN.not_(),
    owner=("cloud_account_uid",),
    group=(*PRINCIPAL, "api_response_error", *(column for part in PARTS for column in part.columns)),
    measures={"calls": Count(), "hours": Hours()},
    labels=LABELS,
    habits=habits_of(PROFILED),
    levels=LEVELS,
    rhythms=RHYTHMS,
    crowds=crowds_of(PARTS),
    actors=PRINCIPAL,
    room=PRINCIPAL,
    latest=TOLD,
)

OPERATION_POINTS = newness(OPERATION)
AGENT_POINTS = newness(AGENT)

POINTS = (
    OPERATION_POINTS
    + PLACE_POINTS
    + AGENT_POINTS
    + points_if(pl.col("account_user_type_days") == 0, NEW_TO_PRINCIPAL)
    + points_if(IS_DENIED & (OPERATION_POINTS > 0), DENIED_POINTS)
)

IS_HIJACKED = IS_ESTABLISHED & IS_ELSEWHERE & (AGENT_POINTS == NEW_TO_ACCOUNT)
"""A known principal in a place and with a program that nobody in the account ever had, whatever it calls."""

IS_TAKEN_OVER = takeover(OPERATION, (NETWORK, COUNTRY), AGENT) >= TAKEN_OVER_ENDS
"""New operations of an attacker's, so rare and of so many ends, from so strange a place or program, that somebody else
is at work."""

IS_UNUSUAL = (
    HAS_HISTORY
    & (((POINTS >= ALERT_POINTS) & ((OPERATION_POINTS > 0) | IS_HIJACKED)) | IS_TAKEN_OVER)
    & (IS_ESTABLISHED | IS_ELSEWHERE)  # where new programs run, new roles call what nobody called before
)

SPEC = FeatureSpec(
    name="management-calls",
    activity=CALLS,
    candidates=HAS_HISTORY & ((POINTS > 0) | is_new(REGION)),
    whose=PRINCIPAL,
    features=(
        *rarities(PROFILED),
        *novelties(PARTS),
        PLACE,
        HOUR,
        *BURSTS,
        new_operations(OPERATION),
        sensitivity(OPERATION),
        ends(OPERATION),
        strange_ends(OPERATION, (NETWORK, COUNTRY), AGENT),
        apart(OPERATION),
    ),
)

IS_NEWS = HAS_HISTORY & (POINTS > 0) & (IS_ESTABLISHED | IS_ELSEWHERE)
"""What a model may raise: something of it is new to somebody who is known, or elsewhere."""

IS_UNUSUAL_AFTER_MOVE = POINTS - PLACE_POINTS - AGENT_POINTS + NEW_TO_PRINCIPAL >= ALERT_POINTS
"""Place and program, new together, count as one thing that is new with the principal."""


def is_unusual(purpose: Tactic) -> pl.Expr:
    """The rows of unusual calls that serve a tactic. That a program has moved is told of as discovery, if at all."""
    serves = tactic() == purpose
    is_news = IS_NEWS & serves & ~DOES_ITS_WORK
    found = IS_UNUSUAL & serves
    if purpose != "Discovery":
        return decided(found & (~DOES_ITS_WORK | IS_UNUSUAL_AFTER_MOVE), is_news)
    by_page = pl.col("http_request_user_agent_family").is_in(CONSOLES).fill_null(False)
    # A page of the console calls more than is asked for.
    least = pl.when(by_page).then(CLEAR_POINTS).otherwise(LOOKING_POINTS)
    sought = found & POINTS.ge(least)
    operations = pl.col("api_operation").filter(sought.fill_null(False)).n_unique().over(*PRINCIPAL, "window_start")
    return decided(sought & ((POINTS >= CLEAR_POINTS) | (operations >= LOOKING_AROUND)), is_news)


def describer(purpose: Tactic) -> Callable[[Row], Details]:
    """How findings about calls that serve a tactic are described."""

    def details(row: Row) -> Details:
        return unusual_details(row, purpose, PARTS, SPEC, credentials(row))

    return details


OFFICE, HOTEL = "198.51.100.7", "203.0.113.40"
PLACES = {OFFICE: ("DE", 64500), HOTEL: ("BR", 64510)}

CLI, TOOL = "aws-cli/2.15.30 Python/3.11.8", "Boto3/1.34.51 md/Botocore#1.34.51"

WORK = {
    "event_category": "Management",
    "api_service_name": "ec2.amazonaws.com",
    "api_operation": "DescribeInstances",
    "actor_user_type": "IAMUser",
    "actor_user_name": "alice",
    "actor_user_uid_alt": "AIDAALICE",
    "src_endpoint_ip": OFFICE,
    "http_request_user_agent": CLI,
}
COLLEAGUE = WORK | {"actor_user_name": "bob", "actor_user_uid_alt": "AIDABOB"}
HISTORY = on_earlier_days(8, WORK, COLLEAGUE | {"api_service_name": "iam.amazonaws.com", "api_operation": "GetUser"})

EXAMPLES: dict[Tactic, tuple[tuple[str, str], ...]] = {
    "CredentialAccess": (("secretsmanager", "GetSecretValue"),),
    "DefenseEvasion": (("logs", "DeleteLogGroup"),),
    "Discovery": tuple(("iam", f"List{one}") for one in ("Roles", "Users", "Groups", "Policies", "AccessKeys")),
    "Exfiltration": (("ec2", "ModifySnapshotAttribute"),),
    "Impact": (("kms", "ScheduleKeyDeletion"),),
    "InitialAccess": (("sts", "GetFederationToken"),),
    "Persistence": (("iam", "CreateAccessKey"),),
    "PrivilegeEscalation": (("iam", "AttachUserPolicy"),),
}
"""Calls that serve a tactic, none of which anybody in the examples made before."""

FOR_DISCOVERY = {
    "clear_points": CLEAR_POINTS,
    "looking_points": LOOKING_POINTS,
    "looking_around": LOOKING_AROUND,
}

SEVERITIES: dict[Tactic, float] = {"Discovery": 2.0, "Exfiltration": 8.0, "Impact": 8.0}
"""Those that are not Medium."""


def _examples(purpose: Tactic) -> tuple[Example, ...]:
    calls = [{"api_service_name": f"{of}.amazonaws.com", "api_operation": one} for of, one in EXAMPLES[purpose]]

    def made(by: dict[str, str], **changes: str) -> tuple[dict[str, str], ...]:
        return tuple(by | call | changes for call in calls)

    stolen = {"src_endpoint_ip": HOTEL, "http_request_user_agent": TOOL}
    known = on_earlier_days(8, *made(WORK))
    by_service = {"actor_invoked_by": "cloudformation.amazonaws.com"}
    return (
        fires("new calls come from a new place", *HISTORY, *made(WORK, **stolen), places=PLACES),
        fires("they are denied", *HISTORY, *made(WORK, api_response_error="AccessDenied", **stolen), places=PLACES),
        fires(
            "a new user makes new calls from a new place",
            *HISTORY,
            *made(WORK | {"actor_user_uid_alt": "AIDAMALLORY"}, **stolen),
            places=PLACES,
        ),
        quiet("new calls come from the usual place", *HISTORY, *made(WORK), places=PLACES),
        quiet("usual calls come from a new place", *HISTORY, *known, *made(WORK, src_endpoint_ip=HOTEL), places=PLACES),
        quiet("a new user does what others do", *HISTORY, *known, *made(COLLEAGUE), places=PLACES),
        quiet("the account is new", *on_earlier_days(3, WORK), *made(WORK, **stolen), places=PLACES),
        quiet("a service acts for the caller", *HISTORY, *made(WORK, **stolen, **by_service), places=PLACES),
        quiet("the place is unknown", *HISTORY, *made(WORK, src_endpoint_ip=HOTEL)),
    )


def detector(purpose: Tactic) -> ActivityDetector:
    return ActivityDetector(
        finding_type=f"{purpose}:IAMUser/AnomalousBehavior",
        severity=SEVERITIES.get(purpose, 5.0),
        source="cloudtrail-management",
        schema=api_activity.SCHEMA,
        role="TARGET",
        entity=("actor_principal",),
        activity=CALLS,
        crossed=is_unusual(purpose),
        together=PRINCIPAL,
        score=ranked(POINTS),
        learning="before",
        spec=SPEC,
        details=describer(purpose),
        tunables={
            "history_days": HISTORY_DAYS,
            "alert_points": ALERT_POINTS,
            "clearly_usual": CLEARLY_USUAL,
            "new_to_account": NEW_TO_ACCOUNT,
            "new_to_principal": NEW_TO_PRINCIPAL,
            "new_place": NEW_PLACE,
            "known_place_days": KNOWN_PLACE_DAYS,
            "known_anyhow_days": KNOWN_ANYHOW_DAYS,
            "denied_points": DENIED_POINTS,
            "familiar_days": FAMILIAR_DAYS,
            "taken_over_ends": TAKEN_OVER_ENDS,
            "crowd_others": CROWD_OTHERS,
            "crowd_share": CROWD_SHARE,
            "moved_operations": MOVED_OPERATIONS,
            "moved_share": MOVED_SHARE,
            **(FOR_DISCOVERY if purpose == "Discovery" else {}),
        },
        examples=_examples(purpose),
    )


DETECTORS = tuple(map(detector, EXAMPLES))
