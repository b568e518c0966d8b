"""Account password policies of IAM: what one demands, and where another demands less."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Demands(NamedTuple):
    """What a policy asks of passwords; in every field the larger number is the stricter one.

    Attributes:
        minimum_length: characters.
        character_classes: how many of upper case, lower case, numbers and symbols a password must have.
        rotation: forced changes a day, so that a shorter life is the larger number; 0 where passwords never expire.
        reuse_prevention: earlier passwords that may not be taken again.
    """

    minimum_length: int
    character_classes: int
    rotation: float
    reuse_prevention: int


class PasswordPolicy(msgspec.Struct, frozen=True, rename="camel"):
    """The settings of `UpdateAccountPasswordPolicy`, which sets what it leaves out to these defaults.

    Source: IAM API reference, UpdateAccountPasswordPolicy.
    """

    minimum_password_length: int = 6
    require_symbols: bool = False
    require_numbers: bool = False
    require_uppercase_characters: bool = False
    require_lowercase_characters: bool = False
    allow_users_to_change_password: bool = False
    max_password_age: int | None = None
    password_reuse_prevention: int | None = None
    hard_expiry: bool | None = None

    @property
    def demands(self) -> Demands:
        classes = (
            self.require_symbols,
            self.require_numbers,
            self.require_uppercase_characters,
            self.require_lowercase_characters,
        )
        return Demands(
            minimum_length=self.minimum_password_length,
            character_classes=sum(classes),
            rotation=1 / self.max_password_age if self.max_password_age else 0.0,
            reuse_prevention=self.password_reuse_prevention or 0,
        )


AWS_DEFAULT = Demands(minimum_length=8, character_classes=3, rotation=0.0, reuse_prevention=0)
"""What IAM demands where an account has no policy of its own. Source: IAM user guide, default password policy."""


def parse_policy(request: str | None) -> PasswordPolicy | None:
    """The policy that a request asks for; None where the request is unknown or not of its form."""
    if request is None:
        return None
    try:
        return msgspec.json.decode(request, type=PasswordPolicy | None, strict=False)
    except (msgspec.DecodeError, RecursionError):
        return None


def weakened(before: Demands, after: Demands) -> tuple[str, ...]:
    """The demands that are lower after than before, by name."""
    return tuple(name for name, old, new in zip(Demands._fields, before, after, strict=True) if new < old)
