"""Rows of features, kept to train on: a bounded sample by account and day.

A folder: `<spec>/<definition>/account=<account>/day=<day>/part-<digest>.parquet`. A part is named by what is in it, so
the same day kept twice, by a replay or by another process, is the same file.
"""

from __future__ import annotations

import hashlib
import io
import shutil
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote, unquote

import polars as pl

from guardray.detectors.features import FeatureSpec
from guardray.errors import ModelError
from guardray.models.durable import write_durably
from guardray.models.sampling import sampled

FOLDER = "archive"
"""The archive's folder in a data folder or a baseline."""

KEEP_DAYS = 90
"""Days that rows are kept for, unless it is said otherwise."""

FLAGGED, WEIGHT = "flagged", "weight"

JOINT = "\x1f"
"""Joins the columns that name who acts, after the account's."""

_PART = "part-*.parquet"


class Archive:
    """Rows of features in a folder, which need not be there yet.

    Args:
        root: the folder.

    Attributes:
        problems: by path, parts that cannot be read; the others go on.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: dict[Path, ModelError] = {}

    @staticmethod
    def columns(spec: FeatureSpec) -> dict[str, pl.DataType | type[pl.DataType]]:
        """What a kept row has: whose it is, the day, the row's digest, whether a finding told of it, how many rows it
        stands for, and the features."""
        told = {"account": pl.String, "whose": pl.String, "day": pl.Date, "digest": pl.UInt64}
        return {**told, FLAGGED: pl.Boolean, WEIGHT: pl.Float64, **dict.fromkeys(spec.names, pl.Float64)}

    def add(self, spec: FeatureSpec, rows: pl.DataFrame) -> int:
        """Keep rows of days that are over.

        Args:
            rows: what `spec.measured` gave, all of one account and day together, and `flagged` (Boolean): whether a
                finding told of the row; without that column none did. Rows without an account are passed over.

        Returns:
            How many were kept.

        Raises:
            ModelError: they cannot be written.
        """
        kept = sampled(_kept(spec, rows), spec.names)
        for (account, day), part in kept.group_by("account", "day", maintain_order=True):
            self._write(self._folder(spec) / f"account={quote(str(account), safe='')}" / f"day={day}", part)
        return kept.height

    def _write(self, folder: Path, part: pl.DataFrame) -> None:
        ordered = part.sort("whose", "digest")
        path = folder / f"part-{_digest(ordered)}.parquet"
        try:
            if not path.exists():
                write_durably(path, _parquet(ordered))
        except OSError as error:
            raise ModelError(str(path), error.strerror or str(error)) from error

    def read(
        self, spec: FeatureSpec, *, since: date | None = None, until: date | None = None, account: str | None = None
    ) -> pl.DataFrame:
        """The rows that are kept: `columns(spec)`, in the order of accounts, days, who acts, and digests.

        Args:
            since, until: first and last day, both included.
            account: only of this one.
        """
        read = (self._part(path, spec) for path in self._paths(spec, since, until, account))
        parts = [part for part in read if part is not None]
        every = pl.concat([pl.DataFrame(schema=self.columns(spec)), *parts])
        order = ["account", "day", "whose", "digest"]
        return every.unique(order, keep="first", maintain_order=True).sort(order)

    def _part(self, path: Path, spec: FeatureSpec) -> pl.DataFrame | None:
        """What a part holds; None where it cannot be read, which is kept."""
        try:
            part = pl.read_parquet(path, hive_partitioning=False)
            return part.select(pl.col(name).cast(kind) for name, kind in self.columns(spec).items())
        except (OSError, pl.exceptions.PolarsError) as error:
            self.problems[path] = ModelError(str(path), f"it cannot be read: {error}")
            return None

    def accounts(self, spec: FeatureSpec) -> list[str]:
        """Whose rows are kept."""
        return sorted(unquote(path.name.partition("=")[2]) for path in self._folder(spec).glob("account=*"))

    def days(self, spec: FeatureSpec) -> list[date]:
        """Of which days rows are kept, of any account."""
        folders = self._folder(spec).glob("account=*/day=*")
        return sorted({day for path in folders if (day := _day(path)) is not None})

    def watched_since(self) -> dict[str, date]:
        """The first day of which rows of any kind are kept, by account."""
        since: dict[str, date] = {}
        for folder in self.root.glob("*/*/account=*/day=*"):
            account, day = unquote(folder.parent.name.partition("=")[2]), _day(folder)
            if day is not None:
                since[account] = min(day, since.get(account, day))
        return since

    def share(self, spec: FeatureSpec) -> float:
        """How much of all that is kept is rows of a spec, by bytes; none where nothing is."""
        sizes: dict[str, int] = {}
        for path in self.root.glob(f"*/*/account=*/day=*/{_PART}"):
            name = path.relative_to(self.root).parts[0]
            sizes[name] = sizes.get(name, 0) + path.stat().st_size
        return sizes.get(spec.name, 0) / sum(sizes.values()) if sizes else 0.0

    def trim(self, before: date) -> int:
        """Let go of the days before one, of all specs; how many folders they were."""
        old = [path for path in self.root.glob("*/*/account=*/day=*") if (day := _day(path)) and day < before]
        for path in old:
            shutil.rmtree(path, ignore_errors=True)
        return len(old)

    def keep_latest(self, today: date, days: int = KEEP_DAYS) -> int:
        """Let go of what is older than so many days."""
        return self.trim(today - timedelta(days=days))

    def _folder(self, spec: FeatureSpec) -> Path:
        return self.root / spec.name / spec.definition

    def _paths(self, spec: FeatureSpec, since: date | None, until: date | None, account: str | None) -> list[Path]:
        of = "*" if account is None else quote(account, safe="")
        folders = sorted(self._folder(spec).glob(f"account={of}/day=*"))
        wanted = [path for path in folders if _is_within(_day(path), since, until)]
        return [part for folder in wanted for part in sorted(folder.glob(_PART))]


def _is_within(day: date | None, since: date | None, until: date | None) -> bool:
    return day is not None and (since is None or day >= since) and (until is None or day <= until)


def _day(folder: Path) -> date | None:
    try:
        return date.fromisoformat(folder.name.partition("=")[2])
    except ValueError:
        return None


def _kept(spec: FeatureSpec, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as they are kept, before they are sampled."""
    account, *others = spec.whose
    whose = [pl.col(name).cast(pl.String).fill_null("") for name in others] or [pl.lit("")]
    flagged = pl.col(FLAGGED).fill_null(False) if FLAGGED in rows.columns else pl.lit(False)
    return rows.filter(pl.col(account).is_not_null()).select(
        pl.col(account).cast(pl.String).alias("account"),
        pl.concat_str(whose, separator=JOINT).alias("whose"),
        pl.col("window_start").dt.date().alias("day"),
        pl.col("digest").cast(pl.UInt64),
        flagged.alias(FLAGGED),
        pl.lit(1.0).alias(WEIGHT),
        *spec.names,
    )


def _digest(rows: pl.DataFrame) -> str:
    """Of what the rows say, the same in any process and on any version of polars: 24 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=12)
    for column in rows:
        values = column.cast(pl.String).fill_null("") if not column.dtype.is_numeric() else column
        data = "\x00".join(values).encode() if values.dtype == pl.String else values.to_numpy().tobytes()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _parquet(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    return buffer.getvalue()
