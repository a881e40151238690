# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX models of pictures in int8: a quarter of the size, and faster where the processor has instructions for it.

Weights and what flows between convolutions become int8, with scales that are found by running the model on some pictures (static
quantisation by ONNX Runtime, QDQ form). What comes after the last convolutions stays in floating point: boxes need its steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from ptz_perception.detections import Image
from ptz_perception.detectors.fitting import Values, reduced_to, to_tensor
from ptz_site import UserError

_STEP = 32


def quantise(model: Path, pictures: Iterable[Image], width: int, out: Path) -> None:
    """Writes the model in int8. pictures: what it will see, a hundred or so, reduced to a width here. Raises UserError."""
    try:
        loaded = onnx.load(str(model))
    except Exception as error:  # protobuf has its own kinds
        raise UserError(f'{model} is not an ONNX model: {(str(error) or repr(error)).splitlines()[0]}') from None
    if len(loaded.graph.input) != 1:
        raise UserError(f'{model} takes {len(loaded.graph.input)} inputs; only models of pictures alone become int8')
    with TemporaryDirectory() as folder:
        prepared, draft = Path(folder, 'prepared.onnx'), out.with_name(out.name + '.draft')
        quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(draft),
            _Reader(loaded.graph.input[0].name, pictures, width),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # Seven bits of weights: sums of products of eight overflow on processors that lack the instructions for them (VNNI).
            reduce_range=True,
            op_types_to_quantize=['Conv', 'MaxPool', 'Concat', 'Add', 'Mul', 'Relu', 'Resize'],
            nodes_to_exclude=_after_last_convolutions(onnx.load(str(prepared))),
        )
    made = onnx.load(str(draft))
    onnx.helper.set_model_props(made, {entry.key: entry.value for entry in loaded.metadata_props})
    onnx.save(made, str(draft))
    draft.replace(out)


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Hands out one picture after the other."""

    def __init__(self, name: str, pictures: Iterable[Image], width: int) -> None:
        self._waiting: Iterator[dict[str, NDArray[np.generic]]] = (
            {name: to_tensor(reduced_to(picture, width, _STEP), Values.RGB_1, np.float32)} for picture in pictures
        )

    def get_next(self) -> dict[str, NDArray[np.generic]] | None:
        """The next one, as ONNX Runtime asks for it."""
        return next(self._waiting, None)


def _after_last_convolutions(model: onnx.ModelProto) -> list[str]:
    """Names of nodes from which no convolution is reached, and of the last convolutions themselves."""
    leads_on: set[str] = set()
    names = []
    for node in reversed(model.graph.node):
        if any(output in leads_on for output in node.output):
            leads_on.update(node.input)
            continue
        names.append(node.name)
        if node.op_type == 'Conv':
            leads_on.update(node.input)
    return names
