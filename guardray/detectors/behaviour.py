"""What detectors of unusual callers share: how new each part of a call is.

Each part of a call gets points: the operation, the place (network and country), the user agent, and further ones by
log. A value that the account has never seen weighs more than one that only this principal has not. A principal without
history of its own is judged against the account alone, so that a new colleague is measured by what colleagues do.

Points decide where no model is; where one is, it decides with them (`guardray.detectors.decisions`). What models
see is in `guardray.detectors.rarity`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from guardray.detectors.activity import Crowd, Habit
from guardray.detectors.peers import PEERS, PERSONS

HISTORY_DAYS = 7
"""Days on which anything was seen before an account is judged, and before a principal has habits of its own. GuardDuty
says seven to fourteen days; a week has every day of the week once."""

ALERT_POINTS = 4
"""Points from which a call is unusual. No single new thing has as many, so at least two are needed: a place that the
account has never seen with an operation that the principal has not, or without such a place nearly everything."""

NEW_TO_ACCOUNT, NEW_TO_PRINCIPAL = 2, 1
"""Points of a value that was never seen in the account, or only never with this principal."""

NEW_PLACE = 3
"""Points of a network or country that was never seen in the account: programs and operations come with every project,
while people who share an account share its places too."""

KNOWN_PLACE_DAYS = 2
"""Earlier days on which somebody did from a place what they have long been doing, after which it is known. After one,
whoever is busy over midnight would find the place known that they came from."""

KNOWN_ANYHOW_DAYS = 7
"""Earlier days with any calls from a place after which it is known. A thief who looks around for some days first does
not make their place known by that, while an office that opens with new people in it is news for a week at most."""

FAMILIAR_DAYS = 3
"""Earlier days on which a principal did something that it is used to: what a thief tried the day before is not."""

DENIED_POINTS = 1
"""Points of a new operation that was denied: whoever has habits knows what he may do."""

ACCOUNT = ("cloud_account_uid",)
PRINCIPAL = (*ACCOUNT, "actor_principal")

CROWD_OTHERS, CROWD_SHARE = 3, 0.2
"""Other principals of a kind, and their share of all that are active on the day, who do the same from which on it is
news of the organisation: a new VPN, another office, a program that all use from now on. Whoever has stolen keys has one
or two, and does other things with them."""

CROWD_OPERATIONS, CROWD_WORK = 2, 0.5
"""Who counts as one of a crowd: with the new place or program they call so many operations that they are used to, which
are at least this share of all that they call with it."""

WHOSE = {"account": ACCOUNT, "peers": (*ACCOUNT, "peers"), "principal": PRINCIPAL}
"""Whose habits there are, and how they are named: `principal_operation`, `peers_operation`, `account_operation`."""

LABELS = {"peers": PEERS, "region": pl.col("cloud_region")}
"""What rows of calls are labelled with. The Region is the latest call's: as a part of the group it would multiply rows
of those who ask in every Region."""

DENIALS = ("AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "UnauthorizedOperation")
"""Error codes of calls that were not allowed."""

CONSOLES = ("console", "Edge", "Opera", "Firefox", "Chrome", "Safari", "browser")
"""Families of user agents that a person sits at. The console calls what its pages need, not what the person wants."""

TOLD = (
    "actor_user_account_uid",
    "actor_user_credential_uid",
    "actor_user_name",
    "actor_user_type",
    "actor_user_uid",
    "actor_user_uid_alt",
    "api_operation",
    "api_response_error",
    "api_service_name",
    "bucket_name",
    "http_request_user_agent",
    "object_key",
    "src_endpoint_domain",
    "src_endpoint_ip",
)
"""What findings about a caller tell of the latest call."""

ACTS_ITSELF = (
    pl.col("actor_invoked_by").is_null()
    & pl.col("src_endpoint_ip").is_not_null()
    & (pl.col("actor_user_type") != "AWSService").fill_null(True)
    & pl.col("actor_session_issuer").str.contains("/aws-service-role/", literal=True).fill_null(False).not_()
)
"""Not an AWS service, neither for itself nor on behalf of a caller, nor with a role that is linked to it."""


IS_FAMILIAR = (pl.col("principal_operation_days") >= FAMILIAR_DAYS).fill_null(False)
"""The principal has long been calling it."""

IS_AT_WORK = IS_FAMILIAR | (pl.col("account_operation_history") < HISTORY_DAYS)
"""Calls that make a place known: familiar ones, and all while nothing in the account is familiar yet."""


_OPERATION = pl.concat_str("api_service_name", "api_operation", separator=":")
_FAMILIAR_OPERATIONS = _OPERATION.filter(IS_FAMILIAR).n_unique()

GOES_ON_WORKING = (_FAMILIAR_OPERATIONS >= CROWD_OPERATIONS) & (
    CROWD_WORK * _OPERATION.n_unique() <= _FAMILIAR_OPERATIONS
)
"""Over a principal's rows of a day with one value: nearly nothing else is new."""

WORKS_AS_EVER = (
    (pl.col("principal_operation_history") >= HISTORY_DAYS)
    & (pl.col("principal_network_days") > 0)
    & (pl.col("principal_agent_days") > 0)
).any()
"""Over a principal's rows of a day with one value: it comes from where the principal has been, by a known program."""


