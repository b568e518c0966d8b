"""Who is like whom: the peers that somebody's calls are compared with, told from the identity alone.

People who take a role, instances that have one, programs that take one, users with keys of their own, and identities of
another provider do different things; what one of a kind does is news to fewer of that kind. The name of a session only
tells the kind, and makes no new principal.

Source: AWS Identity and Access Management user guide, `userIdentity` elements and role sessions: an instance's session
is named by the instance, that of IAM Identity Center by the person.
"""

from __future__ import annotations

import polars as pl

_SESSION = pl.col("actor_user_uid").str.extract(r":assumed-role/.+/([^/]+)$")
_ROLE = pl.col("actor_user_uid").str.extract(r":assumed-role/(.+)/[^/]+$")

_IS_INSTANCE = _SESSION.str.contains(r"^i-[0-9a-f]{8,17}$")
_IS_PERSON = _SESSION.str.contains("@", literal=True) | _ROLE.str.starts_with("AWSReservedSSO_")

PEERS: pl.Expr = (
    pl.when(pl.col("actor_user_type") == "IAMUser")
    .then(pl.lit("users"))
    .when(pl.col("actor_user_type").is_in(("FederatedUser", "SAMLUser", "WebIdentityUser", "IdentityCenterUser")))
    .then(pl.lit("federated"))
    .when(pl.col("actor_user_type") == "Root")
    .then(pl.lit("root"))
    .when(pl.col("actor_user_type").is_null() | (pl.col("actor_user_type") != "AssumedRole"))
    .then(pl.lit("others"))
    .when(_IS_INSTANCE.fill_null(False))
    .then(pl.lit("instances"))
    .when(_IS_PERSON.fill_null(False))
    .then(pl.lit("people"))
    .otherwise(pl.lit("programs"))
)
"""`users`, `federated`, `root`, `instances`, `people`, `programs` or `others`: over columns of the latest call."""

PERSONS = ("users", "people", "federated")
"""Peers that people are, as most users are; the others are programs and the root user."""
