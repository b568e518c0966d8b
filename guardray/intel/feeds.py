"""Threat lists as files: what a feeds file declares, and the indicators that a list in plain text holds."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec
import polars as pl
import yaml

from guardray.errors import UsageError
from guardray.intel.categories import Category
from guardray.intel.entries import Entries
from guardray.schema.addresses import NOT_PUBLIC, ipv4_numbers

Kind = Literal["ip", "domain", "any"]

_GZIP_MAGIC = b"\x1f\x8b"
_FIRST_FIELD = r"^\s*([^\s,;#]+)"
_DOMAIN = r"^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$"
_DOMAIN_MAX = 253


class Feed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry under `feeds`. `license` and `refresh` are notes for whoever keeps the files up to date."""

    name: str
    url: str  # a path, or file://; relative paths start at the feeds file
    kind: Literal["ip", "domain"]
    category: Category
    format: Literal["plain"] = "plain"
    threat_name: str | None = None  # what findings call the threat, where the whole feed is about one
    license: str | None = None
    refresh: str | int | None = None

    def path(self, feeds_file: Path) -> Path:
        """Where the list lies.

        Raises:
            UsageError: it is not a local file.
        """
        url = urlsplit(self.url)
        if url.scheme not in ("", "file"):
            raise UsageError(
                f"{feeds_file}: feed {self.name!r} is at {self.url}, but feeds are not downloaded; "
                "download it first and give its path"
            )
        return feeds_file.parent / (unquote(url.path) if url.scheme else self.url)


class _FeedsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    feeds: tuple[Feed, ...]


def read_feeds(feeds_file: Path) -> tuple[Feed, ...]:
    """The feeds that a YAML file declares.

    Raises:
        UsageError: the file cannot be read, is not YAML, or breaks the format.
    """
    try:
        return msgspec.convert(yaml.safe_load(_text(feeds_file)), _FeedsFile).feeds
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise UsageError(f"{feeds_file}: {' '.join(str(error).split())}") from error


def read_list(path: Path, kind: Kind) -> Entries:
    """The indicators of a list in plain text: one a line, first field, `#` begins a comment; gzip is understood.

    Addresses that are not public are skipped. Names are wanted in punycode, as resolvers log them.

    Raises:
        UsageError: the file cannot be read, or holds nothing usable.
    """
    entries = parse_list(pl.Series(_text(path).splitlines(), dtype=pl.String), kind)
    if not len(entries):
        wanted = {"ip": "public IPv4 address or network", "domain": "domain", "any": "public IPv4 address or domain"}
        raise UsageError(f"{path}: no {wanted[kind]} in it ({entries.skipped} lines skipped)")
    return entries


def parse_list(lines: pl.Series, kind: Kind) -> Entries:
    """The indicators in lines of text."""
    field = lines.str.extract(_FIRST_FIELD).drop_nulls().str.to_lowercase()
    addresses, domains = _addresses(field), _domains(field)
    if kind == "ip":
        domains = domains.clear()
    elif kind == "domain":
        addresses = addresses.clear()
    skipped = len(field) - len(addresses) - len(domains)
    return Entries.of(v4=addresses, domains=domains.alias("name").to_frame(), skipped=skipped)


def _addresses(field: pl.Series) -> pl.DataFrame:
    """Addresses and CIDR blocks (host bits are cleared) that hold public addresses: `first`, `last`."""
    parts = field.str.extract_groups(r"^([0-9.]+)(?:/(\d{1,2}))?$").struct.rename_fields(["address", "prefix"])
    size = pl.lit(2, pl.Int64) ** (32 - pl.col("prefix").cast(pl.Int64))
    number = ipv4_numbers(pl.col("address")).cast(pl.Int64)
    first = number - number % size
    reserved = pl.any_horizontal(
        (pl.col("first") >= int(network[0])) & (pl.col("last") <= int(network[-1])) for network in NOT_PUBLIC
    )
    return (
        parts.struct.unnest()
        .with_columns(pl.col("prefix").fill_null("32"))
        .filter(pl.col("prefix").cast(pl.Int64) <= 32)
        .select(first=first, last=first + size - 1)
        .drop_nulls()
        .filter(~reserved)
        .cast(pl.UInt32)
    )


def _domains(field: pl.Series) -> pl.Series:
    """Well-formed names of two labels or more, without `*.` in front and the dot at the end."""
    names = field.str.strip_prefix("*.").str.strip_suffix(".")
    return names.filter(names.str.contains(_DOMAIN) & (names.str.len_bytes() <= _DOMAIN_MAX))


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP_MAGIC):
            content = gzip.decompress(content)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise UsageError(f"{path}: cannot be unpacked: {error}") from error
    return content.decode("utf-8-sig", errors="replace")
