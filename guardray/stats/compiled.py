"""Types for the signatures of compiled functions.

Signatures are written out so that each function is compiled once and found in numba's cache, however its arguments
were made. Inputs are declared read-only: such parameters take writable arrays too, the reverse is refused.

Numba's cache notices a change of the file that a compiled function is in, but not of functions that it calls from
another file: after changing such a one (`hashing.mix`, `intrinsics`, `json_text`), remove the `__pycache__` folders.
"""

from __future__ import annotations

from numba import types

U64S = types.Array(types.uint64, 1, "C")
I64S = types.Array(types.int64, 1, "C")
U64_ROWS = types.Array(types.uint64, 2, "C")
I64_ROWS = types.Array(types.int64, 2, "C")
F64_ROWS = types.Array(types.float64, 2, "C")
U8_ROWS = types.Array(types.uint8, 2, "C")

READ_U64S = types.Array(types.uint64, 1, "C", readonly=True)
READ_I64S = types.Array(types.int64, 1, "C", readonly=True)
READ_U64_ROWS = types.Array(types.uint64, 2, "C", readonly=True)
READ_I64_ROWS = types.Array(types.int64, 2, "C", readonly=True)
READ_F64_ROWS = types.Array(types.float64, 2, "C", readonly=True)
READ_U8_ROWS = types.Array(types.uint8, 2, "C", readonly=True)

PAIR = types.UniTuple(types.int64, 2)  # type: ignore[no-untyped-call]
