"""A network loaded into an inference runtime: pictures in, arrays out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnxruntime

from pipeline.errors import ModelError, ProviderError

Provider: TypeAlias = Literal["cpu", "openvino", "cuda", "tensorrt"]
Blob: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float16]
"""A batch of network inputs, [N, 3, height, width]."""

RETURN_EVERY = 100
"""Calls on a CPU, after the last of which the runtime gives back the memory that it does not use. It would keep what
its largest calls took, side by side, for as long as it lives: 10 to 40 MB more with each rare coincidence."""

_EXECUTION_PROVIDERS: Mapping[str, tuple[str, ...]] = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
}
# Both onnxruntime packages write the same files: the one installed last is the one there is.
_GPU = "pip install 'matthan[gpu]' && pip install --force-reinstall --no-deps onnxruntime-gpu"
_INSTALLATIONS: Mapping[str, str] = {"openvino": "pip install 'matthan[openvino]'", "cuda": _GPU, "tensorrt": _GPU}
_ELEMENT_TYPES: Mapping[str, npt.DTypeLike] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where networks run. `threads` is per network; 0 takes one for each core."""

    provider: Provider = "cpu"
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Signature:
    """What a network takes and gives. A dimension is None where the network takes any size.

    `outputs` maps output names to shapes, in the network's order.
    """

    input: str
    dtype: npt.DTypeLike
    batch: int | None
    height: int | None
    width: int | None
    outputs: Mapping[str, tuple[int | None, ...]] = field(default_factory=dict)


class Session(Protocol):
    """A loaded network; safe to run from several threads."""

    path: Path
    signature: Signature
    metadata: Mapping[str, str]

    def run(self, blob: Blob) -> list[npt.NDArray[Any]]:
        """All outputs for one batch [N, 3, height, width], in the order of the signature."""


def open_session(path: Path, runtime: Runtime) -> Session:
    """Load an ONNX file.

    Raises:
        ModelError: the file is missing, is not a whole ONNX model, or does not take one batch of pictures.
        ProviderError: the provider asked for is not installed, or does not start on this machine.
    """
    if runtime.provider == "openvino":
        from pipeline.detectors.openvino import OpenVinoSession  # noqa: PLC0415 - an optional extra

        return OpenVinoSession(path, runtime.threads)
    return OnnxSession(path, runtime)


def load_onnxruntime() -> ModuleType:
    """onnxruntime, which would report its use to its maker and is told not to before it is loaded."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime  # noqa: PLC0415 - see above

    runtime: ModuleType = onnxruntime
    runtime.disable_telemetry_events()
    return runtime


class Network:
    """Any ONNX file in onnxruntime, whatever it takes and gives; safe to run from several threads.

    Raises:
        ModelError: the file is missing or is not a whole ONNX model.
        ProviderError: the provider asked for is not installed, or does not start on this machine.
    """

    def __init__(self, path: Path, runtime: Runtime) -> None:
        self.path = path
        self.session = _start(path, runtime)
        self._input = next((each.name for each in self.session.get_inputs()), "")
        self._calls = count(1)
        self._returning = load_onnxruntime().RunOptions()
        if runtime.provider == "cpu":
            self._returning.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run(self, outputs: Sequence[str], blob: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """These outputs for what goes into the first input. Raises ModelError when the network fails on it."""
        options = None if next(self._calls) % RETURN_EVERY else self._returning
        try:
            answers: list[npt.NDArray[Any]] = self.session.run(outputs, {self._input: blob}, options)
        except Exception as error:  # the runtime's own exceptions share no base
            raise ModelError(f"{self.path}: fails on an input of {blob.shape}: {_first_line(error)}") from error
        return answers


def _start(path: Path, runtime: Runtime) -> onnxruntime.InferenceSession:
    wanted = _providers(runtime.provider)
    library = load_onnxruntime()
    options = library.SessionOptions()
    options.intra_op_num_threads = runtime.threads
    options.log_severity_level = 3
    if runtime.provider == "cpu":
        # Threads spin for work within a call, which is faster, and give their core to decoding and tracking
        # between calls.
        options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        # Without the runtime's own fallback, which would go on with another provider and say so on the console.
        session: onnxruntime.InferenceSession = library.InferenceSession(
            path, options, providers=list(wanted), enable_fallback=0
        )
    except Exception as error:  # the runtime's own exceptions share no base
        if runtime.provider != "cpu":
            _start(path, Runtime(threads=1))  # raises when the model is at fault
            raise _unusable(runtime.provider, _first_line(error)) from error
        raise ModelError(f"{path}: not a model that onnxruntime can load: {_first_line(error)}") from error
    if wanted[0] not in session.get_providers():
        raise _unusable(runtime.provider, "the runtime left it out")
    return session


class OnnxSession:
    """A network of pictures in onnxruntime."""

    def __init__(self, path: Path, runtime: Runtime) -> None:
        self.path = path
        self._network = Network(path, runtime)
        self.metadata: Mapping[str, str] = dict(self._network.session.get_modelmeta().custom_metadata_map)
        self.signature = _signature(path, self._network.session)
        self._outputs = list(self.signature.outputs)

    def run(self, blob: Blob) -> list[npt.NDArray[Any]]:
        return self._network.run(self._outputs, blob)


def _providers(provider: str) -> tuple[str, ...]:
    installed: list[str] = load_onnxruntime().get_available_providers()
    if provider not in _EXECUTION_PROVIDERS:
        raise ProviderError(f"{provider!r} is no provider: choose one of {', '.join(get_args(Provider))}")
    wanted = _EXECUTION_PROVIDERS[provider]
    if wanted[0] not in installed:
        raise missing_provider(provider, installed)
    return tuple(name for name in wanted if name in installed)


def missing_provider(provider: str, installed: Sequence[str]) -> ProviderError:
    """The error that says what is there and what to install."""
    names = ", ".join(name.removesuffix("ExecutionProvider") for name in installed)
    return ProviderError(
        f"provider {provider!r} is not installed (installed: {names}): "
        f"install it with  {_INSTALLATIONS[provider]}  or set the provider to cpu"
    )


def _unusable(provider: str, reason: str) -> ProviderError:
    return ProviderError(
        f"provider {provider!r} is installed but does not start on this machine ({reason}): "
        "check the driver and the libraries it needs, or set the provider to cpu"
    )


def _signature(path: Path, session: onnxruntime.InferenceSession) -> Signature:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    taken = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in _ELEMENT_TYPES:
        raise ModelError(f"{path}: expected one input, float or float16 [batch, 3, height, width]; it takes {taken}")
    batch, channels, height, width = (_size(value) for value in inputs[0].shape)
    if channels not in (3, None):
        raise ModelError(f"{path}: expected pictures of 3 channels [batch, 3, height, width]; it takes {taken}")
    shapes = {output.name: tuple(_size(value) for value in output.shape) for output in outputs}
    return Signature(inputs[0].name, _ELEMENT_TYPES[inputs[0].type], batch, height, width, shapes)


def _size(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
