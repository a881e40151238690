# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX models by ONNX Runtime: on the processor, or on what accelerator there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptz_site import UserError

#: One process for each camera: more threads would take the processor from the others.
_THREADS = 1
_PROVIDERS = {
    'cpu': 'CPUExecutionProvider',
    'cuda': 'CUDAExecutionProvider',
    'tensorrt': 'TensorrtExecutionProvider',
    'openvino': 'OpenVINOExecutionProvider',
}
#: Tried for 'auto'. Not TensorRT, which may take minutes before the first picture.
_AUTOMATIC = ('cuda', 'openvino', 'cpu')
_KINDS: dict[str, type[np.generic]] = {
    'tensor(float)': np.float32,
    'tensor(float16)': np.float16,
    'tensor(uint8)': np.uint8,
    'tensor(int64)': np.int64,
}


class OnnxModel:
    """A model that is ready to run.

    Raises UserError if the file is missing or is no model, if ONNX Runtime is not installed, or if the provider is not there.
    """

    def __init__(self, path: Path, provider: str = 'auto') -> None:
        self.path = path
        self._session = _session(path, provider)
        self.inputs: tuple[Any, ...] = tuple(self._session.get_inputs())
        self.outputs: tuple[Any, ...] = tuple(self._session.get_outputs())
        #: What the model's author wrote into it.
        self.metadata: Mapping[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def provider(self) -> str:
        """What runs it: cpu, cuda, tensorrt or openvino."""
        first = self._session.get_providers()[0]
        return next((name for name, provider in _PROVIDERS.items() if provider == first), first)

    def describe(self) -> str:
        """Names, types and shapes of inputs and outputs, in one line."""
        return f'inputs {_signature(self.inputs)}; outputs {_signature(self.outputs)}'

    def kind(self, index: int) -> type[np.generic]:
        """Of the numbers of an input. Raises UserError for one that is not known."""
        said = self.inputs[index].type
        if said not in _KINDS:
            raise UserError(f'{self.path} takes {said}; understood are {", ".join(_KINDS)}')
        return _KINDS[said]

    def run(self, *tensors: NDArray[np.generic]) -> list[NDArray[np.float32]]:
        """All outputs for all inputs. Raises ValueError if the model fails on them."""
        given = {end.name: tensor for end, tensor in zip(self.inputs, tensors, strict=True)}
        try:
            found = self._session.run(None, given)
        except Exception as error:  # ONNX Runtime has a dozen kinds, without a common one
            raise ValueError(f'{self.path.name} failed: {_first_line(error)}') from None
        return [np.asarray(value, np.float32) for value in found]


def _signature(ends: Sequence[Any]) -> str:
    return ', '.join(f'{end.name} {end.type} {list(end.shape)}' for end in ends) or 'none'


def _first_line(error: Exception) -> str:
    return (str(error) or repr(error)).splitlines()[0]


def _session(path: Path, provider: str) -> Any:
    if not path.is_file():
        raise UserError(f'no file {path}; give the path of an ONNX model')
    try:
        import onnxruntime
    except ImportError:
        raise UserError(f'{path} needs ONNX Runtime, which is not installed; install the Python package onnxruntime') from None
    there = [name for name, known in _PROVIDERS.items() if known in onnxruntime.get_available_providers()]
    if provider != 'auto' and provider not in there:
        raise UserError(
            f'perception.provider: {provider} is not there; this ONNX Runtime has {", ".join(there)} (onnxruntime-gpu has cuda and '
            'tensorrt, onnxruntime-openvino has openvino)'
        )
    wanted = [name for name in _AUTOMATIC if name in there] if provider == 'auto' else [provider, 'cpu']
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = _THREADS
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[_PROVIDERS[name] for name in dict.fromkeys(wanted)])
    except Exception as error:
        raise UserError(f'{path} is not an ONNX model that can be run: {_first_line(error)}') from None
