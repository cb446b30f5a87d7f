"""Values of the pipeline as JSON and back, by their type hints.

A field that is missing in the JSON gets its default and one that no longer exists is passed over, so that a program
reads what an older one wrote. Pictures are left out: a frame keeps its size, and comes back black.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from itertools import repeat
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import numpy as np

from pipeline.frame import Frame

T = TypeVar("T")


def decode(kind: type[T], given: object) -> T:
    """A value of this kind from what `encode` made of it. Raises ValueError, TypeError or LookupError."""
    value: T = _value(kind, given)
    return value


def encode(value: Any) -> Any:
    """The value in JSON's types; infinity and NaN stay, as Python's reader takes them."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Frame):
        value = {"camera": value.camera, "index": value.index, "time": value.time, "size": (value.width, value.height)}
    elif is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): encode(part) for name, part in value.items() if not _is_picture(part)}
    if isinstance(value, list | tuple | set | frozenset):
        return [encode(part) for part in value]
    return _encode_scalar(value)


def _encode_scalar(value: object) -> bool | int | float | str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _is_picture(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 3


def _value(kind: Any, given: Any) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(parts, given)
    if origin is tuple:
        kinds = repeat(parts[0]) if parts[1:] == (...,) else parts
        return tuple(_value(part, each) for part, each in zip(kinds, given, strict=False))
    if kind is Frame:
        return _black(**given)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _value(hints[name], part) for name, part in given.items() if name in hints})
    read = SCALARS.get(kind)
    return read(given) if read else given


def _one_of(parts: tuple[Any, ...], given: Any) -> Any:
    """`X | None` as X; other unions hold what JSON has types for."""
    real = [part for part in parts if part is not type(None)]
    return given if given is None or len(real) > 1 else _value(real[0], given)


def _black(camera: str, index: int, time: str, size: tuple[int, int]) -> Frame:
    """A frame of this size, which takes one byte."""
    image = np.broadcast_to(np.uint8(0), (size[1], size[0], 3))
    return Frame(camera, index, datetime.fromisoformat(time), image)


@cache
def _hints(kind: Hashable) -> Mapping[str, Any]:
    return get_type_hints(kind)


SCALARS: Mapping[Any, Callable[[Any], Any]] = {datetime: datetime.fromisoformat, UUID: UUID, float: float}
