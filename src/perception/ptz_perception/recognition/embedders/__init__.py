# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The embedders that a site can name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ptz_perception.detectors.jde_model import KIND as JDE
from ptz_perception.detectors.jde_model import JdeModel
from ptz_perception.detectors.session import OnnxModel
from ptz_perception.recognition.embedders.base import Embedder, Feature, unit
from ptz_perception.recognition.embedders.colour import ColourEmbedder
from ptz_perception.recognition.embedders.jde_embedder import JdeEmbedder
from ptz_perception.recognition.embedders.onnx_embedder import OnnxEmbedder
from ptz_perception.shipped import shipped_model
from ptz_site import UserError
from ptz_site.schema import PerceptionSettings

__all__ = ['Embedder', 'Feature', 'make_embedders', 'unit']


def make_embedders(settings: PerceptionSettings, folder: Path) -> Mapping[str, Embedder]:
    """The embedders of a site by kind; paths are relative to folder. Raises UserError if one can't be had."""
    return {kind: _embedder(kind, name, settings, folder) for kind, name in settings.embedders.items()}


def _embedder(kind: str, name: str, settings: PerceptionSettings, folder: Path) -> Embedder:
    if name == 'colour':
        return ColourEmbedder()
    try:
        model = OnnxModel(shipped_model(name) or folder / name, settings.provider)
        if model.metadata.get('model') == JDE:
            return JdeEmbedder(JdeModel(model), name == settings.detector)
        return OnnxEmbedder(model)
    except UserError as error:
        raise UserError(f'perception.embedders.{kind}: {error}; or give colour') from None
