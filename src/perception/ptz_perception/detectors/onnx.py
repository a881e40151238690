# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX models: runs them on the processor, and says which detector understands their output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptz_site import UserError

#: One process for each camera: more threads would take the processor from the others.
_THREADS = 1


class OnnxModel:
    """A model that is ready to run. Raises UserError if the file is missing or is no model, or if ONNX Runtime is not installed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._session = _session(path)
        self.inputs: tuple[Any, ...] = tuple(self._session.get_inputs())
        self.outputs: tuple[Any, ...] = tuple(self._session.get_outputs())

    def describe(self) -> str:
        """Names, types and shapes of inputs and outputs, in one line."""
        return f'inputs {_signature(self.inputs)}; outputs {_signature(self.outputs)}'

    def run(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """The first output for the first input."""
        return np.asarray(self._session.run([self.outputs[0].name], {self.inputs[0].name: tensor})[0], np.float32)


def _signature(ends: Sequence[Any]) -> str:
    return ', '.join(f'{end.name} {end.type} {list(end.shape)}' for end in ends) or 'none'


def _session(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f'perception.detector: no file {path}; give hog, or the path of an ONNX model')
    try:
        import onnxruntime
    except ImportError:
        raise UserError(
            f'perception.detector: {path} needs ONNX Runtime, which is not installed; install the Python package onnxruntime, or give hog'
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = _THREADS
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
    except Exception as error:  # ONNX Runtime has a dozen kinds, without a common one
        reason = (str(error) or repr(error)).splitlines()[0]
        raise UserError(f'perception.detector: {path} is not an ONNX model that can be run: {reason}') from None
