"""The OpenVINO runtime, from the extra `openvino`: faster than onnxruntime on Intel and AMD processors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.detectors.session import Blob, OnnxSession, Runtime, load_onnxruntime, missing_provider
from pipeline.errors import ModelError


class OpenVinoSession:
    """A network in OpenVINO. onnxruntime reads the signature and metadata, which OpenVINO drops."""

    def __init__(self, path: Path, threads: int) -> None:
        try:
            import openvino  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise missing_provider("openvino", load_onnxruntime().get_available_providers()) from error
        described = OnnxSession(path, Runtime(threads=1))
        self.path = path
        self.signature = described.signature
        self.metadata: Mapping[str, str] = described.metadata
        options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        try:
            self._model = openvino.compile_model(path, "CPU", options)
        except RuntimeError as error:
            raise ModelError(f"{path}: OpenVINO cannot compile this model: {error}") from error

    def run(self, blob: Blob) -> list[npt.NDArray[Any]]:
        # A request of its own for each call: several threads may run one network.
        request = self._model.create_infer_request()
        try:
            request.infer({0: blob}, share_inputs=True)
        except RuntimeError as error:
            raise ModelError(f"{self.path}: fails in OpenVINO on an input of {blob.shape}: {error}") from error
        return [np.array(request.get_output_tensor(index).data) for index in range(len(self.signature.outputs))]
