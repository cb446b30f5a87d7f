from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto

from pipeline.detectors.session import Runtime, open_session
from pipeline.errors import ModelError, ProviderError
from tests.detectors.networks import save_constant

ROAD = Path(__file__).parents[2] / "models/road-nano.onnx"
ANSWER = {"output0": np.ones((1, 6, 10), np.float32)}


def test_a_network_answers_a_batch_and_tells_its_signature(tmp_path: Path) -> None:
    path = save_constant(tmp_path / "net.onnx", ANSWER, metadata={"names": "{0: 'a'}"})
    session = open_session(path, Runtime(threads=1))
    assert session.metadata == {"names": "{0: 'a'}"}
    signature = session.signature
    assert (signature.input, signature.batch, signature.height, signature.width) == ("images", None, None, None)
    assert signature.outputs == {"output0": (None, 6, 10)}
    (answer,) = session.run(np.zeros((3, 3, 32, 64), np.float32))
    assert answer.shape == (3, 6, 10)


def test_half_precision_input_is_told(tmp_path: Path) -> None:
    path = save_constant(tmp_path / "net.onnx", ANSWER, shape=(1, 3, 64, 96), element=TensorProto.FLOAT16)
    signature = open_session(path, Runtime(threads=1)).signature
    assert (signature.dtype, signature.batch, signature.height, signature.width) == (np.float16, 1, 64, 96)


A_LARGE_CALL_AMONG_SMALL_ONES = """
import sys
from pathlib import Path
import numpy as np
from pipeline.allocator import return_large_blocks
from pipeline.detectors.session import RETURN_EVERY, Runtime, open_session

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

return_large_blocks()
session = open_session(Path(sys.argv[1]), Runtime(threads=1))
small = np.zeros((1, 3, 32, 32), np.float32)
session.run(small)
before = resident()
session.run(np.zeros((4, 3, 416, 416), np.float32))
full = resident()
for _ in range(RETURN_EVERY):
    session.run(small)
print(full - before, resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_memory_of_large_calls_is_given_back() -> None:
    command = [sys.executable, "-c", A_LARGE_CALL_AMONG_SMALL_ONES, str(ROAD)]
    full, after = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert full > 20e6
    assert after < full / 4


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no model", b"\x08\x08\x12" + b"\xff" * 400])
def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.onnx: not a model that onnxruntime can load") as caught:
        open_session(path, Runtime(threads=1))
    assert "\n" not in str(caught.value)


def test_a_cut_off_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(ROAD.read_bytes()[:100_000])
    with pytest.raises(ModelError, match=r"cut\.onnx"):
        open_session(path, Runtime(threads=1))


@pytest.mark.parametrize(
    ("shape", "element"),
    [((1, 10), TensorProto.FLOAT), ((1, 3, 64, 64), TensorProto.UINT8), ((1, 1, 64, 64), TensorProto.FLOAT)],
)
def test_a_network_that_takes_no_colour_pictures_is_refused(
    tmp_path: Path, shape: tuple[int, ...], element: int
) -> None:
    path = save_constant(tmp_path / "other.onnx", ANSWER, shape=shape, element=element)
    with pytest.raises(ModelError, match=r"other\.onnx: expected .*\[batch, 3, height, width\]; it takes images"):
        open_session(path, Runtime(threads=1))


@pytest.mark.parametrize(
    ("provider", "onnx_name"), [("cuda", "CUDAExecutionProvider"), ("tensorrt", "TensorrtExecutionProvider")]
)
def test_a_provider_that_is_not_installed_says_what_is_and_what_to_install(
    tmp_path: Path, provider: str, onnx_name: str
) -> None:
    if onnx_name in onnxruntime.get_available_providers():
        pytest.skip(f"{provider} is installed here")
    path = save_constant(tmp_path / "net.onnx", ANSWER)
    with pytest.raises(ProviderError) as caught:
        open_session(path, Runtime(provider))  # type: ignore[arg-type]
    assert str(caught.value) == (
        f"provider '{provider}' is not installed (installed: "
        f"{', '.join(name.removesuffix('ExecutionProvider') for name in onnxruntime.get_available_providers())}): "
        "install it with  pip install 'matthan[gpu]' && pip install --force-reinstall --no-deps onnxruntime-gpu  "
        "or set the provider to cpu"
    )


def test_a_network_that_fails_on_an_input_is_named(tmp_path: Path) -> None:
    path = save_constant(tmp_path / "net.onnx", ANSWER, shape=("batch", 3, 64, 64))
    with pytest.raises(ModelError, match=r"net\.onnx: fails on an input of \(1, 3, 32, 32\)"):
        open_session(path, Runtime(threads=1)).run(np.zeros((1, 3, 32, 32), np.float32))


def test_openvino_answers_as_onnxruntime_does_or_says_what_to_install() -> None:
    path = Path(__file__).parents[2] / "models/road-nano.onnx"
    try:
        session = open_session(path, Runtime("openvino", threads=1))
    except ProviderError as error:
        assert "pip install 'matthan[openvino]'" in str(error)
        return
    blob = np.random.default_rng(0).normal(size=(2, 3, 64, 96)).astype(np.float32)
    for mine, theirs in zip(session.run(blob), open_session(path, Runtime(threads=1)).run(blob), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=2e-3)


def test_an_unknown_provider_names_the_known(tmp_path: Path) -> None:
    path = save_constant(tmp_path / "net.onnx", ANSWER)
    with pytest.raises(ProviderError, match="'gpu' is no provider: choose one of cpu, openvino, cuda, tensorrt"):
        open_session(path, Runtime("gpu"))  # type: ignore[arg-type]


def test_the_runtime_reports_to_nobody_whoever_uses_it() -> None:
    """Also without the command: the setting counts only while the runtime is loaded."""
    program = """
import os, sys
from pipeline.detectors import session
assert "onnxruntime" not in sys.modules
session._providers("cpu")
print(os.environ["ORT_DISABLE_TELEMETRY"], "onnxruntime" in sys.modules)
"""
    clean = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=clean, check=True)
    assert done.stdout == "1 True\n"
