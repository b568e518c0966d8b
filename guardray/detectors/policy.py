"""Bucket policies: whom they let read and write, denials included.

Each statement that allows something to everyone is followed action by action through the statements that deny. What a
denial under conditions leaves is judged by who escapes the conditions. Where that cannot be told, or only some of the
objects are denied, the outcome is not sure. Block Public Access is not part of the verdict.

Source: IAM user guide, policy evaluation logic; Amazon S3 user guide, "The meaning of public".
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from guardray.detectors.conditions import Audience, parse_conditions, who_escapes, who_meets

READ_ACTIONS = (
    "s3:getobject",
    "s3:getobjectversion",
    "s3:getobjectacl",
    "s3:getobjectversionacl",
    "s3:getobjecttagging",
    "s3:getobjectattributes",
    "s3:listbucket",
    "s3:listbucketversions",
    "s3:listbucketmultipartuploads",
    "s3:listmultipartuploadparts",
    "s3:getbucketacl",
    "s3:getbucketpolicy",
)
WRITE_ACTIONS = (
    "s3:putobject",
    "s3:putobjectacl",
    "s3:putobjecttagging",
    "s3:deleteobject",
    "s3:deleteobjectversion",
    "s3:abortmultipartupload",
    "s3:restoreobject",
    "s3:putbucketacl",
    "s3:putbucketpolicy",
    "s3:deletebucketpolicy",
    "s3:deletebucket",
)
"""Actions that patterns such as `s3:Get*` are tried against; an action that a policy names in full is added."""

_READING = ("s3:get", "s3:list", "s3:head", "s3:describe")

HARMLESS_DENIAL_KEYS = ("aws:securetransport", "s3:tlsversion", "s3:x-amz-server-side-encryption")
"""Conditions that only say how to call: whoever they deny may call again in another way."""


class Grant(NamedTuple):
    """The widest audience of one kind of access. Ordered: wider first, then sure before unsure."""

    audience: Audience
    is_sure: bool


@dataclass(frozen=True)
class Exposure:
    """Whom a bucket is open to."""

    read: Grant
    write: Grant

    @property
    def widest(self) -> Grant:
        return max(self.read, self.write)

    @property
    def effective_permission(self) -> str:
        """PUBLIC, NOT_PUBLIC or UNKNOWN, as the finding's `publicAccess` says it."""
        open_grants = [grant for grant in (self.read, self.write) if grant.audience > Audience.LIMITED]
        if not open_grants:
            return "NOT_PUBLIC"
        return "PUBLIC" if any(grant.is_sure for grant in open_grants) else "UNKNOWN"


@dataclass(frozen=True)
class Patterns:
    """Names that a statement is about, by patterns with `*` and `?`; all others where `inverted`."""

    patterns: tuple[str, ...]
    inverted: bool = False

    def match(self, name: str) -> bool:
        return any(_compiled(pattern).match(name) for pattern in self.patterns) != self.inverted

    def cover(self, other: Patterns) -> bool:
        """Whether every name of `other` is surely among these."""
        if self.inverted or other.inverted:
            return "*" in self.patterns and not self.inverted
        return all(any(_covers(ours, theirs) for ours in self.patterns) for theirs in other.patterns)

    def may_meet(self, other: Patterns) -> bool:
        """Whether the two can have names in common; false only where they surely have none."""
        if self.inverted or other.inverted:
            return True
        return any(_may_meet(ours, theirs) for ours in self.patterns for theirs in other.patterns)


@dataclass(frozen=True)
class Allow:
    """A statement that allows, and the audience that its principals and conditions leave."""

    audience: Audience
    actions: Patterns
    resources: Patterns


@dataclass(frozen=True)
class Deny:
    """A statement that denies strangers something, but leaves alone the audience `escaping` it.

    `is_harmless`: whoever it denies may call again in another way.
    """

    escaping: Audience
    is_harmless: bool
    actions: Patterns
    resources: Patterns


@dataclass(frozen=True)
class BucketPolicy:
    """The statements of a policy that concern strangers."""

    allows: tuple[Allow, ...] = ()
    denies: tuple[Deny, ...] = ()


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """`*` stands for any text and `?` for one character; brackets, special to `fnmatch`, stand for themselves."""
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))


def _covers(outer: str, inner: str) -> bool:
    """Whether `outer` matches all that `inner` matches: it does when it matches it as text.

    A question mark could match a star of the text, which stands for more than one character, so none may be in it.
    """
    return outer == inner or ("?" not in outer and _compiled(outer).match(inner) is not None)


