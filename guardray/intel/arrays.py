"""Dataclasses of arrays as one Arrow file, which processes of a machine map into memory and share.

Each array is one list in a column that is named by its way through the dataclasses: `index.v4.starts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Arrays = dict[str, npt.NDArray[Any]]
T = TypeVar("T")


def flattened(part: Any, name: str = "") -> Arrays:
    """All arrays in a dataclass and in those within it, by their ways."""
    if not is_dataclass(part):
        return {name: part}
    inner = ((f"{name}.{field.name}".lstrip("."), getattr(part, field.name)) for field in fields(part))
    return {way: array for inner_name, value in inner for way, array in flattened(value, inner_name).items()}


def unflattened(kind: type[T], arrays: Mapping[str, npt.NDArray[Any]], name: str = "") -> T:
    """The dataclass whose arrays these are: the reverse of `flattened`."""
    if not is_dataclass(kind):
        return arrays[name]  # type: ignore[return-value]
    hints = get_type_hints(kind)
    inner = {field.name: f"{name}.{field.name}".lstrip(".") for field in fields(kind)}
    return kind(**{field: unflattened(hints[field], arrays, way) for field, way in inner.items()})


def write(file: Path, arrays: Arrays, metadata: bytes) -> None:
    """Write arrays of one dimension and a text about them as an Arrow IPC file."""
    columns = {name: _column(array) for name, array in arrays.items()}
    table = pa.table(columns).replace_schema_metadata({b"about": metadata})
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def read(file: Path) -> tuple[Arrays, bytes]:
    """The arrays in a file and the text about them; nothing is copied, pages are read as they are used.

    Raises:
        OSError, ValueError: the file cannot be read, or is of another kind.
    """
    table = pa.ipc.open_file(pa.memory_map(str(file))).read_all()
    arrays = {
        name: _array(column.chunk(0).values) for name, column in zip(table.column_names, table.columns, strict=True)
    }
    return arrays, table.schema.metadata[b"about"]


def _column(array: npt.NDArray[Any]) -> pa.Array:
    if array.dtype.kind == "S":
        kind = pa.binary(array.dtype.itemsize)
        values = pa.Array.from_buffers(kind, len(array), [None, pa.py_buffer(np.ascontiguousarray(array))])
    else:
        values = pa.array(np.ascontiguousarray(array))
    return pa.LargeListArray.from_arrays(pa.array([0, len(array)], pa.int64()), values)


def _array(values: pa.Array) -> npt.NDArray[Any]:
    if pa.types.is_fixed_size_binary(values.type):
        data = values.buffers()[1]
        kind = f"S{values.type.byte_width}"
        return np.frombuffer(data, kind, len(values)) if len(values) else np.zeros(0, kind)
    array: npt.NDArray[Any] = values.to_numpy(zero_copy_only=True)
    return array
