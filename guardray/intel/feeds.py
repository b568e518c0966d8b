"""Feeds: what a feeds file declares, and how their lists are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import msgspec
import yaml

from guardray.errors import UsageError
from guardray.intel import formats
from guardray.intel.categories import CATEGORIES, Category
from guardray.intel.entries import Entries
from guardray.intel.formats.options import DEFAULT_COLUMNS, MAX_BYTES, Columns, Format, Kind, Options
from guardray.intel.values import entries_of_value

Positive = Annotated[int, msgspec.Meta(ge=1)]

_SCHEMES = ("", "file", "http", "https", "s3")
_UNIT_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_OF_ONE_FORMAT: dict[str, Format] = {"columns": "csv", "categories": "csv", "min_lists": "ipsum"}
_DEFAULTS = Options()
_PLACE = re.compile(r"`\$\.feeds\[(\d+)\]")
_REFRESH = re.compile(r"(\d+)\s*([smhdw]?)")


class Feed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry under `feeds`.

    Attributes:
        name: shown in findings as the list's name; no other feed of the file has it.
        url: a path (relative ones start at the feeds file), `file://`, `http://`, `https://` or `s3://bucket/key`.
        kind: what is wanted of the list.
        category: of the entries for which the list or `categories` have no other.
        threat_name: what findings call the threat, where the list does not say.
        license: a note for people.
        refresh_s: seconds until a copy of a remote feed is to be looked after again; `refresh` in the file.
        columns, categories, min_lists: how the format is read, see `guardray.intel.formats.options.Options`; the first
            two are of `csv`, the last of `ipsum`.
        allow_private_addresses: whether the host may have an address that the internet does not route.
        max_bytes: how large the list may be, unpacked too.
        except_: values that the list is wrong about, see `guardray.intel.formats.parse`; `except` in the file.
    """

    name: str
    url: str
    kind: Kind
    category: Category
    format: Format = "plain"
    threat_name: str | None = None
    license: str | None = None
    refresh_s: Positive | None = msgspec.field(default=None, name="refresh")
    columns: Columns = DEFAULT_COLUMNS
    categories: dict[str, Category] = {}
    min_lists: Positive = 1
    allow_private_addresses: bool = False
    max_bytes: Positive = MAX_BYTES
    except_: tuple[str, ...] = msgspec.field(default=(), name="except")

    def __post_init__(self) -> None:
        scheme = urlsplit(self.url).scheme
        if not self.url or scheme not in _SCHEMES:
            raise ValueError(f"`url` is {self.url!r}, not a path, {', '.join(f'{one}://' for one in _SCHEMES[1:])}")
        if not self.name.strip():
            raise ValueError("`name` is empty")
        for exception in self.except_:
            entries_of_value(exception)
        for option, format_ in _OF_ONE_FORMAT.items():
            if self.format != format_ and getattr(self, option) != getattr(_DEFAULTS, option):
                raise ValueError(f"`{option}` is of the format {format_}, not of {self.format}")

    @property
    def is_local(self) -> bool:
        """Whether the list is a file of this machine."""
        return urlsplit(self.url).scheme in ("", "file")

    def path(self, feeds_file: Path) -> Path:
        """Where the list of a local feed lies."""
        url = urlsplit(self.url)
        return feeds_file.parent / (unquote(url.path) if url.scheme else self.url)

    def parse(self, content: bytes) -> Entries:
        """The feed's indicators in content of it.

        Raises:
            ValueError: with the reason, where there is nothing usable in it.
        """
        return formats.parse(
            content,
            self.format,
            self.kind,
            columns=self.columns,
            categories=self.categories,
            min_lists=self.min_lists,
            max_bytes=self.max_bytes,
            except_=self.except_,
        )


class _FeedsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    feeds: tuple[Feed, ...]


def read_feeds(feeds_file: Path) -> tuple[Feed, ...]:
    """The feeds that a YAML file declares.

    Raises:
        UsageError: the file cannot be read, is not YAML, breaks the format, or names two feeds alike.
    """
    declared = None
    try:
        declared = yaml.safe_load(_content(feeds_file).decode("utf-8-sig"))
        feeds = msgspec.convert(_normal(declared), _FeedsFile).feeds
        _refuse_repeats(feeds)
    except (yaml.YAMLError, ValueError, msgspec.ValidationError) as error:
        reason = " ".join(str(error).replace('in "<unicode string>", ', "").split())
        raise UsageError(f"{feeds_file}: {_naming_feed(reason, declared)}") from error
    return feeds


def _naming_feed(reason: str, declared: Any) -> str:
    """The reason with the name of the feed whose place it gives: nobody counts entries."""
    place = _PLACE.search(reason)
    try:
        return f"{reason} ({declared['feeds'][int(place[1])]['name']})" if place else reason
    except (LookupError, TypeError):
        return reason


def _normal(declared: Any) -> Any:
    """What a feeds file says, with formats as they are spelled here and `refresh` in seconds."""
    if not isinstance(declared, dict) or not isinstance(declared.get("feeds"), list):
        return declared
    feeds = [_normal_feed(feed, number) for number, feed in enumerate(declared["feeds"])]
    return declared | {"feeds": feeds}


def _normal_feed(feed: Any, number: int) -> Any:
    if not isinstance(feed, dict):
        return feed
    try:
        if isinstance(feed.get("format"), str):
            feed = feed | {"format": formats.canonical(feed["format"])}
        if isinstance(feed.get("refresh"), str):
            feed = feed | {"refresh": _seconds(feed["refresh"])}
        _check_categories(feed)
    except ValueError as error:
        raise ValueError(f"{error} - at `$.feeds[{number}]`") from error
    return feed


def _check_categories(feed: dict[str, Any]) -> None:
    """Raises ValueError that says which categories there are, where one is misspelt."""
    others = feed.get("categories")
    for category in [feed.get("category"), *(others.values() if isinstance(others, dict) else ())]:
        if isinstance(category, str) and category not in CATEGORIES:
            raise ValueError(f"there is no category {category!r}; there are {', '.join(CATEGORIES)}")


def _seconds(refresh: str) -> int:
    parts = _REFRESH.fullmatch(refresh.strip().lower())
    if parts is None:
        raise ValueError(f"`refresh` is {refresh!r}, not a number of seconds or such as 30m, 12h, 1d")
    return int(parts[1]) * _UNIT_S[parts[2]]


def _refuse_repeats(feeds: tuple[Feed, ...]) -> None:
    names = [feed.name for feed in feeds]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ValueError(f"{name!r} is the name of two feeds - at `$.feeds[{number}].name`")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
