"""Who called: the `userIdentity` element as columns.

One session makes many calls with the very same element, so that each distinct text is decoded once and its columns are
spread over the rows: half the cost of decoding it in every record.

Source: AWS CloudTrail User Guide, "CloudTrail userIdentity element".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import polars as pl
from msgspec import json

from guardray.sources.cloudtrail.cells import Bases, Cells, distinct, texts
from guardray.sources.cloudtrail.loose import any_json, text_fields, text_of
from guardray.sources.cloudtrail.records import FLAGS, Wire


class SessionIssuer(Wire):
    arn: str | None = None
    principal_id: str | None = None
    user_name: str | None = None


class SessionAttributes(Wire):
    mfa_authenticated: str | bool | None = None


class SessionContext(Wire):
    session_issuer: SessionIssuer | None = None
    attributes: SessionAttributes | None = None
    assumed_root: str | bool | None = None
    ec2_role_delivery: str | None = None


class Scope(Wire):
    issuer_type: str | None = None
    credentials_issued_to: str | None = None


class UserIdentity(Wire):
    type: str | None = None
    user_name: str | None = None
    arn: str | None = None
    principal_id: str | None = None
    account_id: str | None = None
    access_key_id: str | None = None
    invoked_by: str | None = None
    session_context: SessionContext | None = None
    in_scope_of: Scope | None = None


_IDENTITY_TEXT = {
    "actor_user_type": "type",
    "actor_user_name": "user_name",
    "actor_user_uid": "arn",
    "actor_user_uid_alt": "principal_id",
    "actor_user_account_uid": "account_id",
    "actor_user_credential_uid": "access_key_id",
    "actor_invoked_by": "invoked_by",
}
_ISSUER_TEXT = {
    "actor_session_issuer": "arn",
    "actor_session_issuer_uid": "principal_id",
    "actor_session_issuer_name": "user_name",
}
_SCOPE_TEXT = {"actor_scope_issuer_type": "issuer_type", "actor_scope_issued_to": "credentials_issued_to"}
_ROLE_NAME = pl.when(pl.col("actor_user_type") == "AssumedRole").then(pl.col("actor_session_issuer_name"))

_IDENTITIES = json.Decoder(UserIdentity | None)
_NO_IDENTITY, _NO_CONTEXT, _NO_ISSUER, _NO_ATTRIBUTES, _NO_SCOPE = (
    UserIdentity(),
    SessionContext(),
    SessionIssuer(),
    SessionAttributes(),
    Scope(),
)


def identity_columns(bases: Bases, cells: Cells) -> pl.DataFrame:
    """The `actor_*` columns, one row a cell."""
    codes, firsts = distinct(bases, cells)
    elements = texts("element", bases[firsts], cells[firsts])
    identities = _decoded([element.encode() for element in elements])
    return _table([*identities, _NO_IDENTITY])[np.where(codes < 0, len(identities), codes)]


def _decoded(elements: Sequence[bytes]) -> list[UserIdentity]:
    try:
        identities = _IDENTITIES.decode_lines(b"\n".join(elements))
    except ValueError:
        identities = [_careful(element) for element in elements]
    return [identity or _NO_IDENTITY for identity in identities]


def _careful(element: bytes) -> UserIdentity | None:
    try:
        identity: UserIdentity | None = _IDENTITIES.decode(element)
    except ValueError:  # hand-edited: an element that is a text, or texts that are numbers
        return _loose(any_json(element))
    return identity


def _loose(value: Any) -> UserIdentity | None:
    if isinstance(value, str):
        return UserIdentity(arn=text_of(value)) if value.startswith("arn:") else UserIdentity(user_name=text_of(value))
    if not isinstance(value, dict):
        return None
    context = _object(value, "sessionContext")
    session = SessionContext(
        session_issuer=SessionIssuer(**text_fields(SessionIssuer, _object(context, "sessionIssuer"))),
        attributes=SessionAttributes(**text_fields(SessionAttributes, _object(context, "attributes"))),
        assumed_root=text_of(context.get("assumedRoot")),
        ec2_role_delivery=text_of(context.get("ec2RoleDelivery")),
    )
    scope = Scope(**text_fields(Scope, _object(value, "inScopeOf")))
    identity = UserIdentity(session_context=session, in_scope_of=scope)
    for name, text in text_fields(UserIdentity, value).items():
        if name not in ("session_context", "in_scope_of"):
            setattr(identity, name, text)
    return identity


def _object(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _table(identities: Sequence[UserIdentity]) -> pl.DataFrame:
    contexts = [identity.session_context or _NO_CONTEXT for identity in identities]
    issuers = [context.session_issuer or _NO_ISSUER for context in contexts]
    attributes = [context.attributes or _NO_ATTRIBUTES for context in contexts]
    scopes = [identity.in_scope_of or _NO_SCOPE for identity in identities]
    columns: dict[str, list[Any]] = {
        name: list(map(attrgetter(field), identities)) for name, field in _IDENTITY_TEXT.items()
    }
    columns |= {name: list(map(attrgetter(field), issuers)) for name, field in _ISSUER_TEXT.items()}
    columns |= {name: list(map(attrgetter(field), scopes)) for name, field in _SCOPE_TEXT.items()}
    columns["actor_session_ec2_role_delivery"] = [context.ec2_role_delivery for context in contexts]
    flags: dict[str, list[bool | None]] = {
        "actor_session_is_mfa": [FLAGS.get(attribute.mfa_authenticated) for attribute in attributes],
        "actor_session_assumed_root": [FLAGS.get(context.assumed_root) for context in contexts],
    }
    schema = dict.fromkeys(columns, pl.String()) | dict.fromkeys(flags, pl.Boolean())
    return pl.DataFrame(columns | flags, schema=schema).with_columns(
        actor_user_name=pl.coalesce("actor_user_name", _ROLE_NAME)
    )
