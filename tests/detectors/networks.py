"""Small ONNX files whose outputs are known: they answer constants, in the shapes of real exports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pipeline.detectors.manifest import Entry, Model, digest

Shape = tuple[int | str, ...]


def save_constant(
    path: Path,
    outputs: Mapping[str, np.ndarray[Any, np.dtype[Any]]],
    *,
    shape: Shape = ("batch", 3, "height", "width"),
    metadata: Mapping[str, str] | None = None,
    element: int = TensorProto.FLOAT,
    traced_batch: int | None = None,
) -> Path:
    """Write a network that answers `outputs` [1, ...] for each picture of the batch.

    With `traced_batch` the pictures beyond it get zeros, as suppression in an exported graph does.
    """
    nodes = [helper.make_node("Shape", ["images"], ["batch"], start=0, end=1)]
    initializers = []
    infos = []
    for name, value in outputs.items():
        initializers.append(numpy_helper.from_array(value, f"{name}_value"))
        initializers.append(numpy_helper.from_array(np.array(value.shape[1:], np.int64), f"{name}_tail"))
        nodes.append(helper.make_node("Concat", ["batch", f"{name}_tail"], [f"{name}_shape"], axis=0))
        if traced_batch is None:
            nodes.append(helper.make_node("Expand", [f"{name}_value", f"{name}_shape"], [name]))
        else:
            nodes.append(helper.make_node("ConstantOfShape", [f"{name}_shape"], [f"{name}_zeros"]))
            nodes.append(helper.make_node("Constant", [], [f"{name}_first"], value_ints=[0]))
            nodes.append(
                helper.make_node("ScatterElements", [f"{name}_zeros", f"{name}_index", f"{name}_value"], [name], axis=0)
            )
            initializers.append(numpy_helper.from_array(np.zeros(value.shape, np.int64), f"{name}_index"))
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        infos.append(helper.make_tensor_value_info(name, kind, [shape[0], *value.shape[1:]]))
    graph = helper.make_graph(
        nodes, "constant", [helper.make_tensor_value_info("images", element, list(shape))], infos, initializers
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.save(model, path)
    return path


def model_of(path: Path, family: str, classes: Sequence[str], size: tuple[int, int]) -> Model:
    entry = Entry(
        name="under-test", family=family, file=path.name, sha256=digest(path), size=size, classes=tuple(classes)
    )
    return Model(entry, path, "added")
