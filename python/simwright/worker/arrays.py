"""Tensors as arrays of numpy, for frameworks that take and give those."""

from typing import Any, Dict, Iterable, List, Optional

import numpy

from .errors import WorkerError
from .frames import Tensor
from .program import InputType

_TYPES: Dict[str, str] = {
    "FLOAT": "<f4",
    "DOUBLE": "<f8",
    "INT8": "|i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "|u1",
    "UINT16": "<u2",
    "BOOL": "|b1",
}
_NAMES = {numpy.dtype(code): name for name, code in _TYPES.items()}


def input_type(dtype: Any, shape: Optional[Iterable[Any]]) -> Optional[InputType]:
    """Type of an input of numpy's dtype; sizes that are no positive numbers may vary. None if a tensor of the store cannot have it."""
    try:
        name = _NAMES.get(numpy.dtype(dtype))
    except TypeError:
        return None
    if name is None or shape is None:
        return None
    return InputType(name, [int(size) if isinstance(size, (int, numpy.integer)) and size > 0 else None for size in shape])


def to_array(tensor: Tensor) -> Any:
    """The tensor as an array that views it; one of texts is copied, as objects of type bytes."""
    if tensor.dtype == "STRING":
        words: List[bytes] = bytes(tensor.data).split(b"\0")[:-1]
        array = numpy.empty(len(words), object)
        array[:] = words
        return array.reshape(tensor.shape)
    return numpy.frombuffer(tensor.data, _TYPES[tensor.dtype]).reshape(tensor.shape)


def from_array(given: Any, name: str) -> Tensor:
    """An output as a tensor that views it. Raises WorkerError if no tensor of the store holds its type."""
    array = numpy.asarray(given)
    shape = tuple(array.shape)
    if array.dtype.kind in "OSU":
        words = [one if isinstance(one, bytes) else str(one).encode() for one in array.reshape(-1).tolist()]
        if any(b"\0" in word for word in words):
            raise WorkerError("model", "output %s has a text with a NUL in it, which no tensor can hold" % name)
        return Tensor("STRING", shape, b"".join(word + b"\0" for word in words))
    dtype = _NAMES.get(array.dtype.newbyteorder("<") if array.dtype.byteorder != "|" else array.dtype)
    if dtype is None:
        raise WorkerError(
            "model",
            "output %s has the type %s, which no tensor of the store can hold; cast it in the model"
            % (name, array.dtype),
        )
    flat = numpy.ascontiguousarray(array, _TYPES[dtype]).reshape(-1)
    return Tensor(dtype, shape, flat.view(numpy.uint8) if flat.size > 0 else b"")
