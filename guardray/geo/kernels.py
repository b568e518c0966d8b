"""Which step an IPv4 address is in, compiled: a table of /16 networks leaves few steps to search among."""

from __future__ import annotations

import numpy as np
from numba import njit, types

U32S = types.Array(types.uint32, 1, "C")
READ_U32S = types.Array(types.uint32, 1, "C", readonly=True)


@njit(types.void(READ_U32S, READ_U32S, READ_U32S, U32S), nogil=True, cache=True)
def places(addresses: np.ndarray, starts: np.ndarray, pages: np.ndarray, found: np.ndarray) -> None:
    """Write the number of the last step that starts at or before each address.

    Args:
        starts: ascending from 0.
        pages: uint32 [2^16 + 1]: how many steps start before each /16 network, and before the end.
    """
    for i in range(addresses.size):
        address = addresses[i]
        page = address >> np.uint32(16)
        low, high = np.int64(pages[page]) - 1, np.int64(pages[page + np.uint32(1)])
        if low < 0:
            low = np.int64(0)
        while high - low > 1:
            middle = (low + high) >> 1
            if starts[middle] <= address:
                low = middle
            else:
                high = middle
        found[i] = low
