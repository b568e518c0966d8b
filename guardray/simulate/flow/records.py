"""From conversations to flow log records: one a direction, interface and aggregation interval."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

OPENING_FLAGS, CLOSING_FLAGS = 18, 5  # SYN and SYN-ACK stand in the first interval, FIN and RST in the last


def flow_records(found: pl.DataFrame, aggregation_s: int) -> pl.DataFrame:
    """All records of these conversations, in order of their end.

    Returns:
        `interface`, `source`, `target`, `source_port`, `target_port`, `protocol`, `packets`, `bytes`, `start`, `end`,
        `accepted`, `flags` and `egress`.
    """
    cut = _by_interval(found, aggregation_s)
    sides = [
        _side(cut, "client_interface", outward=True, egress=True),
        _side(cut, "client_interface", outward=False, egress=False),
        _side(cut, "server_interface", outward=True, egress=False),
        _side(cut, "server_interface", outward=False, egress=True),
    ]
    return pl.concat(sides).sort("end", maintain_order=True)


def _by_interval(found: pl.DataFrame, aggregation_s: int) -> pl.DataFrame:
    """Conversations cut at the borders of aggregation intervals, packets and bytes shared evenly."""
    start, end = found["start"].to_numpy(), (found["start"] + found["seconds"]).to_numpy()
    first = (start // aggregation_s).astype(np.int64)
    parts = (end // aggregation_s).astype(np.int64) - first + 1
    if len(found) and parts.max() == 1:
        return found.with_columns(
            start=pl.Series(np.floor(start).astype(np.int64)), end=pl.Series(np.floor(end).astype(np.int64))
        )
    row = np.repeat(np.arange(len(found)), parts)
    part = np.arange(len(row)) - np.repeat(np.cumsum(parts) - parts, parts)
    border = (first[row] + part) * aggregation_s
    is_first, is_last = part == 0, part == parts[row] - 1
    shared = _shared(found[row], "out", parts[row], part) | _shared(found[row], "in", parts[row], part)
    flags = {name: _flags(found[name].to_numpy()[row], is_first, is_last) for name in ("flags_out", "flags_in")}
    return found[row].with_columns(
        start=pl.Series(np.maximum(np.floor(start[row]), border).astype(np.int64)),
        end=pl.Series(np.minimum(np.floor(end[row]), border + aggregation_s - 1).astype(np.int64)),
        **{name: pl.Series(values) for name, values in (shared | flags).items()},
    )


def _shared(
    found: pl.DataFrame, way: str, parts: NDArray[np.int64], part: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    """Packets of one of several equal parts and the bytes that go with them, so that the parts add up."""
    packets, size = found[f"packets_{way}"].to_numpy(), found[f"bytes_{way}"].to_numpy()
    before, after = packets * part // parts, packets * (part + 1) // parts
    whole = np.maximum(packets, 1)
    return {f"packets_{way}": after - before, f"bytes_{way}": size * after // whole - size * before // whole}


def _flags(flags: NDArray[np.uint8], is_first: NDArray[np.bool_], is_last: NDArray[np.bool_]) -> NDArray[np.uint8]:
    opening = np.where(is_first, flags & OPENING_FLAGS, 0)
    return np.asarray(opening | np.where(is_last, flags & CLOSING_FLAGS, 0), dtype=np.uint8)


def _side(cut: pl.DataFrame, interface: str, *, outward: bool, egress: bool) -> pl.DataFrame:
    """Records of one interface and direction. `outward` is from client to server."""
    way, source, target = ("out", "client", "server") if outward else ("in", "server", "client")
    rejected = pl.col("rejected") if interface == "server_interface" else pl.lit(False)
    return cut.filter(pl.col(interface) >= 0, pl.col(f"packets_{way}") > 0).select(
        interface=pl.col(interface),
        source=pl.col(source),
        target=pl.col(target),
        source_port=pl.col(f"{source}_port"),
        target_port=pl.col(f"{target}_port"),
        protocol=pl.col("protocol"),
        packets=pl.col(f"packets_{way}"),
        bytes=pl.col(f"bytes_{way}"),
        start=pl.col("start"),
        end=pl.col("end"),
        accepted=~rejected,
        flags=pl.col(f"flags_{way}"),
        egress=pl.lit(egress),
    )
