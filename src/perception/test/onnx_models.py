# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Small ONNX models for tests: they return constants, whatever the picture, or say something about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_KINDS = {'float': TensorProto.FLOAT, 'float16': TensorProto.FLOAT16, 'uint8': TensorProto.UINT8}


def write_constant_model(
    path: Path,
    given: tuple[int | str, ...],
    outputs: Mapping[str, NDArray[np.float32]],
    *,
    kind: str = 'float',
    sized: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """A model of a picture (and, sized, its size) that returns these outputs."""
    inputs = [helper.make_tensor_value_info('images', _KINDS[kind], given)]
    if sized:
        inputs.append(helper.make_tensor_value_info('orig_target_sizes', TensorProto.INT64, [1, 2]))
    nodes, initial, ends = [], [], []
    # 0 * first pixel is added, so that the picture is used.
    initial.append(numpy_helper.from_array(np.zeros(1, np.float32), 'nothing'))
    nodes.append(helper.make_node('Cast', ['images'], ['picture'], to=TensorProto.FLOAT))
    nodes.append(helper.make_node('ReduceMean', ['picture'], ['mean'], keepdims=0))
    nodes.append(helper.make_node('Mul', ['mean', 'nothing'], ['zero']))
    if sized:
        nodes.append(helper.make_node('Cast', ['orig_target_sizes'], ['sizes'], to=TensorProto.FLOAT))
        nodes.append(helper.make_node('ReduceMean', ['sizes'], ['size'], keepdims=0))
        nodes.append(helper.make_node('Mul', ['size', 'nothing'], ['zero_size']))
        nodes.append(helper.make_node('Add', ['zero', 'zero_size'], ['both']))
    for name, value in outputs.items():
        initial.append(numpy_helper.from_array(value.astype(np.float32), f'{name}_constant'))
        nodes.append(helper.make_node('Add', [f'{name}_constant', 'both' if sized else 'zero'], [name]))
        ends.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape))
    _write(path, nodes, inputs, ends, initial, metadata)


def write_colour_model(path: Path, size: tuple[int, int]) -> None:
    """An embedder: the mean of each channel of a picture (width, height)."""
    inputs = [helper.make_tensor_value_info('images', TensorProto.FLOAT, [1, 3, size[1], size[0]])]
    ends = [helper.make_tensor_value_info('feature', TensorProto.FLOAT, [1, 3])]
    nodes = [helper.make_node('ReduceMean', ['images'], ['feature'], axes=[2, 3], keepdims=0)]
    _write(path, nodes, inputs, ends, [], None)


def _write(path: Path, nodes: list, inputs: list, ends: list, initial: list, metadata: Mapping[str, str] | None) -> None:  # type: ignore[type-arg]
    graph = helper.make_graph(nodes, 'made', inputs, ends, initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)
    for key, value in (metadata or {}).items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
