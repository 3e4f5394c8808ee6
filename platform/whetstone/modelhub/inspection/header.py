"""The header of a safetensors file: which tensors it holds, and whether they can lie where it says.

The form is 8 bytes of length, so many bytes of JSON, and the tensors one after another:
https://github.com/huggingface/safetensors#format
"""

from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import orjson

from contracts.fault import Fault

LENGTH = 8
LONGEST = 32 * 1024 * 1024
"""The format allows 100 MB. The largest models there are need a tenth of this in all their files together."""
BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
    **dict.fromkeys(("F4",), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
}
"""Bits of one element, by the names that the format gives its types."""
MOST_DIMENSIONS = 16


@dataclass(frozen=True)
class Tensor:
    dtype: str
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        return prod(self.shape)


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Headed:
    """A file that remembers its header while somebody reads it to its end: what was stored is what was looked at."""

    def __init__(self, content: Readable, path: str, size: int) -> None:
        self._content, self._path, self._size = content, path, size
        self._start = bytearray()
        self._wanted = LENGTH
        self.came = 0

    def read(self, size: int, /) -> bytes:
        """Raises Fault model.broken_weights as soon as the length cannot be right."""
        chunk = self._content.read(size)
        self.came += len(chunk)
        if len(self._start) < self._wanted:
            self._start += chunk[: LONGEST + LENGTH]
            if len(self._start) >= LENGTH:
                self._wanted = LENGTH + header_length(bytes(self._start[:LENGTH]), self._path, self._size)
        return chunk

    def tensors(self) -> dict[str, Tensor]:
        """Raises Fault model.broken_weights."""
        if len(self._start) < self._wanted or self._wanted == LENGTH:
            raise _broken(self._path, "it ends within its header")
        header = bytes(self._start[LENGTH : self._wanted])
        return read_header(header, self._path, self.came - self._wanted)


def header_length(start: bytes, path: str, size: int) -> int:
    """Raises Fault model.broken_weights."""
    length = int.from_bytes(start, "little")
    if length > LONGEST:
        raise _broken(path, f"its header would have {length} bytes, and at most {LONGEST} are read")
    if not 2 <= length <= size - LENGTH:
        raise _broken(path, f"its header would have {length} bytes, and the file has {size}")
    return length


def read_header(header: bytes, path: str, room: int) -> dict[str, Tensor]:
    """The tensors by their names. `room` is how many bytes follow the header.

    Raises:
        Fault: model.broken_weights, when it is no JSON of the right form, or tensors overlap, leave gaps or end
            outside of the file.
    """
    try:
        document = orjson.loads(header)
    except orjson.JSONDecodeError:
        raise _broken(path, "its header is no JSON") from None
    if not isinstance(document, dict):
        raise _broken(path, "its header is no JSON object")
    document.pop("__metadata__", None)
    places: list[tuple[int, int, str]] = []
    tensors = {}
    for name, told in document.items():
        tensors[name], begin, end = _tensor(name, told, path)
        places.append((begin, end, name))
    _require_in_a_row(sorted(places), path, room)
    return tensors


def _tensor(name: str, told: Any, path: str) -> tuple[Tensor, int, int]:  # Any: JSON
    match told:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            pass
        case _:
            raise _broken(path, f"it does not say what its tensor {name!r} is")
    if dtype not in BITS:
        raise _broken(path, f"its tensor {name!r} is of a type that nobody knows, {dtype[:32]!r}")
    if len(shape) > MOST_DIMENSIONS or not all(type(n) is int and 0 <= n < 2**48 for n in shape):
        raise _broken(path, f"its tensor {name!r} has an impossible shape")
    tensor = Tensor(dtype, tuple(shape))
    if (end - begin) * 8 != tensor.elements * BITS[dtype] or not 0 <= begin <= end:
        raise _broken(path, f"its tensor {name!r} is said to be of shape {shape}, and has {end - begin} bytes")
    return tensor, begin, end


def _require_in_a_row(places: list[tuple[int, int, str]], path: str, room: int) -> None:
    reached = 0
    for begin, end, name in places:
        if begin < reached:
            raise _broken(path, f"its tensor {name!r} lies over another one")
        if begin > reached:
            raise _broken(path, f"before its tensor {name!r} lie bytes that belong to none")
        reached = end
    if reached != room:
        raise _broken(path, f"its tensors need {reached} bytes, and {room} are there")


def _broken(path: str, detail: str) -> Fault:
    return Fault("model.broken_weights", file=path, detail=detail)
