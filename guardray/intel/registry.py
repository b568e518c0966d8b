"""Lists that were added to the library: threat lists of one's own and lists of what is trusted, and their limits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from guardray.errors import UsageError
from guardray.intel import formats
from guardray.intel.compiled import ListSource
from guardray.intel.entries import Entries
from guardray.intel.files import digest_of, replace_file
from guardray.types import AccountId, Region

SetKind = Literal["ip-set", "entity-set"]
"""An ip-set is of addresses only, and says nothing of domains; an entity-set is of both."""

ListFormat = Literal["TXT", "STIX", "OTX_CSV", "ALIEN_VAULT", "PROOF_POINT", "FIRE_EYE"]

MAX_BYTES = 35 * 2**20
MOST_TRUSTED = 1
MOST_THREAT = 6
"""Limits of GuardDuty: the size of a list, and how many lists of a kind an account may have in a Region."""

_NAMES: dict[SetKind, tuple[re.Pattern[str], str]] = {
    "ip-set": (re.compile(r"[A-Za-z0-9 _-]{1,300}"), "letters, digits, blanks, - and _"),
    "entity-set": (re.compile(r"[A-Za-z0-9_-]{1,300}"), "letters, digits, - and _"),
}


class OwnList(msgspec.Struct, frozen=True, kw_only=True):
    """A list that was added.

    Attributes:
        scope: the accounts and Regions that it is for; None: all of them.
        active: whether it counts.
        source: where the content was read from, for people.
        sha256: of the content.
        entries, skipped, skipped_lines: what the content gave.
        id: of a list that the API keeps the books of, where accounts may use one name; None: its name is unique.
    """

    name: str
    format: ListFormat
    kind: SetKind
    trusted: bool
    scope: tuple[tuple[AccountId, Region], ...] | None
    active: bool
    source: str
    added_at: datetime
    sha256: str
    entries: int
    skipped: int
    skipped_lines: tuple[int, ...]
    id: str | None = None

    @property
    def key(self) -> str:
        """What it is known by."""
        return self.id or self.name


class Registered(msgspec.Struct, frozen=True):
    """What a library consists of beside copies of feeds.

    Attributes:
        lists: in the order in which they were added.
        feeds_file: that the last update was for.
    """

    lists: tuple[OwnList, ...] = ()
    feeds_file: str | None = None

    def with_list(self, added: OwnList) -> Registered:
        """With one more list, or another content for the one of that name.

        Raises:
            UsageError: a rule or a limit of lists is broken.
        """
        _check_name(added)
        others = tuple(one for one in self.lists if one.key != added.key)
        for one in self.lists:
            if one.key == added.key and _nature(one) != _nature(added):
                raise UsageError(f"list {added.name!r} is there already as {_words(one)}; remove it first")
        _check_number(added, others)
        return Registered((*others, added), self.feeds_file)

    def without_list(self, key: str) -> Registered:
        """Without a list.

        Raises:
            UsageError: there is none that is known by this name or id.
        """
        others = tuple(one for one in self.lists if one.key != key)
        if len(others) == len(self.lists):
            known = ", ".join(one.key for one in self.lists) or "none"
            raise UsageError(f"there is no list {key!r}; there is {known}")
        return Registered(others, self.feeds_file)


class Registry:
    """The file `registry.json` and the folder `lists` of a library's folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "registry.json"
        self._lists = folder / "lists"

    def read(self) -> Registered:
        """What is registered.

        Raises:
            UsageError: the file cannot be read.
        """
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Registered)
        except (FileNotFoundError, NotADirectoryError):
            return Registered()
        except OSError as error:
            raise UsageError(f"{self._file}: cannot be read: {error.strerror or error}") from error
        except msgspec.MsgspecError as error:
            reason = f"cannot be read: {error}; remove it, and add the lists again"
            raise UsageError(f"{self._file}: {reason}") from error

    def write(self, registered: Registered) -> None:
        """Replace what is registered, and remove contents that no list has any more.

        Raises:
            OSError: it cannot be written.
        """
        replace_file(self._file, msgspec.json.format(msgspec.json.encode(registered)))
        used = {one.sha256 for one in registered.lists}
        for content in self._lists.glob("*"):
            if content.name not in used:
                content.unlink(missing_ok=True)

    def keep(self, content: bytes) -> None:
        """Write a list's content under its digest.

        Raises:
            OSError: it cannot be written.
        """
        replace_file(self._lists / digest_of(content), content)

    def sources(self, registered: Registered) -> Iterable[ListSource]:
        """The lists that count."""
        for one in registered.lists:
            if one.active:
                yield ListSource(
                    name=one.name,
                    category="trusted" if one.trusted else "custom",
                    scope=None if one.scope is None else frozenset(one.scope),
                    key=(one.sha256, one.format, one.kind),
                    read=lambda one=one: parsed(self._content(one), one.format, one.kind),  # type: ignore[misc]
                )

    def _content(self, one: OwnList) -> bytes:
        content = (self._lists / one.sha256).read_bytes()
        if digest_of(content) != one.sha256:
            raise ValueError("its content is damaged; add it again")
        return content


def parsed(content: bytes, format_: ListFormat, kind: SetKind) -> Entries:
    """The entries of a list that is added.

    Raises:
        ValueError: with the reason, where it holds nothing usable or is too large when unpacked.
    """
    return formats.parse(content, format_, "ip" if kind == "ip-set" else "any", max_bytes=MAX_BYTES)


def scope_of(accounts: Sequence[AccountId], regions: Sequence[Region]) -> tuple[tuple[AccountId, Region], ...] | None:
    """Each of the accounts in each of the Regions; None where none are given: all of them.

    Raises:
        UsageError: an account is not 12 digits, or only one of the two is given.
    """
    for account in accounts:
        if not re.fullmatch(r"\d{12}", account, re.ASCII):
            raise UsageError(f"--account {account!r} is not an account id of 12 digits")
    if bool(accounts) != bool(regions):
        raise UsageError("--account and --region belong together: a list is for accounts in Regions, or for all")
    return tuple(sorted({(account, region) for account in accounts for region in regions})) or None


def _check_name(one: OwnList) -> None:
    pattern, allowed = _NAMES[one.kind]
    if not pattern.fullmatch(one.name):
        raise UsageError(f"the name {one.name!r} of an {one.kind} must be 1 to 300 {allowed}")


def _check_number(added: OwnList, others: Iterable[OwnList]) -> None:
    same = [one for one in others if (one.kind, one.trusted) == (added.kind, added.trusted)]
    most = MOST_TRUSTED if added.trusted else MOST_THREAT
    places: set[tuple[AccountId, Region] | None] = set(added.scope or ())
    if added.scope is None:
        places = {None, *(place for one in same for place in one.scope or ())}
    for place in sorted(places, key=str):
        there = [one.name for one in same if one.scope is None or place in one.scope]
        if len(there) >= most:
            where = "" if place is None else f" for account {place[0]} in {place[1]}"
            what = f"trusted {added.kind}" if added.trusted else f"threat {added.kind}"
            what += "" if most == 1 else "s"
            raise UsageError(
                f"there can be {most} {what}{where}: remove or replace one by its name ({', '.join(there)})"
            )


def _nature(one: OwnList) -> tuple[str, str, bool]:
    return one.format, one.kind, one.trusted


def _words(one: OwnList) -> str:
    return f"a {'trusted' if one.trusted else 'threat'} {one.kind} in format {one.format}"
