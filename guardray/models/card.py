"""What is told of a version of a model: where it comes from, how well it did, and the checksum of its file."""

from __future__ import annotations

import hashlib

import msgspec

from guardray.errors import ModelError


class BackTest(msgspec.Struct, frozen=True, kw_only=True):
    """How a model did on days that it had not learned.

    Attributes:
        days, accounts: how many, and of how many accounts.
        findings_per_account_week: rows that it would have told of, one for each principal and day.
        recall: share of injected anomalies that it would have told of, 0 to 1; None: none were injected.
        injected: how many.
        explained: share of those found whose first contribution is a feature that was changed; None: none were found.
    """

    days: int
    accounts: int
    findings_per_account_week: float
    recall: float | None = None
    injected: int = 0
    explained: float | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A model card.

    Attributes:
        family: the spec's name.
        version: of the model: the last day and a digest of what it was made of.
        model: its name in the catalogue.
        definition: of the spec.
        features: their names.
        since, until: first and last day that it learned, as ISO dates.
        accounts, rows, days: how much it learned: rows, and days summed over accounts.
        left_out: rows that were not learned since findings told of them.
        budget: findings per account and week that its thresholds are set for.
        back_test: how it did; None: too little history.
        archive: digest of the rows that it learned.
        code: version of this program.
        sha256: of the model's file.
        size: of the file, in bytes.
    """

    family: str
    version: str
    model: str
    definition: str
    features: tuple[str, ...]
    since: str
    until: str
    accounts: int
    rows: int
    days: int
    left_out: int
    budget: float
    back_test: BackTest | None
    archive: str
    code: str
    sha256: str = ""
    size: int = 0


class _Sealed(msgspec.Struct):
    """A card as it lies on the disk: the card, and the checksum of its own text."""

    card: msgspec.Raw
    sha256: str


def sealed(card: Card) -> bytes:
    """A card as the bytes of its file: indented JSON with its own checksum."""
    text = msgspec.json.encode(card)
    return msgspec.json.format(msgspec.json.encode(_Sealed(msgspec.Raw(text), hashlib.sha256(text).hexdigest())))


def unsealed(data: bytes, path: str) -> Card:
    """The card in the bytes of a file.

    Raises:
        ModelError: it is damaged, or not as it was written.
    """
    try:
        card = msgspec.json.decode(msgspec.json.decode(data, type=_Sealed).card, type=Card)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelError(path, f"it is no model card: {error}") from error
    if sealed(card) != data:
        raise ModelError(path, "it was changed after it was written: its checksum is another")
    return card
