# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""From a trained network to an ONNX file that says what it is, checked against the network that it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from ptz_site import UserError

#: Of ONNX operators: old enough for every runtime of the last years.
_OPSET = 17
#: By which outputs may differ, relative to the greatest value of the output.
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class ModelEnds:
    """Names of inputs and outputs, and the axes of each that are free."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    free: Mapping[str, Mapping[int, str]]


def export(network: nn.Module, examples: Sequence[Tensor], ends: ModelEnds, metadata: Mapping[str, object], path: Path) -> float:
    """Writes the file at once, and returns by how much its outputs differ at most. Raises UserError above 1e-4.

    network: gives a tuple of tensors; examples: its inputs, other random ones of the same shapes are compared. metadata: kept in the
    file; what is not text as JSON.
    """
    network = network.cpu().eval()
    draft = path.with_name(path.name + '.draft')
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.inference_mode():
        torch.onnx.export(
            network,
            tuple(examples),
            str(draft),
            input_names=list(ends.inputs),
            output_names=list(ends.outputs),
            dynamic_axes={name: dict(axes) for name, axes in ends.free.items()},
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(str(draft))
    onnx.helper.set_model_props(
        model, {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
    )
    onnx.checker.check_model(model)
    onnx.save(model, str(draft))
    difference = compare(network, examples, draft)
    if difference > _TOLERANCE:
        draft.unlink()
        raise UserError(f'{path}: the exported model differs from the network by {difference:.1e}; nothing was written')
    draft.replace(path)
    return difference


def compare(network: nn.Module, examples: Sequence[Tensor], path: Path) -> float:
    """The greatest difference of any output, relative to the output's greatest value, or absolute where that is below 1."""
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    given = {end.name: example.numpy() for end, example in zip(session.get_inputs(), examples, strict=True)}
    with torch.inference_mode():
        wanted = network(*examples)
    found = session.run(None, given)
    differences = [
        float(np.abs(there - here.numpy()).max()) / max(1.0, float(here.abs().max()))
        for here, there in zip(wanted, found, strict=True)
    ]
    return max(differences)