def _may_meet(one: str, other: str) -> bool:
    fixed_one, fixed_other = (re.split(r"[*?]", pattern, maxsplit=1)[0] for pattern in (one, other))
    return fixed_one.startswith(fixed_other) or fixed_other.startswith(fixed_one)


def parse_policy(document: Any) -> BucketPolicy:
    """A policy as JSON text or as the object itself. Anything that is not a policy allows and denies nothing."""
    statements = _decoded(document).get("Statement")
    listed = [s for s in (statements if isinstance(statements, list) else [statements]) if isinstance(s, dict)]
    return BucketPolicy(
        allows=tuple(_allow(s) for s in listed if s.get("Effect") == "Allow" and _names_everyone(s)),
        denies=tuple(_deny(s) for s in listed if s.get("Effect") == "Deny" and _names_everyone(s)),
    )


def _decoded(document: Any) -> dict[str, Any]:
    if isinstance(document, str):
        try:
            document = msgspec.json.decode(document)
        except (msgspec.DecodeError, RecursionError):
            return {}
    return document if isinstance(document, dict) else {}


def _names_everyone(statement: dict[str, Any]) -> bool:
    """Whether strangers are among the principals. All who are not named by `NotPrincipal` are."""
    if "NotPrincipal" in statement:
        return not _has_star(statement["NotPrincipal"])
    return _has_star(statement.get("Principal"))


def _has_star(principal: Any) -> bool:
    if isinstance(principal, dict):
        principal = principal.get("AWS", principal.get("*"))
    return "*" in principal if isinstance(principal, list) else principal == "*"


def _allow(statement: dict[str, Any]) -> Allow:
    conditions = parse_conditions(statement.get("Condition"))
    audience = min((who_meets(condition) for condition in conditions), default=Audience.ANYONE)
    return Allow(audience, _patterns(statement, "Action", str.lower), _patterns(statement, "Resource", bucket_path))


def _deny(statement: dict[str, Any]) -> Deny:
    conditions = parse_conditions(statement.get("Condition"))
    return Deny(
        escaping=max((who_escapes(condition) for condition in conditions), default=Audience.LIMITED),
        is_harmless=any(condition.key.startswith(HARMLESS_DENIAL_KEYS) for condition in conditions),
        actions=_patterns(statement, "Action", str.lower),
        resources=_patterns(statement, "Resource", bucket_path),
    )


def _patterns(statement: dict[str, Any], element: str, normal: Callable[[str], str]) -> Patterns:
    inverted = f"Not{element}" in statement
    values = statement.get(f"Not{element}" if inverted else element)
    texts = values if isinstance(values, list) else [values]
    return Patterns(tuple(normal(text) for text in texts if isinstance(text, str)), inverted)


def bucket_path(arn: str) -> str:
    """`arn:aws:s3:::bucket/key` to `bucket/key`, in every partition."""
    return arn.rpartition(":::")[2]


def exposure(allows: Iterable[Allow], denies: Iterable[Deny]) -> Exposure:
    """Whom the statements together let in. The order of statements does not matter."""
    allows, denies = tuple(allows), tuple(denies)
    named = {pattern for allow in allows if not allow.actions.inverted for pattern in allow.actions.patterns}
    actions = {*READ_ACTIONS, *WRITE_ACTIONS, *(name for name in named if _is_one_action(name))}
    reading = [action for action in actions if action.startswith(_READING)]
    writing = [action for action in actions if not action.startswith(_READING)]
    return Exposure(read=_widest(reading, allows, denies), write=_widest(writing, allows, denies))


def _is_one_action(name: str) -> bool:
    return name.startswith("s3:") and "*" not in name and "?" not in name


def _widest(actions: Iterable[str], allows: Iterable[Allow], denies: Iterable[Deny]) -> Grant:
    return max(_grants(actions, allows, denies), default=Grant(Audience.LIMITED, True))


def _grants(actions: Iterable[str], allows: Iterable[Allow], denies: Iterable[Deny]) -> Iterator[Grant]:
    for action in actions:
        denying = [deny for deny in denies if deny.actions.match(action)]
        for allow in allows:
            if allow.audience > Audience.LIMITED and allow.actions.match(action):
                yield _after_denials(allow, denying)


def _after_denials(allow: Allow, denying: Iterable[Deny]) -> Grant:
    audience, is_sure = allow.audience, True
    for deny in denying:
        if not deny.resources.may_meet(allow.resources):
            continue
        if deny.resources.cover(allow.resources) and deny.escaping < Audience.ANYONE:
            audience = min(audience, deny.escaping)
        elif not deny.is_harmless:
            is_sure = False
    return Grant(audience, is_sure or audience is Audience.LIMITED)
