"""The few machine instructions that numba does not offer: loads from an address, copies, searches and prefetching.

Addresses are uint64, and the caller keeps what they point into alive. Words are read in the machine's own order, which
is little-endian wherever numba and Arrow's wheels run.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

_WORD = ir.IntType(64)
_FLAG = ir.IntType(32)


def _loader(bits: int) -> Any:
    """A compiled function from an address to the unaligned word of this many bits there, as uint64."""

    @intrinsic
    def load(typing_context: Any, address: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            word = builder.load(builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer()), align=1)
            return word if bits == 64 else builder.zext(word, _WORD)

        return types.uint64(types.uint64), build

    return load


load_u64 = _loader(64)
load_u32 = _loader(32)
load_u8 = _loader(8)


def _prefetch(typing_context: Any, address: Any) -> Any:
    """Source: LLVM language reference, `llvm.prefetch`: a read, to keep in every cache level, of data."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, _FLAG, _FLAG, _FLAG])
        call = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        builder.call(call, [pointer, _FLAG(0), _FLAG(3), _FLAG(1)])
        return context.get_dummy_value()

    return types.void(types.uint64), build


prefetch: Any = intrinsic(_prefetch)
"""Ask for the cache line at an address, to be read soon. Never faults."""


_LANES = 32
_LANE = ir.VectorType(ir.IntType(8), _LANES)


def _string_stops(typing_context: Any, address: Any) -> Any:
    """Where a JSON text may stop in the 32 bytes at an address: a bit each for `"`, `\\` and control characters.

    Vectors of 32 bytes are one AVX2 register; LLVM splits them where registers are shorter.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bytes_ = builder.load(builder.inttoptr(arguments[0], _LANE.as_pointer()), align=1)
        quote, backslash, space = (ir.Constant(_LANE, [byte] * _LANES) for byte in b'"\\ ')
        stops = builder.or_(builder.icmp_unsigned("==", bytes_, quote), builder.icmp_unsigned("==", bytes_, backslash))
        stops = builder.or_(stops, builder.icmp_unsigned("<", bytes_, space))
        return builder.zext(builder.bitcast(stops, ir.IntType(_LANES)), _WORD)

    return types.uint64(types.uint64), build


string_stops: Any = intrinsic(_string_stops)


def _trailing_zeros(typing_context: Any, word: Any) -> Any:
    """How many of the lowest bits of a word, which is not 0, are 0: uint64."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), build


trailing_zeros: Any = intrinsic(_trailing_zeros)


def _copy_bytes(typing_context: Any, target: Any, source: Any, length: Any) -> Any:
    """Copy so many bytes from one address to another; the two do not overlap."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to, of = (builder.inttoptr(address, ir.IntType(8).as_pointer()) for address in arguments[:2])
        copy = builder.module.declare_intrinsic("llvm.memcpy", [to.type, of.type, _WORD])
        builder.call(copy, [to, of, arguments[2], ir.Constant(ir.IntType(1), 0)])
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64, types.uint64), build


copy_bytes: Any = intrinsic(_copy_bytes)
