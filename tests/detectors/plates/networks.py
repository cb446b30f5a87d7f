"""Small ONNX files with the inputs and outputs of fast-plate-ocr's and open-image-models' exports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
SLOTS, HEIGHT, WIDTH = 10, 64, 128
PLATE = {
    "max_plate_slots": SLOTS,
    "alphabet": ALPHABET,
    "pad_char": "_",
    "img_height": HEIGHT,
    "img_width": WIDTH,
    "keep_aspect_ratio": False,
    "interpolation": "linear",
    "image_color_mode": "rgb",
    "plate_regions": ["Vietnam", "Brazil"],
}


def probabilities(text: str, sure: float = 0.97) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """What a network that reads `text` answers, [1, slots, signs]."""
    answer = np.full((1, SLOTS, len(ALPHABET)), (1 - sure) / (len(ALPHABET) - 1), np.float32)
    for slot, sign in enumerate(text.ljust(SLOTS, "_")):
        answer[0, slot, ALPHABET.index(sign)] = sure
    return answer


def save_recogniser(path: Path, text: str, *, region: bool = True, flat: bool = False, first: bool = False) -> Path:
    """A network that reads `text` on a bright picture, and nothing on a dark one: uint8 [N, 64, 128, 3]."""
    shape = ["N", 3, HEIGHT, WIDTH] if first else ["N", HEIGHT, WIDTH, 3]
    tail = [SLOTS * len(ALPHABET)] if flat else [SLOTS, len(ALPHABET)]
    constants = {
        "read": probabilities(text).reshape(1, *tail),
        "nothing": probabilities("").reshape(1, *tail),
        "limit": np.array(60, np.float32),
        "ones": np.ones(len(tail), np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["input"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Greater", ["mean", "limit"], ["bright"]),
        helper.make_node("Shape", ["bright"], ["batch"]),
        helper.make_node("Concat", ["batch", "ones"], ["shape"], axis=0),
        helper.make_node("Reshape", ["bright", "shape"], ["chosen"]),
        helper.make_node("Where", ["chosen", "read", "nothing"], ["plate"]),
    ]
    outputs = [helper.make_tensor_value_info("plate", TensorProto.FLOAT, ["N", *tail])]
    if region:
        nodes += [helper.make_node("Expand", ["regions", "region_shape"], ["region"])]
        nodes.insert(-1, helper.make_node("Concat", ["batch", "two"], ["region_shape"], axis=0))
        constants |= {"regions": np.array([[0.9, 0.1]], np.float32), "two": np.array([2], np.int64)}
        outputs.insert(0, helper.make_tensor_value_info("region", TensorProto.FLOAT, ["N", 2]))
    stored = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    inputs = [helper.make_tensor_value_info("input", TensorProto.UINT8, shape)]
    graph = helper.make_graph(nodes, "recogniser", inputs, outputs, stored)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def save_localiser(path: Path, rows: list[list[float]]) -> Path:
    """A network as open-image-models exports YOLOv9: one picture of 384 x 384 in, rows [K, 7] out."""
    found = np.array(rows, np.float32).reshape(-1, 7)
    nodes = [
        helper.make_node("ReduceMax", ["images"], ["most"], keepdims=0),
        helper.make_node("Greater", ["most", "limit"], ["lit"]),  # nothing on a blank picture
        helper.make_node("Expand", ["lit", "rows"], ["every"]),
        helper.make_node("Compress", ["found", "every"], ["output0"], axis=0),
    ]
    constants = {"found": found, "limit": np.array(0.0, np.float32), "rows": np.array([len(found)], np.int64)}
    stored = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 384, 384])]
    outputs = [helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["K", 7])]
    graph = helper.make_graph(nodes, "localiser", inputs, outputs, stored)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path
