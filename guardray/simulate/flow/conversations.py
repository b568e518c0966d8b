"""Conversations: who talks to whom, before any interface has recorded it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from guardray.simulate.world import Account

TCP, UDP, IGMP = 6, 17, 2

CONVERSATION = pl.Schema(
    {
        "start": pl.Float64(),
        "seconds": pl.Float64(),
        "client": pl.UInt32(),  # addresses as numbers
        "client_port": pl.Int32(),
        "server": pl.UInt32(),
        "server_port": pl.Int32(),
        "protocol": pl.UInt8(),
        "packets_out": pl.Int64(),  # from client to server
        "bytes_out": pl.Int64(),
        "packets_in": pl.Int64(),  # from server to client; 0 when nothing answered
        "bytes_in": pl.Int64(),
        "flags_out": pl.UInt8(),  # TCP flags of a whole conversation, as flow logs add them up
        "flags_in": pl.UInt8(),
        "client_interface": pl.Int32(),  # position in the account's interfaces, or `ELSEWHERE`
        "server_interface": pl.Int32(),
        "rejected": pl.Boolean(),  # refused at the server's interface
    }
)
ELSEWHERE = -1
"""In place of an interface: the host is not ours."""

_DEFAULTS: dict[str, Any] = {
    "protocol": TCP,
    "packets_in": 0,
    "bytes_in": 0,
    "flags_out": 0,
    "flags_in": 0,
    "client_interface": ELSEWHERE,
    "server_interface": ELSEWHERE,
    "rejected": False,
}
COMPLETE_OUT, COMPLETE_IN = 3, 19  # SYN and FIN; SYN-ACK and FIN
SYN, RST = 2, 4


def conversations(n: int, **columns: Any) -> pl.DataFrame:
    """`n` conversations; each column is one value for all or an array of `n`. Columns left out get plain defaults."""
    given = _DEFAULTS | columns
    return pl.DataFrame(
        {name: np.broadcast_to(np.asarray(given[name]), (n,)) for name in CONVERSATION},
        schema=CONVERSATION,
        strict=False,
    )


def ephemeral_ports(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """Client ports as Linux gives them out."""
    return rng.integers(32768, 60999, n)


def between(account: Account, clients: NDArray[np.int64], servers: NDArray[np.int64]) -> dict[str, Any]:
    """Address and interface columns of conversations inside the account, from positions of interfaces."""
    private = private_addresses(account)
    return {
        "client": private[clients],
        "client_interface": clients,
        "server": private[servers],
        "server_interface": servers,
    }


def private_addresses(account: Account) -> NDArray[np.uint32]:
    """Private address of each interface."""
    return np.array([one.private_ip for one in account.interfaces], dtype=np.uint32)


def tcp_exchange(
    rng: np.random.Generator, n: int, *, request_bytes: float, response_bytes: float, spread: float = 0.8
) -> dict[str, Any]:
    """Volume columns of `n` complete TCP conversations: log-normal around these medians of payload."""
    out = rng.lognormal(np.log(request_bytes), spread, n).astype(np.int64) + 1
    back = rng.lognormal(np.log(response_bytes), spread, n).astype(np.int64) + 1
    segments_out, segments_in = out // 1400 + 1, back // 1400 + 1
    packets_out = 4 + segments_out + segments_in // 2
    packets_in = 3 + segments_in + segments_out // 2
    return {
        "packets_out": packets_out,
        "bytes_out": out + 52 * packets_out,
        "packets_in": packets_in,
        "bytes_in": back + 52 * packets_in,
        "flags_out": COMPLETE_OUT,
        "flags_in": COMPLETE_IN,
    }


def choose(rng: np.random.Generator, positions: Sequence[int], n: int) -> NDArray[np.int64]:
    """`n` of these positions, with repeats."""
    return rng.choice(np.asarray(positions, dtype=np.int64), n)
