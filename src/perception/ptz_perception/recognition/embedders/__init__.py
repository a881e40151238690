# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The embedders that a site can name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ptz_perception.detectors.session import OnnxModel
from ptz_perception.recognition.embedders.base import Embedder, Feature, unit
from ptz_perception.recognition.embedders.colour import ColourEmbedder
from ptz_perception.recognition.embedders.onnx_embedder import OnnxEmbedder
from ptz_site import UserError
from ptz_site.schema import PerceptionSettings

__all__ = ['Embedder', 'Feature', 'make_embedders', 'unit']


def make_embedders(settings: PerceptionSettings, folder: Path) -> Mapping[str, Embedder]:
    """The embedders of a site by kind; paths are relative to folder. Raises UserError if one can't be had."""
    return {kind: _embedder(kind, name, settings.provider, folder) for kind, name in settings.embedders.items()}


def _embedder(kind: str, name: str, provider: str, folder: Path) -> Embedder:
    if name == 'colour':
        return ColourEmbedder()
    try:
        return OnnxEmbedder(OnnxModel(folder / name, provider))
    except UserError as error:
        raise UserError(f'perception.embedders.{kind}: {error}; or give colour') from None