@dataclass(frozen=True)
class Part:
    """A part of a call that can be unusual.

    Attributes:
        name: of its habits, behind `principal_` and `account_`.
        columns: what tells its values.
        title: what GuardDuty's lists call it, in the plural.
        words: what a sentence calls it.
        whose: whose habits in it give points.
        levels: whose habits in it are learned, for models to see.
        known_days: earlier days on which a value must have been seen to be known.
        known_at_work_days: or, as many on which it was seen with an operation that the principal is used to; 0: such
            days do not count for more.
        crowd: who of those who do the same on the day make it news of many (see `Crowd.where`); None: nobody does.
    """

    name: str
    columns: tuple[str, ...]
    title: str
    words: str
    whose: tuple[str, ...] = ("account", "principal")
    levels: tuple[str, ...] = tuple(WHOSE)
    known_days: int = 1
    known_at_work_days: int = 0
    crowd: pl.Expr | None = None

    @property
    def habits(self) -> dict[str, Habit]:
        """Its habits by name."""
        seen = {f"{who}_{self.name}": Habit(WHOSE[who], self.columns) for who in self.levels}
        if not self.known_at_work_days:
            return seen
        known = (f"{who}_{self.name}" for who in self.whose)
        return seen | {f"{name}_at_work": replace(seen[name], where=IS_AT_WORK) for name in known}


OPERATION = Part("operation", ("api_service_name", "api_operation"), "APIs", "API", crowd=WORKS_AS_EVER)
NETWORK = Part(
    "network",
    ("src_endpoint_autonomous_system_number",),
    "ASNs",
    "network AS",
    known_days=KNOWN_ANYHOW_DAYS,
    known_at_work_days=KNOWN_PLACE_DAYS,
    crowd=GOES_ON_WORKING,
)
COUNTRY = Part(
    "country",
    ("src_endpoint_location_country",),
    "Countries",
    "country",
    known_days=KNOWN_ANYHOW_DAYS,
    known_at_work_days=KNOWN_PLACE_DAYS,
    crowd=GOES_ON_WORKING,
)
AGENT = Part("agent", ("http_request_user_agent_family",), "UserAgents", "user agent", crowd=GOES_ON_WORKING)

USER_TYPE = Part("user_type", ("actor_user_type",), "UserTypes", "user type", whose=("account",), levels=("account",))
BUCKET = Part("bucket", ("bucket_name",), "Buckets", "bucket", whose=("principal",))

SERVICE = Part("service", ("api_service_name",), "Services", "service", whose=(), levels=("account",))
REGION = Part("region", ("region",), "Regions", "Region", whose=(), levels=("account", "principal"))
ERROR = Part("error", ("api_response_error",), "Errors", "error", whose=(), levels=("account", "principal"))
"""Parts that models see, and that give no points. Which services a principal uses is known by its operations."""


def habits_of(parts: tuple[Part, ...]) -> dict[str, Habit]:
    """The habits in all these parts of a call, by name."""
    return {name: habit for part in parts for name, habit in part.habits.items()}


def crowds_of(parts: tuple[Part, ...]) -> dict[str, Crowd]:
    """Who does the same on the day, in those of these parts of a call in which many can."""
    return {
        f"crowd_{part.name}": Crowd(ACCOUNT, part.columns, pl.col("peers").is_in(PERSONS), part.crowd)
        for part in parts
        if part.crowd is not None
    }


def crowd(part: Part) -> pl.Expr:
    """Which share of the others of its kind do the same on the day: 0 where they are few."""
    if part.crowd is None:
        return pl.lit(0.0)
    others, around = pl.col(f"crowd_{part.name}_others"), pl.col(f"crowd_{part.name}_around")
    return pl.when(others >= CROWD_OTHERS).then(others / around).otherwise(0.0)


HAS_HISTORY = pl.col("account_operation_history") >= HISTORY_DAYS
IS_ESTABLISHED = pl.col("principal_operation_history") >= HISTORY_DAYS
"""Whether the principal has habits of its own."""


def newness(part: Part, points_in_account: int = NEW_TO_ACCOUNT) -> pl.Expr:
    """Points of this part of a call; none where its value is not told. What is new to many at once is not new to the
    account."""
    to_account = _is_new("account", part) & (crowd(part) < CROWD_SHARE)
    to_principal = IS_ESTABLISHED & _is_new("principal", part)
    points = pl.when(to_account).then(points_in_account).when(to_principal).then(NEW_TO_PRINCIPAL).otherwise(0)
    return points.cast(pl.Int32)


def _is_new(who: str, part: Part) -> pl.Expr:
    if who not in part.whose:
        return pl.lit(False)
    is_new = pl.col(f"{who}_{part.name}_days") < part.known_days
    if not part.known_at_work_days:
        return is_new
    return is_new & (pl.col(f"{who}_{part.name}_at_work_days") < part.known_at_work_days)


PLACE_POINTS = pl.max_horizontal(newness(NETWORK, NEW_PLACE), newness(COUNTRY, NEW_PLACE))

IS_ELSEWHERE = PLACE_POINTS == NEW_PLACE

IS_DENIED = pl.col("api_response_error").is_in(DENIALS).fill_null(False)


def points_if(condition: pl.Expr, points: int) -> pl.Expr:
    """So many points where it is true, else none."""
    return pl.when(condition).then(points).otherwise(0).cast(pl.Int32)
